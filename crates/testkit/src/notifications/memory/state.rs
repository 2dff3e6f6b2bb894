use std::collections::{BTreeMap, BTreeSet, HashMap};

use coinlink_domain::{
    notifications::{
        Channel, Delivery, Notification, NotificationId, NotificationSettings, Switches, Webhook, WebhookId, alerts::FiredAlert,
    },
    shared::{mail::OutgoingMail, user_id::UserId},
};
use time::OffsetDateTime;
use uuid::Uuid;

use super::alerts::Alerts;
use crate::{notifications::MailState, shared::memory::micros};

/// A delivery and what became of it.
#[derive(Clone)]
pub(super) struct KeptDelivery {
    pub(super) delivery: Delivery,
    pub(super) state: MailState,
    pub(super) attempts: u32,
    pub(super) due: OffsetDateTime,
}

/// Everything that is kept.
#[derive(Clone, Default)]
pub struct State {
    pub(super) addresses: HashMap<UserId, String>,
    pub(super) settings: HashMap<UserId, NotificationSettings>,
    pub(super) switches: HashMap<UserId, Switches>,
    pub(super) locked: BTreeSet<UserId>,
    pub(super) secured: HashMap<UserId, OffsetDateTime>,
    pub(super) notifications: BTreeMap<NotificationId, Notification>,
    pub(super) webhooks: BTreeMap<WebhookId, Webhook>,
    pub(super) deliveries: BTreeMap<Uuid, KeptDelivery>,
    /// When something for a webhook was claimed last.
    pub(super) served: HashMap<WebhookId, OffsetDateTime>,
    /// The last test of each webhook.
    pub(super) tests: HashMap<WebhookId, (NotificationId, OffsetDateTime)>,
    pub(super) mails: Vec<OutgoingMail>,
    pub(super) alerts: Alerts,
}

impl State {
    pub(super) fn shown(&self, user: UserId, now: OffsetDateTime) -> impl Iterator<Item = &Notification> {
        let now = micros(now);
        self.notifications.values().filter(move |one| one.user == user && one.expires_at.is_none_or(|at| now < at))
    }

    pub(super) fn webhooks_of(&self, user: UserId) -> Vec<Webhook> {
        let secured = self.secured.get(&user).copied();
        let of_user = self.webhooks.values().filter(|hook| hook.user == user);
        let mut hooks: Vec<_> = of_user.map(|hook| Webhook { disabled_at: hook.ended_at(secured), ..hook.clone() }).collect();
        hooks.sort_by_key(|hook| (hook.created_at, hook.id));
        hooks
    }

    /// Removes notifications, and what of them is on its way.
    pub(super) fn remove(&mut self, gone: &BTreeSet<NotificationId>) {
        self.notifications.retain(|id, _| !gone.contains(id));
        self.deliveries.retain(|_, kept| !gone.contains(&kept.delivery.notification));
    }

    pub(super) fn remove_webhook(&mut self, id: WebhookId) {
        self.webhooks.remove(&id);
        self.served.remove(&id);
        self.tests.remove(&id);
        self.deliveries.retain(|_, kept| kept.delivery.channel != Channel::Webhook(id));
    }

    pub(super) fn prune(&mut self, before: OffsetDateTime, keep: u64, limit: u64) -> u64 {
        let [keep, limit] = [keep, limit].map(|count| usize::try_from(count).unwrap_or(usize::MAX));
        let expired = self.notifications.values().filter(|one| one.expires_at.is_some_and(|at| at < before));
        let mut gone: BTreeSet<_> = expired.map(|one| one.id).take(limit).collect();
        let users: BTreeSet<UserId> = self.notifications.values().map(|one| one.user).collect();
        let mut beyond = Vec::new();
        for user in users {
            let of_user = self.notifications.values().filter(|one| one.user == user && !gone.contains(&one.id));
            let mut newest: Vec<_> = of_user.map(|one| (one.created_at, one.id)).collect();
            newest.sort_unstable_by(|one, other| other.cmp(one));
            beyond.extend(newest.into_iter().skip(keep).map(|(_, id)| id));
        }
        gone.extend(beyond.into_iter().take(limit));
        self.remove(&gone);
        gone.len() as u64
    }
}

impl AsMut<Vec<OutgoingMail>> for State {
    fn as_mut(&mut self) -> &mut Vec<OutgoingMail> {
        &mut self.mails
    }
}

pub(super) fn kept_notification(notification: &Notification) -> Notification {
    Notification {
        created_at: micros(notification.created_at),
        expires_at: notification.expires_at.map(micros),
        ..notification.clone()
    }
}

pub(super) fn kept_delivery(delivery: &Delivery) -> KeptDelivery {
    let due = micros(delivery.due);
    let fired = delivery.fired.as_ref().map(|fired| FiredAlert { at: micros(fired.at), ..fired.clone() });
    KeptDelivery { delivery: Delivery { due, fired, ..delivery.clone() }, state: MailState::Waiting, attempts: 0, due }
}
