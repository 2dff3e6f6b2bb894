//! Tells open sockets of what was left.

use std::{collections::HashMap, sync::Arc};

use coinlink_domain::notifications::{Attempted, DeliveryPolicy, Next};
use coinlink_ports::{
    notifications::{DeliveryQueue, ForSockets, LiveEvent, LiveEvents, NotificationsStore},
    shared::{Clock, StoreError},
};
use time::Duration;

use super::Fate;

/// Nothing is waited for long: whoever has a socket open wants it now, and the inbox keeps it anyway.
const POLICY: DeliveryPolicy = DeliveryPolicy {
    lease: Duration::seconds(10),
    first_wait: Duration::SECOND,
    longest_wait: Duration::seconds(30),
    attempts: 20,
};

/// Publishes what is on its way to sockets. Any number of nodes may run it. What is published and cannot be marked is published
/// again: frames carry the id of their notification.
pub struct DeliverToSockets {
    /// What is on its way.
    pub queue: Arc<dyn DeliveryQueue>,
    /// Says whose accounts are in use.
    pub store: Arc<dyn NotificationsStore>,
    /// Where it goes.
    pub events: Arc<dyn LiveEvents>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

impl DeliverToSockets {
    /// Taken at a time.
    pub const AT_ONCE: u32 = 64;

    /// Publishes some of those that are due. What became of each; as many as [`DeliverToSockets::AT_ONCE`] where there may be more.
    #[tracing::instrument(name = "notifications.deliver_to_sockets", skip_all, fields(otel.kind = "consumer"))]
    pub async fn execute(&self) -> Result<Vec<Fate>, StoreError> {
        let claimed = self.queue.claim_for_sockets(self.clock.now(), POLICY.lease, Self::AT_ONCE).await?;
        let ids: Vec<_> = claimed.iter().map(|one| one.notification.id).collect();
        let standings = if ids.is_empty() { HashMap::new() } else { self.store.standings(&ids).await? };
        let mut fates = Vec::with_capacity(claimed.len());
        for one in claimed {
            let in_use = standings.get(&one.notification.id).is_some_and(|standing| standing.is_active);
            fates.push(if in_use { self.deliver(one).await? } else { self.withdraw(&one).await? });
        }
        Ok(fates)
    }

    async fn withdraw(&self, one: &ForSockets) -> Result<Fate, StoreError> {
        self.queue.withdraw(one.id, one.attempt, self.clock.now(), "the account is not in use").await?;
        Ok(Fate::Dead)
    }

    async fn deliver(&self, one: ForSockets) -> Result<Fate, StoreError> {
        let ForSockets { id, attempt, notification, fired } = one;
        let user = notification.user;
        let told = async {
            if let Some(fired) = fired {
                self.events.publish(user, &LiveEvent::AlertFired(fired)).await?;
            }
            self.events.publish(user, &LiveEvent::Notice(notification)).await
        };
        let (outcome, why) = match told.await {
            Ok(()) => (Attempted::Sent, String::new()),
            Err(error) => (Attempted::Refused, error.to_string()),
        };
        let now = self.clock.now();
        match POLICY.after(attempt, outcome, now) {
            Next::Done => self.queue.sent(id, now).await.map(|()| Fate::Sent),
            Next::Again(due) => self.queue.postpone(id, attempt, now, due, &why).await.map(|_| Fate::Postponed),
            Next::Dead => self.queue.give_up(id, attempt, now, &why).await.map(|_| Fate::Dead),
        }
    }
}
