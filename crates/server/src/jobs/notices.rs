//! Brings notifications to open sockets and to webhooks.

use std::{collections::BTreeMap, sync::Arc, time::Duration as StdDuration};

use coinlink_application::notifications::{DeliverToSockets, DeliverToWebhooks, Fate, PruneNotifications};
use coinlink_domain::notifications::UnderWay;
use coinlink_ports::{
    notifications::{DeliveryQueue, WayCounts},
    shared::{Clock, StoreError},
};
use tokio::task::{Id, JoinError, JoinSet};

use super::upkeep::{Told, beats, in_parts};
use crate::telemetry::Metrics;

/// Whoever has a socket open is told within a second of the commit.
const SOCKETS_EVERY: StdDuration = StdDuration::from_millis(200);
const WEBHOOKS_EVERY: StdDuration = StdDuration::from_secs(1);
const COUNT_EVERY: StdDuration = StdDuration::from_secs(5);

const SOCKET: &str = "socket";
const WEBHOOK: &str = "webhook";

/// Publishes what is on its way to sockets.
pub async fn deliver_to_sockets(deliver: DeliverToSockets, metrics: Metrics) {
    let mut told = Told::of(&metrics, "deliver_to_sockets", "telling sockets of notifications");
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
    let told = Told::of(&metrics, "deliver_to_webhooks", "calling webhooks");
    let mut calls = Calls { deliver, metrics, under_way: JoinSet::new(), whose: BTreeMap::new(), told };
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

/// Calls on their way: a host that takes its time holds up no other, and a user who has many holds up nobody.
struct Calls {
    deliver: Arc<DeliverToWebhooks>,
    metrics: Metrics,
    under_way: JoinSet<Result<Fate, StoreError>>,
    whose: BTreeMap<Id, UnderWay>,
    told: Told,
}

impl Calls {
    /// Takes as many as there are places. Whether there may be more.
    async fn fill(&mut self) -> bool {
        let free = DeliverToWebhooks::AT_ONCE.saturating_sub(self.under_way.len());
        if free == 0 {
            return true;
        }
        let under_way: Vec<UnderWay> = self.whose.values().cloned().collect();
        let claimed = self.told.tell(self.deliver.claim(free, &under_way).await).unwrap_or_default();
        // What more there is of the same users is claimed when these have ended.
        let more = !claimed.is_empty();
        for one in claimed {
            let (deliver, whose) = (Arc::clone(&self.deliver), UnderWay::of(&one.webhook));
            let task = self.under_way.spawn(async move { deliver.deliver(one).await });
            self.whose.insert(task.id(), whose);
        }
        more
    }

    fn note(&mut self, ended: Result<(Id, Result<Fate, StoreError>), JoinError>) {
        match ended {
            Ok((id, outcome)) => {
                self.whose.remove(&id);
                if let Some(fate) = self.told.tell(outcome) {
                    self.metrics.notification_delivered(WEBHOOK, fate.name());
                }
            }
            Err(error) => {
                self.whose.remove(&error.id());
                if let Ok(panic) = error.try_into_panic() {
                    std::panic::resume_unwind(panic);
                }
            }
        }
    }
}

/// Counts what is on its way.
pub async fn count_deliveries(queue: Arc<dyn DeliveryQueue>, clock: Arc<dyn Clock>, metrics: Metrics) {
    let mut told = Told::of(&metrics, "count_deliveries", "counting deliveries");
    let mut beats = beats(COUNT_EVERY);
    loop {
        beats.tick().await;
        if let Some(counts) = told.tell(queue.delivery_counts().await) {
            for (channel, WayCounts { waiting, dead, oldest }) in [(SOCKET, counts.sockets), (WEBHOOK, counts.webhooks)] {
                // What is due later does not wait.
                let age = oldest.map_or(StdDuration::ZERO, |due| (clock.now() - due).try_into().unwrap_or_default());
                metrics.outbox(channel, waiting, dead, Some(age));
            }
        }
    }
}

/// Removes notifications and deliveries that nobody needs.
pub async fn prune_notifications(prune: PruneNotifications, metrics: Metrics) {
    in_parts(Told::of(&metrics, "prune_notifications", "removing old notifications"), || prune.execute()).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_trait::async_trait;
    use coinlink_application::notifications::KeepWebhooks;
    use coinlink_domain::shared::user_id::UserId;
    use coinlink_ports::notifications::{SendError, WebhookAddress, WebhookCall, WebhookRefused, WebhookSender};
    use coinlink_testkit::{
        notifications::MemoryNotifications,
        shared::{PlainSecretBox, StoppedClock},
    };
    use std::sync::Mutex;
    use time::macros::datetime;
    use uuid::Uuid;

    /// Notes each call; what is at `slow` never answers.
    #[derive(Default)]
    struct Hosts(Mutex<Vec<(UserId, String)>>);

    #[async_trait]
    impl WebhookSender for Hosts {
        async fn address(&self, url: &str) -> Result<WebhookAddress, WebhookRefused> {
            let host = url.strip_prefix("https://").and_then(|rest| rest.split('/').next()).unwrap().to_owned();
            Ok(WebhookAddress { url: url.to_owned(), host })
        }

        async fn send(&self, call: WebhookCall<'_>) -> Result<(), SendError> {
            self.0.lock().unwrap().push((call.notification.user, call.url.to_owned()));
            if call.url.contains("slow") {
                std::future::pending::<()>().await;
            }
            Ok(())
        }
    }

    /// One user has five webhooks, of which none ever answers; another has one at one of these hosts.
    #[tokio::test]
    async fn a_host_that_does_not_answer_holds_up_nobody_else() {
        let [one, other] = [7, 8].map(|n| UserId(Uuid::from_u128(n)));
        let (store, hosts) = (MemoryNotifications::default(), Arc::new(Hosts::default()));
        let clock = Arc::new(StoppedClock::at(datetime!(2026-11-21 12:00 UTC)));
        let (secrets, entropy) = (Arc::new(PlainSecretBox::default()), Arc::new(coinlink_embedded::SystemEntropy));
        let keep = KeepWebhooks {
            store: Arc::new(store.clone()),
            sender: hosts.clone(),
            secrets: secrets.clone(),
            entropy,
            clock: clock.clone(),
        };
        let tested = async |user, url: &str| {
            let (hook, _) = keep.add(user, url).await.unwrap();
            keep.test(user, hook.id).await.unwrap();
            hook
        };
        for n in 1..=5 {
            tested(one, &format!("https://hooks{}.example.org/slow/{n}", n.min(4))).await;
        }
        let queue = Arc::new(store.clone());
        let deliver =
            DeliverToWebhooks { queue: queue.clone(), store: queue, sender: hosts.clone(), secrets, clock: clock.clone() };
        let metrics = Metrics::new("0", "test").unwrap();
        let told = Told::of(&metrics, "deliver_to_webhooks", "calling webhooks");
        let (deliver, under_way) = (Arc::new(deliver), JoinSet::new());
        let mut job = Calls { deliver, metrics, under_way, whose: BTreeMap::new(), told };
        let calls = |user| hosts.0.lock().unwrap().iter().filter(|call| call.0 == user).count();
        settle(&mut job).await;
        assert_eq!(calls(one), 2, "no user has more under way");
        let hook = tested(other, "https://hooks1.example.org/in").await;
        settle(&mut job).await;
        assert_eq!((calls(one), calls(other)), (2, 1));
        clock.advance(time::Duration::MINUTE);
        keep.test(other, hook.id).await.unwrap();
        settle(&mut job).await;
        assert_eq!((calls(one), calls(other)), (2, 2), "leases that are over are no reason to call a busy host again");
    }

    /// Until nothing more is claimed and whoever answers has answered.
    async fn settle(job: &mut Calls) {
        for _ in 0..50 {
            job.fill().await;
            tokio::task::yield_now().await;
            while let Some(ended) = job.under_way.try_join_next_with_id() {
                job.note(ended);
            }
        }
    }
}
