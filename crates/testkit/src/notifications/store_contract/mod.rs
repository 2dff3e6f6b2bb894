//! What every [`NotificationsStore`] and [`DeliveryQueue`] must do. Run by the fake and by the SQL store on each database.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod deliveries;

use std::{any::Any, collections::HashMap, sync::Arc};

use coinlink_domain::{
    notifications::{
        Channel, ClockOffset, Delivery, Notification, NotificationKind, NotificationSettings, Priority, QuietHours, Switches,
        Webhook, WebhookId,
    },
    shared::{mail::OutgoingMail, sealed::Sealed, user_id::UserId},
};
use coinlink_ports::{
    notifications::{DeliveryQueue, InboxQuery, NotificationsStore, Standing},
    shared::StoreError,
};
use futures_util::future::join_all;
use time::{Duration, OffsetDateTime, macros::datetime};

use super::{a_notification, a_webhook};

pub use deliveries::*;

const NOON: OffsetDateTime = datetime!(2026-11-21 12:00:00.000001 UTC);
const LATER: OffsetDateTime = datetime!(2026-11-21 13:00 UTC);
const LEASE: Duration = Duration::minutes(1);
const ALL: InboxQuery = InboxQuery { kind: None, unread_only: false, limit: 100, offset: 0 };

/// An empty store, and users that it may name: two with an address of their own, then one whose address is not confirmed.
#[derive(Clone)]
pub struct NotificationsUnderTest {
    /// The store.
    pub store: Arc<dyn NotificationsStore>,
    /// The same, where deliveries are taken.
    pub queue: Arc<dyn DeliveryQueue>,
    /// The users. The address of the first is `one@example.org`.
    pub users: [UserId; 3],
    /// One whose account is locked, with an address of its own.
    pub locked: UserId,
    /// One whose account was secured when [`a_webhook`] number 2 was made, and whose preferences switch letters of alerts and
    /// news off.
    pub secured: UserId,
    /// What has to stay as long as the store is used.
    pub place: Arc<dyn Any + Send + Sync>,
}

impl NotificationsUnderTest {
    async fn left(&self, notification: Notification) -> Notification {
        let mut tx = self.store.begin().await.unwrap();
        tx.inbox().add(&notification).await.unwrap();
        tx.commit().await.unwrap();
        notification
    }

    async fn sent(&self, user: UserId, n: u32, channel: Channel) -> Delivery {
        let notification = self.left(a_notification(user, n)).await;
        self.on_its_way(&notification, channel).await
    }

    async fn on_its_way(&self, notification: &Notification, channel: Channel) -> Delivery {
        let (user, due) = (notification.user, notification.created_at);
        let delivery = Delivery { notification: notification.id, user, channel, fired: None, due };
        let mut tx = self.store.begin().await.unwrap();
        tx.inbox().send(&delivery).await.unwrap();
        tx.commit().await.unwrap();
        delivery
    }

    async fn hooked(&self, user: UserId, n: u32) -> Webhook {
        let hook = a_webhook(user, n);
        let mut tx = self.store.begin().await.unwrap();
        tx.reaches().add_webhook(&hook).await.unwrap();
        tx.commit().await.unwrap();
        hook
    }

    async fn inbox(&self, user: UserId, query: InboxQuery) -> Vec<Notification> {
        self.store.inbox(user, query, LATER).await.unwrap()
    }

    async fn mark_read(&self, user: UserId, notification: &Notification, now: OffsetDateTime) -> bool {
        let mut tx = self.store.begin().await.unwrap();
        let found = tx.inbox().mark_read(user, notification.id, now).await.unwrap();
        tx.commit().await.unwrap();
        found
    }

    async fn remove(&self, user: UserId, notification: &Notification) -> bool {
        let mut tx = self.store.begin().await.unwrap();
        let found = tx.inbox().remove(user, notification.id, LATER).await.unwrap();
        tx.commit().await.unwrap();
        found
    }
}

pub async fn a_notification_lies_in_the_inbox_as_it_was_left(it: NotificationsUnderTest) {
    let [user, other, _] = it.users;
    let bare = Notification { action_url: None, facts: Vec::new(), ..a_notification(user, 1) };
    let bare = it.left(bare).await;
    let full = Notification { expires_at: Some(LATER + Duration::MICROSECOND), ..a_notification(user, 2) };
    let full = it.left(full).await;
    assert_eq!(it.inbox(user, ALL).await, [full, bare.clone()], "newest first");
    assert_eq!(it.inbox(other, ALL).await, []);
    let mut tx = it.store.begin().await.unwrap();
    assert!(matches!(tx.inbox().add(&bare).await, Err(StoreError::Conflict { .. })));
}

pub async fn an_inbox_is_read_in_parts_by_kind_and_unread_alone(it: NotificationsUnderTest) {
    let [user, ..] = it.users;
    for n in 1..=5 {
        let kind = if n % 2 == 0 { NotificationKind::NewsUpdate } else { NotificationKind::PriceAlert };
        it.left(Notification { kind, ..a_notification(user, n) }).await;
    }
    assert!(it.mark_read(user, &a_notification(user, 3), LATER).await);
    let ns = async |query| {
        let numbered = |one: &Notification| (1..=5).find(|n| a_notification(user, *n).id == one.id).unwrap();
        it.inbox(user, query).await.iter().map(numbered).collect::<Vec<_>>()
    };
    assert_eq!(ns(ALL).await, [5, 4, 3, 2, 1]);
    assert_eq!(ns(InboxQuery { limit: 2, offset: 1, ..ALL }).await, [4, 3]);
    assert_eq!(ns(InboxQuery { kind: Some(NotificationKind::PriceAlert), ..ALL }).await, [5, 3, 1]);
    assert_eq!(ns(InboxQuery { kind: Some(NotificationKind::PriceAlert), unread_only: true, ..ALL }).await, [5, 1]);
    assert_eq!(ns(InboxQuery { kind: Some(NotificationKind::TradeUpdate), ..ALL }).await, [0_u32; 0]);
    assert_eq!(it.store.unread(user, LATER).await.unwrap(), 4);
}

pub async fn what_expired_is_not_there_from_that_microsecond_on(it: NotificationsUnderTest) {
    let [user, ..] = it.users;
    let expires_at = Some(LATER);
    let short = it.left(Notification { expires_at, ..a_notification(user, 1) }).await;
    let before = LATER - Duration::MICROSECOND;
    assert_eq!(it.store.inbox(user, ALL, before).await.unwrap().len(), 1);
    assert_eq!(it.store.unread(user, before).await.unwrap(), 1);
    assert_eq!((it.inbox(user, ALL).await.len(), it.store.unread(user, LATER).await.unwrap()), (0, 0));
    assert!(!it.mark_read(user, &short, LATER).await && !it.remove(user, &short).await);
    assert!(it.mark_read(user, &short, before).await);
}

pub async fn reading_twice_is_reading_once_and_nobody_reads_for_another(it: NotificationsUnderTest) {
    let [user, other, _] = it.users;
    let one = it.left(a_notification(user, 1)).await;
    assert!(!it.mark_read(other, &one, LATER).await && !it.remove(other, &one).await);
    assert!(!it.inbox(user, ALL).await[0].is_read);
    let found = join_all((0..8).map(|_| it.mark_read(user, &one, LATER))).await;
    assert!(found.into_iter().all(|found| found), "each of them has such a one");
    assert!(it.inbox(user, ALL).await[0].is_read);
    assert!(it.remove(user, &one).await && !it.remove(user, &one).await);
    assert!(!it.mark_read(user, &one, LATER).await);
}

pub async fn all_that_were_left_until_then_are_read_at_once(it: NotificationsUnderTest) {
    let [user, other, _] = it.users;
    for n in 1..=3 {
        it.left(a_notification(user, n)).await;
    }
    it.left(a_notification(other, 1)).await;
    let mut tx = it.store.begin().await.unwrap();
    assert_eq!(tx.inbox().mark_all_read(user, a_notification(user, 2).created_at).await.unwrap(), 2);
    assert_eq!(tx.inbox().mark_all_read(user, a_notification(user, 2).created_at).await.unwrap(), 0);
    tx.commit().await.unwrap();
    assert_eq!(it.store.unread(user, LATER).await.unwrap(), 1);
    assert_eq!(it.store.unread(other, LATER).await.unwrap(), 1);
}

pub async fn what_is_not_committed_never_was(it: NotificationsUnderTest) {
    let [user, ..] = it.users;
    let (one, delivery) = (a_notification(user, 1), it.sent(user, 2, Channel::Socket).await);
    let mut tx = it.store.begin().await.unwrap();
    tx.inbox().add(&one).await.unwrap();
    tx.mail().post(&OutgoingMail::new(one.id.0, "one@example.org", "notification", NOON)).await.unwrap();
    drop(tx);
    assert_eq!(it.inbox(user, ALL).await.len(), 1);
    let mut tx = it.store.begin().await.unwrap();
    assert_eq!(tx.mail().posted_within("one@example.org", "notification", NOON, LATER).await.unwrap(), 0);
    assert!(matches!(tx.inbox().send(&delivery).await, Err(StoreError::Conflict { .. })), "it is on that way already");
    tx.inbox().add(&one).await.unwrap_err();
    tx.commit().await.unwrap_err();
}

pub async fn settings_are_replaced_whole_and_tell_how_a_user_is_reached(it: NotificationsUnderTest) {
    let [user, _, unconfirmed] = it.users;
    assert_eq!(it.store.settings(user).await.unwrap(), None);
    let set = NotificationSettings {
        email_enabled: false,
        news_updates: false,
        quiet_hours: Some(QuietHours::try_new("22:00", "08:30").unwrap()),
        clock: ClockOffset::try_new("-03:30").unwrap(),
        ..NotificationSettings::default()
    };
    let hooks = [it.hooked(user, 1).await, it.hooked(user, 2).await];
    let mut tx = it.store.begin().await.unwrap();
    assert_eq!(tx.reaches().of(user).await.unwrap().settings, NotificationSettings::default());
    tx.reaches().save_settings(user, &NotificationSettings::default()).await.unwrap();
    tx.reaches().save_settings(user, &set).await.unwrap();
    let reach = tx.reaches().of(user).await.unwrap();
    assert_eq!((reach.address.as_deref(), &reach.settings), (Some("one@example.org"), &set));
    assert_eq!(reach.webhooks, hooks.map(|hook| hook.id));
    assert_eq!(tx.reaches().of(unconfirmed).await.unwrap().address, None);
    tx.commit().await.unwrap();
    assert_eq!(it.store.settings(user).await.unwrap(), Some(set));
}

pub async fn of_who_is_locked_nothing_is_sent_and_no_webhook_of_before_an_account_was_secured_is_used(
    it: NotificationsUnderTest,
) {
    let secured_at = Some(a_webhook(it.secured, 2).created_at);
    let hooks = [it.hooked(it.secured, 1).await, it.hooked(it.secured, 2).await, it.hooked(it.secured, 3).await];
    let ended: Vec<_> = it.store.webhooks(it.secured).await.unwrap().iter().map(|hook| hook.disabled_at).collect();
    assert_eq!(ended, [secured_at, secured_at, None]);
    let mut tx = it.store.begin().await.unwrap();
    let (locked, secured) = (tx.reaches().of(it.locked).await.unwrap(), tx.reaches().of(it.secured).await.unwrap());
    assert_eq!((locked.is_active, locked.address, locked.switches), (false, None, Switches::default()));
    assert_eq!((secured.is_active, secured.webhooks), (true, vec![hooks[2].id]));
    assert_eq!(secured.switches, Switches { alert_letters: false, news: false, ..Switches::default() });
    let set = NotificationSettings { push_enabled: false, ..NotificationSettings::default() };
    tx.reaches().save_settings(it.secured, &set).await.unwrap();
    tx.commit().await.unwrap();
    let of_locked = it.left(a_notification(it.locked, 1)).await;
    let of_secured = it.left(Notification { priority: Priority::Low, ..a_notification(it.secured, 2) }).await;
    let gone = a_notification(it.users[0], 3).id;
    let standings = it.store.standings(&[of_locked.id, of_secured.id, gone]).await.unwrap();
    let settings = NotificationSettings::default();
    let of_locked = (of_locked.id, Standing { is_active: false, secured_at: None, settings, priority: of_locked.priority });
    let of_secured = (of_secured.id, Standing { is_active: true, secured_at, settings: set, priority: Priority::Low });
    assert_eq!(standings, HashMap::from([of_locked, of_secured]));
}

pub async fn a_webhook_is_found_as_it_was_made_and_removed_by_its_owner(it: NotificationsUnderTest) {
    let [user, other, _] = it.users;
    let hooks = vec![it.hooked(user, 1).await, it.hooked(user, 2).await];
    assert_eq!(it.store.webhooks(user).await.unwrap(), hooks);
    assert_eq!(it.store.webhooks(other).await.unwrap(), []);
    it.sent(user, 1, Channel::Webhook(hooks[0].id)).await;
    let mut tx = it.store.begin().await.unwrap();
    assert_eq!(tx.reaches().count_webhooks(user).await.unwrap(), 2);
    assert!(!tx.reaches().remove_webhook(other, hooks[0].id).await.unwrap());
    assert!(tx.reaches().remove_webhook(user, hooks[0].id).await.unwrap());
    assert!(!tx.reaches().remove_webhook(user, hooks[0].id).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(it.store.webhooks(user).await.unwrap(), hooks[1..]);
    assert_eq!(it.queue.claim_for_webhooks(LATER, LEASE, 10, &[]).await.unwrap(), [], "what was on its way went with it");
}

pub async fn however_many_make_webhooks_at_once_no_user_has_too_many(it: NotificationsUnderTest) {
    let [user, ..] = it.users;
    let makes = (1..=10).map(|n| {
        let it = it.clone();
        tokio::spawn(async move {
            let mut tx = it.store.begin().await?;
            if tx.reaches().count_webhooks(user).await? < Webhook::MOST {
                tx.reaches().add_webhook(&a_webhook(user, n)).await?;
            }
            tx.commit().await
        })
    });
    for made in join_all(makes).await {
        made.unwrap().unwrap();
    }
    assert_eq!(it.store.webhooks(user).await.unwrap().len() as u64, Webhook::MOST);
}

fn sealed(key_id: &str, byte: u8) -> Sealed {
    Sealed { key_id: key_id.to_owned(), bytes: vec![byte; 3] }
}

pub async fn a_webhooks_secret_is_sealed_anew_only_where_it_is_still_the_same(it: NotificationsUnderTest) {
    let [user, ..] = it.users;
    let hooks = [it.hooked(user, 1).await, it.hooked(user, 2).await];
    let (hook, anew) = (&hooks[0], sealed("00000002", 2));
    let reseal = async |id: WebhookId, from: &Sealed| {
        let mut tx = it.store.begin().await.unwrap();
        let done = tx.reaches().reseal_webhook(id, from, &anew).await.unwrap();
        tx.commit().await.unwrap();
        done
    };
    let (other_bytes, other_key) = (sealed("00000001", 9), Sealed { key_id: "00000009".to_owned(), ..hook.secret.clone() });
    assert!(!reseal(hook.id, &other_bytes).await && !reseal(hook.id, &other_key).await);
    assert!(!reseal(a_webhook(user, 3).id, &hook.secret).await);
    assert_eq!(it.store.webhooks(user).await.unwrap(), hooks);
    let of_many = join_all((0..4).map(|_| reseal(hook.id, &hook.secret))).await;
    assert_eq!(of_many.into_iter().filter(|done| *done).count(), 1);
    let [hook, other] = hooks;
    assert_eq!(it.store.webhooks(user).await.unwrap(), [Webhook { secret: anew, ..hook }, other]);
}

pub async fn webhooks_with_secrets_of_earlier_keys_are_told_in_use_or_not(it: NotificationsUnderTest) {
    let mut hooks = Vec::new();
    for (n, key) in (1..).zip(["00000001", "00000002", "00000001", "00000003"]) {
        for user in [it.users[0], it.users[1], it.locked, it.secured] {
            let disabled_at = (n == 2).then_some(NOON);
            let hook = Webhook { secret: sealed(key, 1), disabled_at, ..a_webhook(user, n) };
            let mut tx = it.store.begin().await.unwrap();
            tx.reaches().add_webhook(&hook).await.unwrap();
            tx.commit().await.unwrap();
            hooks.push((hook.id, hook.secret));
        }
    }
    hooks.retain(|(_, secret)| secret.key_id != "00000001");
    hooks.sort_by_key(|(id, _)| *id);
    let told = async |after, limit| it.store.webhooks_sealed_before("00000001", after, limit).await.unwrap();
    assert_eq!(told(None, 100).await, hooks);
    assert_eq!(told(None, 3).await, hooks[..3]);
    assert_eq!(told(Some(hooks[2].0), 100).await, hooks[3..]);
    assert_eq!(told(Some(hooks[7].0), 100).await, []);
}

pub async fn pruning_removes_what_expired_and_what_is_beyond_the_newest(it: NotificationsUnderTest) {
    let [user, other, _] = it.users;
    for n in 1..=6 {
        let expires_at = (n == 6).then_some(NOON + Duration::HOUR);
        it.left(Notification { expires_at, ..a_notification(user, n) }).await;
    }
    it.left(a_notification(other, 1)).await;
    assert_eq!(it.store.prune(NOON + Duration::HOUR, 10, 10).await.unwrap(), 0);
    assert_eq!(it.store.prune(NOON + Duration::HOUR + Duration::MICROSECOND, 10, 10).await.unwrap(), 1);
    assert_eq!(it.store.prune(NOON, 3, 10).await.unwrap(), 2);
    assert_eq!(it.store.prune(NOON, 3, 10).await.unwrap(), 0);
    let left: Vec<_> = it.inbox(user, ALL).await.into_iter().map(|one| one.id).collect();
    assert_eq!(left, [5, 4, 3].map(|n| a_notification(user, n).id));
    assert_eq!(it.inbox(other, ALL).await.len(), 1);
}

/// Runs the suite on `$it`, an expression of type [`NotificationsUnderTest`] that is evaluated anew for each case.
#[macro_export]
macro_rules! notifications_store_contract {
    ($($case:ident),+ $(,)? => $it:expr) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $case() {
            $crate::notifications::store_contract::$case($it).await;
        })+
    };
    ($it:expr) => {
        $crate::notifications_store_contract!(
            a_notification_lies_in_the_inbox_as_it_was_left,
            an_inbox_is_read_in_parts_by_kind_and_unread_alone,
            what_expired_is_not_there_from_that_microsecond_on,
            reading_twice_is_reading_once_and_nobody_reads_for_another,
            all_that_were_left_until_then_are_read_at_once,
            what_is_not_committed_never_was,
            settings_are_replaced_whole_and_tell_how_a_user_is_reached,
            of_who_is_locked_nothing_is_sent_and_no_webhook_of_before_an_account_was_secured_is_used,
            a_webhook_is_found_as_it_was_made_and_removed_by_its_owner,
            however_many_make_webhooks_at_once_no_user_has_too_many,
            a_webhooks_secret_is_sealed_anew_only_where_it_is_still_the_same,
            webhooks_with_secrets_of_earlier_keys_are_told_in_use_or_not,
            a_delivery_to_sockets_is_claimed_once_with_its_notification_and_firing,
            of_many_who_claim_at_once_each_delivery_goes_to_one,
            of_each_users_host_one_is_claimed_and_of_busy_ones_none,
            whoever_was_served_longest_ago_comes_first_however_much_others_have,
            of_a_webhook_what_was_never_tried_goes_before_what_is_tried_again,
            a_webhook_tells_how_its_last_call_went,
            a_test_takes_the_place_of_the_one_before_that_was_tried,
            a_postponed_delivery_comes_again_and_one_that_was_too_slow_decides_nothing,
            a_webhook_that_takes_nothing_is_not_used_any_more_and_one_success_forgives_all,
            deliveries_are_counted_by_way_and_pruned_once_they_ended,
            pruning_removes_what_expired_and_what_is_beyond_the_newest,
            => $it
        );
    };
}
