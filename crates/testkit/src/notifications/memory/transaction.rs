use std::collections::BTreeSet;

use async_trait::async_trait;
use coinlink_domain::{
    notifications::{Channel, Delivery, Notification, NotificationId, NotificationSettings, Webhook, WebhookId},
    shared::{sealed::Sealed, user_id::UserId},
};
use coinlink_ports::{
    notifications::{Inbox, LastTest, NotificationsTx, Reach, Reaches},
    shared::StoreError,
};
use time::OffsetDateTime;

use super::{
    MemoryTx,
    state::{KeptDelivery, kept_delivery, kept_notification},
};
use crate::{
    notifications::MailState,
    shared::{
        faults::unavailable,
        memory::{conflict, micros},
    },
};

#[async_trait]
impl NotificationsTx for MemoryTx {
    async fn commit(mut self: Box<Self>) -> Result<(), StoreError> {
        self.end()
    }
}

#[async_trait]
impl Inbox for MemoryTx {
    async fn add(&mut self, notification: &Notification) -> Result<(), StoreError> {
        self.call(|draft| {
            if draft.notifications.contains_key(&notification.id) {
                return Err(conflict("notifications.id"));
            }
            draft.notifications.insert(notification.id, kept_notification(notification));
            Ok(())
        })
    }

    async fn send(&mut self, delivery: &Delivery) -> Result<(), StoreError> {
        self.call(|draft| {
            if draft.deliveries.contains_key(&delivery.id()) {
                return Err(conflict("notification_deliveries.id"));
            }
            let hook_is_there = match delivery.channel {
                Channel::Socket => true,
                Channel::Webhook(hook) => draft.webhooks.contains_key(&hook),
            };
            if !hook_is_there || !draft.notifications.contains_key(&delivery.notification) {
                return Err(unavailable("no such notification or webhook"));
            }
            draft.deliveries.insert(delivery.id(), kept_delivery(delivery));
            Ok(())
        })
    }

    async fn mark_read(&mut self, user: UserId, id: NotificationId, now: OffsetDateTime) -> Result<bool, StoreError> {
        self.call(|draft| {
            let found = draft.shown(user, now).any(|one| one.id == id);
            if let Some(one) = draft.notifications.get_mut(&id).filter(|_| found) {
                one.is_read = true;
            }
            Ok(found)
        })
    }

    async fn mark_all_read(&mut self, user: UserId, now: OffsetDateTime) -> Result<u64, StoreError> {
        self.call(|draft| {
            let until = micros(now);
            let unread = draft.shown(user, now).filter(|one| !one.is_read && one.created_at <= until);
            let unread: Vec<_> = unread.map(|one| one.id).collect();
            for id in &unread {
                if let Some(one) = draft.notifications.get_mut(id) {
                    one.is_read = true;
                }
            }
            Ok(unread.len() as u64)
        })
    }

    async fn remove(&mut self, user: UserId, id: NotificationId, now: OffsetDateTime) -> Result<bool, StoreError> {
        self.call(|draft| {
            let found = draft.shown(user, now).any(|one| one.id == id);
            if found {
                draft.remove(&BTreeSet::from([id]));
            }
            Ok(found)
        })
    }
}

#[async_trait]
impl Reaches for MemoryTx {
    async fn of(&mut self, user: UserId) -> Result<Reach, StoreError> {
        self.call(|draft| {
            let in_use = draft.webhooks_of(user).into_iter().filter(|hook| hook.disabled_at.is_none());
            let is_active = !draft.locked.contains(&user);
            Ok(Reach {
                is_active,
                address: draft.addresses.get(&user).filter(|_| is_active).cloned(),
                switches: draft.switches.get(&user).copied().unwrap_or_default(),
                settings: draft.settings.get(&user).cloned().unwrap_or_default(),
                webhooks: in_use.map(|hook| hook.id).collect(),
            })
        })
    }

    async fn save_settings(&mut self, user: UserId, settings: &NotificationSettings) -> Result<(), StoreError> {
        self.call(|draft| {
            draft.settings.insert(user, settings.clone());
            Ok(())
        })
    }

    async fn count_webhooks(&mut self, user: UserId) -> Result<u64, StoreError> {
        self.call(|draft| Ok(draft.webhooks_of(user).len() as u64))
    }

    async fn add_webhook(&mut self, webhook: &Webhook) -> Result<(), StoreError> {
        self.call(|draft| {
            let disabled_at = webhook.disabled_at.map(micros);
            let webhook = Webhook { created_at: micros(webhook.created_at), disabled_at, ..webhook.clone() };
            draft.webhooks.insert(webhook.id, webhook);
            Ok(())
        })
    }

    async fn last_test(&mut self, user: UserId, id: WebhookId) -> Result<Option<LastTest>, StoreError> {
        self.call(|draft| {
            let hook = draft.webhooks.get(&id).filter(|hook| hook.user == user && hook.disabled_at.is_none());
            let test = draft.tests.get(&id);
            let kept = test.and_then(|(test, _)| draft.deliveries.values().find(|kept| kept.delivery.notification == *test));
            let waits = kept.is_some_and(|kept| kept.state == MailState::Waiting && kept.attempts == 0);
            Ok(hook.map(|_| LastTest { at: test.map(|(_, at)| *at), waits }))
        })
    }

    async fn note_test(&mut self, id: WebhookId, test: NotificationId, now: OffsetDateTime) -> Result<(), StoreError> {
        self.call(|draft| {
            if let Some((before, _)) = draft.tests.insert(id, (test, micros(now))) {
                let tried = |kept: &KeptDelivery| kept.state == MailState::Waiting && kept.attempts > 0;
                draft.deliveries.retain(|_, kept| kept.delivery.notification != before || !tried(kept));
            }
            Ok(())
        })
    }

    async fn remove_webhook(&mut self, user: UserId, id: WebhookId) -> Result<bool, StoreError> {
        self.call(|draft| {
            let found = draft.webhooks.get(&id).is_some_and(|hook| hook.user == user);
            if found {
                draft.remove_webhook(id);
            }
            Ok(found)
        })
    }
    async fn reseal_webhook(&mut self, id: WebhookId, from: &Sealed, to: &Sealed) -> Result<bool, StoreError> {
        self.call(|draft| {
            let kept = draft.webhooks.get_mut(&id).filter(|hook| hook.secret == *from);
            Ok(kept.map(|hook| hook.secret = to.clone()).is_some())
        })
    }
}
