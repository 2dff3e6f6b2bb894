//! Brings notifications to open sockets and to webhooks.

use std::{collections::BTreeMap, sync::Arc, time::Duration as StdDuration};

use coinlink_application::notifications::{DeliverToSockets, DeliverToWebhooks, Fate, PruneNotifications};
use coinlink_ports::{
    notifications::{DeliveryQueue, WayCounts},
    shared::StoreError,
};
use tokio::task::{Id, JoinError, JoinSet};

use super::upkeep::{BREATH, PRUNE_EVERY, Told, beats};
use crate::telemetry::Metrics;

/// Whoever has a socket open is told within a second of the commit.
const SOCKETS_EVERY: StdDuration = StdDuration::from_millis(200);
const WEBHOOKS_EVERY: StdDuration = StdDuration::from_secs(1);
const COUNT_EVERY: StdDuration = StdDuration::from_secs(5);

const SOCKET: &str = "socket";
const WEBHOOK: &str = "webhook";

/// Publishes what is on its way to sockets.
pub async fn deliver_to_sockets(deliver: DeliverToSockets, metrics: Metrics) {
    let mut told = Told::of("telling sockets of notifications");
    let mut beats = beats(SOCKETS_EVERY);
    loop {
        beats.tick().await;
        while let Some(fates) = told.tell(deliver.execute().await) {
            for fate in &fates {
                metrics.notification_delivered(SOCKET, fate.name());
            }
            if fates.len() < DeliverToSockets::AT_ONCE as usize {
                break;
            }
        }
    }
}

/// Calls webhooks. What is under way when the node ends is called again by whoever finds its lease over.
pub async fn deliver_to_webhooks(deliver: Arc<DeliverToWebhooks>, metrics: Metrics) {
    let told = Told::of("calling webhooks");
    let mut calls = Calls { deliver, metrics, under_way: JoinSet::new(), hosts: BTreeMap::new(), told };
    let mut beats = beats(WEBHOOKS_EVERY);
    let mut more = false;
    loop {
        tokio::select! {
            _ = beats.tick() => more = true,
            Some(ended) = calls.under_way.join_next_with_id() => calls.note(ended),
        }
        // Where nothing more was due a moment ago, a free place waits for the next beat.
        if more {
            more = calls.fill().await;
        }
    }
}

/// Calls on their way, one for each host: a host that takes its time holds up no other.
struct Calls {
    deliver: Arc<DeliverToWebhooks>,
    metrics: Metrics,
    under_way: JoinSet<Result<Fate, StoreError>>,
    hosts: BTreeMap<Id, String>,
    told: Told,
}

impl Calls {
    /// Takes as many as there are places. Whether there may be more.
    async fn fill(&mut self) -> bool {
        let free = DeliverToWebhooks::AT_ONCE.saturating_sub(self.under_way.len());
        if free == 0 {
            return true;
        }
        let busy: Vec<String> = self.hosts.values().cloned().collect();
        let claimed = self.told.tell(self.deliver.claim(free, &busy).await).unwrap_or_default();
        // What more there is to the same hosts is claimed when these have ended.
        let more = !claimed.is_empty();
        for one in claimed {
            let (deliver, host) = (Arc::clone(&self.deliver), one.webhook.host.clone());
            let task = self.under_way.spawn(async move { deliver.deliver(one).await });
            self.hosts.insert(task.id(), host);
        }
        more
    }

    fn note(&mut self, ended: Result<(Id, Result<Fate, StoreError>), JoinError>) {
        match ended {
            Ok((id, outcome)) => {
                self.hosts.remove(&id);
                if let Some(fate) = self.told.tell(outcome) {
                    self.metrics.notification_delivered(WEBHOOK, fate.name());
                }
            }
            Err(error) => {
                self.hosts.remove(&error.id());
                if let Ok(panic) = error.try_into_panic() {
                    std::panic::resume_unwind(panic);
                }
            }
        }
    }
}

/// Counts what is on its way.
pub async fn count_deliveries(queue: Arc<dyn DeliveryQueue>, metrics: Metrics) {
    let mut told = Told::of("counting deliveries");
    let mut beats = beats(COUNT_EVERY);
    let count = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    loop {
        beats.tick().await;
        if let Some(counts) = told.tell(queue.delivery_counts().await) {
            for (channel, WayCounts { waiting, dead, .. }) in [(SOCKET, counts.sockets), (WEBHOOK, counts.webhooks)] {
                metrics.outbox(channel, count(waiting), count(dead));
            }
        }
    }
}

/// Removes notifications and deliveries that nobody needs.
pub async fn prune_notifications(prune: PruneNotifications) {
    let mut told = Told::of("removing old notifications");
    let mut beats = beats(PRUNE_EVERY);
    loop {
        beats.tick().await;
        while told.tell(prune.execute().await) == Some(true) {
            tokio::time::sleep(BREATH).await;
        }
    }
}
