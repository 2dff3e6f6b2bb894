use async_trait::async_trait;
use coinlink_domain::notifications::{Channel, UnderWay, Webhook, WebhookCalls, WebhookId, webhook_turns};
use coinlink_ports::{
    notifications::{DeliveryCounts, DeliveryQueue, EndedBefore, ForSockets, ForWebhook, WayCounts},
    shared::StoreError,
};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::{
    MemoryNotifications,
    state::{KeptDelivery, State},
};
use crate::{notifications::MailState, shared::memory::micros};

impl State {
    /// Waiting and due, those due longest first.
    fn due(&self, now: OffsetDateTime) -> Vec<KeptDelivery> {
        let due = |kept: &&KeptDelivery| kept.state == MailState::Waiting && kept.due <= micros(now);
        let mut due: Vec<_> = self.deliveries.values().filter(due).cloned().collect();
        due.sort_by_key(|kept| (kept.due, kept.delivery.id()));
        due
    }

    /// One more attempt; its number.
    fn take(&mut self, id: Uuid, until: OffsetDateTime) -> u32 {
        self.deliveries.get_mut(&id).map_or(0, |kept| {
            (kept.attempts, kept.due) = (kept.attempts + 1, micros(until));
            kept.attempts
        })
    }

    /// Webhooks that something is due to: first those whose user was served longest ago.
    fn waiting_for_turns(&self, now: OffsetDateTime) -> Vec<(WebhookId, UnderWay)> {
        let mut hooks: Vec<_> = self.due(now).iter().filter_map(|kept| self.hook(kept)).collect();
        let served = |hook: &Webhook| self.served.get(&hook.id).copied();
        hooks.sort_by_key(|hook| (self.webhooks_of(hook.user).iter().filter_map(served).max(), served(hook), hook.id));
        hooks.dedup_by_key(|hook| hook.id);
        hooks.into_iter().map(|hook| (hook.id, UnderWay::of(hook))).collect()
    }

    fn hook(&self, kept: &KeptDelivery) -> Option<&Webhook> {
        match kept.delivery.channel {
            Channel::Socket => None,
            Channel::Webhook(hook) => self.webhooks.get(&hook),
        }
    }

    fn of_attempt(&mut self, id: Uuid, attempt: u32) -> Option<&mut KeptDelivery> {
        self.deliveries.get_mut(&id).filter(|kept| kept.state == MailState::Waiting && kept.attempts == attempt)
    }

    fn hook_of(&mut self, id: Uuid) -> Option<&mut Webhook> {
        match self.deliveries.get(&id)?.delivery.channel {
            Channel::Socket => None,
            Channel::Webhook(hook) => self.webhooks.get_mut(&hook),
        }
    }

    fn counts(&self, is_of: impl Fn(Channel) -> bool) -> WayCounts {
        let of_way = || self.deliveries.values().filter(|kept| is_of(kept.delivery.channel));
        let waiting = || of_way().filter(|kept| kept.state == MailState::Waiting);
        let dead = of_way().filter(|kept| matches!(kept.state, MailState::Dead(_))).count() as u64;
        WayCounts { waiting: waiting().count() as u64, dead, oldest: waiting().map(|kept| kept.due).min() }
    }
}

#[async_trait]
impl DeliveryQueue for MemoryNotifications {
    async fn claim_for_sockets(&self, now: OffsetDateTime, lease: Duration, limit: u32) -> Result<Vec<ForSockets>, StoreError> {
        self.change(|state| {
            let due = state.due(now).into_iter().filter(|kept| kept.delivery.channel == Channel::Socket);
            let due: Vec<_> = due.take(limit as usize).collect();
            let claimed = due.into_iter().filter_map(|KeptDelivery { delivery, .. }| {
                let notification = state.notifications.get(&delivery.notification)?.clone();
                let attempt = state.take(delivery.id(), now + lease);
                Some(ForSockets { id: delivery.id(), attempt, notification, fired: delivery.fired })
            });
            claimed.collect()
        })
        .await
    }

    async fn claim_for_webhooks(
        &self,
        now: OffsetDateTime,
        lease: Duration,
        limit: u32,
        under_way: &[UnderWay],
    ) -> Result<Vec<ForWebhook>, StoreError> {
        self.change(|state| {
            let (hooks, waiting): (Vec<_>, Vec<_>) = state.waiting_for_turns(now).into_iter().unzip();
            let mut claimed = Vec::new();
            for turn in webhook_turns(&waiting, under_way, limit as usize) {
                let mut due = state.due(now);
                due.retain(|kept| kept.delivery.channel == Channel::Webhook(hooks[turn]));
                due.sort_by_key(|kept| (kept.attempts > 0, kept.due, kept.delivery.id()));
                let Some(KeptDelivery { delivery, .. }) = due.into_iter().next() else { continue };
                let found = state.webhooks.get(&hooks[turn]).zip(state.notifications.get(&delivery.notification));
                let Some((webhook, notification)) = found.map(|(hook, one)| (hook.clone(), one.clone())) else { continue };
                let (id, attempt) = (delivery.id(), state.take(delivery.id(), now + lease));
                state.served.insert(hooks[turn], micros(now));
                claimed.push(ForWebhook { id, attempt, notification, webhook });
            }
            claimed
        })
        .await
    }

    async fn sent(&self, id: Uuid, now: OffsetDateTime) -> Result<(), StoreError> {
        self.change(|state| {
            if let Some(kept) = state.deliveries.get_mut(&id).filter(|kept| !matches!(kept.state, MailState::Sent(_))) {
                kept.state = MailState::Sent(micros(now));
                if let Some(hook) = state.hook_of(id) {
                    hook.failures = 0;
                    let at = Some(micros(now));
                    hook.calls = WebhookCalls { last_at: at, last_success_at: at, last_error: None };
                }
            }
        })
        .await
    }

    async fn postpone(
        &self,
        id: Uuid,
        attempt: u32,
        now: OffsetDateTime,
        due: OffsetDateTime,
        why: &str,
    ) -> Result<bool, StoreError> {
        self.change(|state| {
            let postponed = state.of_attempt(id, attempt).map(|kept| kept.due = micros(due)).is_some();
            if let Some(hook) = state.hook_of(id).filter(|hook| postponed && hook.disabled_at.is_none()) {
                (hook.calls.last_at, hook.calls.last_error) = (Some(micros(now)), Some(why.to_owned()));
            }
            postponed
        })
        .await
    }

    async fn give_up(&self, id: Uuid, attempt: u32, now: OffsetDateTime, why: &str) -> Result<bool, StoreError> {
        self.change(|state| {
            let gave_up = state.of_attempt(id, attempt).map(|kept| kept.state = MailState::Dead(micros(now))).is_some();
            if let Some(hook) = state.hook_of(id).filter(|_| gave_up) {
                if hook.disabled_at.is_none() {
                    (hook.calls.last_at, hook.calls.last_error) = (Some(micros(now)), Some(why.to_owned()));
                }
                hook.failures += 1;
                if hook.failures >= Webhook::MOST_FAILURES && hook.disabled_at.is_none() {
                    hook.disabled_at = Some(micros(now));
                }
            }
            gave_up
        })
        .await
    }

    async fn withdraw(&self, id: Uuid, attempt: u32, now: OffsetDateTime, _why: &str) -> Result<bool, StoreError> {
        self.change(|state| state.of_attempt(id, attempt).map(|kept| kept.state = MailState::Dead(micros(now))).is_some()).await
    }

    async fn delivery_counts(&self) -> Result<DeliveryCounts, StoreError> {
        self.read(|state| DeliveryCounts {
            sockets: state.counts(|channel| channel == Channel::Socket),
            webhooks: state.counts(|channel| channel != Channel::Socket),
        })
    }

    async fn prune_deliveries(&self, before: EndedBefore, limit: u64) -> Result<u64, StoreError> {
        self.change(|state| {
            let limit = usize::try_from(limit).unwrap_or(usize::MAX);
            let sent = |kept: &&KeptDelivery| matches!(kept.state, MailState::Sent(at) if at < micros(before.sent));
            let dead = |kept: &&KeptDelivery| matches!(kept.state, MailState::Dead(at) if at < micros(before.dead));
            let mut gone: Vec<_> = state.deliveries.values().filter(sent).map(|kept| kept.delivery.id()).take(limit).collect();
            gone.extend(state.deliveries.values().filter(dead).map(|kept| kept.delivery.id()).take(limit));
            state.deliveries.retain(|id, _| !gone.contains(id));
            gone.len() as u64
        })
        .await
    }
}
