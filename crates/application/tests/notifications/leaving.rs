//! What is left goes where its user wants it, when its user wants it.

use std::sync::Arc;

use coinlink_application::notifications::{
    DeliverToSockets, DeliverToWebhooks, Fate, KeepWebhooks, MOST_LETTERS_AN_HOUR, TestWebhookError, leave, leave_fired,
};
use coinlink_domain::{
    market::Price,
    notifications::{
        Channel, Notification, NotificationKind, NotificationSettings, Priority, QuietHours, Switches, TestRefused, Webhook,
        alerts::AlertCondition, signature,
    },
    shared::user_id::UserId,
};
use coinlink_embedded::EmbeddedLiveEvents;
use coinlink_ports::{
    notifications::{
        DeliveryQueue as _, LiveEvent, LiveEvents as _, NotificationsStore as _, SendError, WebhookAddress, WebhookCall,
        WebhookRefused, WebhookSender,
    },
    shared::Clock as _,
};
use coinlink_testkit::{
    notifications::{MemoryNotifications, a_firing, a_notification},
    shared::{CountingEntropy, PlainSecretBox, StoppedClock},
};
use time::{Duration, OffsetDateTime, macros::datetime};
use uuid::Uuid;

const USER: UserId = UserId(Uuid::from_u128(7));
const NOON: OffsetDateTime = datetime!(2026-11-21 12:00:10 UTC);
const ADDRESS: &str = "ada@example.org";

async fn left_at(store: &MemoryNotifications, notification: &Notification, now: OffsetDateTime) {
    let mut tx = store.begin().await.unwrap();
    leave(&mut *tx, notification, now).await.unwrap();
    tx.commit().await.unwrap();
}

async fn set(store: &MemoryNotifications, settings: NotificationSettings) {
    let mut tx = store.begin().await.unwrap();
    tx.reaches().save_settings(USER, &settings).await.unwrap();
    tx.commit().await.unwrap();
}

fn addressed() -> MemoryNotifications {
    let store = MemoryNotifications::default();
    store.put_address(USER, ADDRESS);
    store
}

/// Answers what it is told to, and remembers what it was called with.
#[derive(Default)]
struct Receiver {
    refuses: std::sync::Mutex<Option<SendError>>,
    signatures: std::sync::Mutex<Vec<String>>,
}

#[async_trait::async_trait]
impl WebhookSender for Receiver {
    async fn address(&self, url: &str) -> Result<WebhookAddress, WebhookRefused> {
        let host = url.strip_prefix("https://").ok_or(WebhookRefused::Scheme)?.to_owned();
        Ok(WebhookAddress { url: url.to_owned(), host })
    }

    async fn send(&self, call: WebhookCall<'_>) -> Result<(), SendError> {
        self.signatures.lock().unwrap().push(signature(call.secret, call.at, call.notification.id.to_string().as_bytes()));
        self.refuses.lock().unwrap().clone().map_or(Ok(()), Err)
    }
}

struct Hooked {
    store: MemoryNotifications,
    clock: Arc<StoppedClock>,
    receiver: Arc<Receiver>,
    keep: KeepWebhooks,
    deliver: DeliverToWebhooks,
}

fn hooked() -> Hooked {
    let (store, clock, receiver) = (addressed(), Arc::new(StoppedClock::at(NOON)), Arc::new(Receiver::default()));
    let secrets = Arc::new(PlainSecretBox::default());
    let keep = KeepWebhooks {
        store: Arc::new(store.clone()),
        sender: receiver.clone(),
        secrets: secrets.clone(),
        entropy: Arc::new(CountingEntropy::default()),
        clock: clock.clone(),
    };
    let deliver = DeliverToWebhooks {
        queue: Arc::new(store.clone()),
        store: Arc::new(store.clone()),
        sender: receiver.clone(),
        secrets,
        clock: clock.clone(),
    };
    Hooked { store, clock, receiver, keep, deliver }
}

impl Hooked {
    async fn fates(&self) -> Vec<Fate> {
        let mut fates = Vec::new();
        for one in self.deliver.claim(DeliverToWebhooks::AT_ONCE, &[]).await.unwrap() {
            fates.push(self.deliver.deliver(one).await.unwrap());
        }
        fates
    }

    async fn hook(&self) -> Webhook {
        self.store.webhooks(USER).await.unwrap().remove(0)
    }
}

#[tokio::test]
async fn what_is_left_is_in_the_inbox_on_its_way_and_in_a_letter() {
    let store = addressed();
    let notification = a_notification(USER, 1);
    left_at(&store, &notification, NOON).await;
    assert_eq!(store.notifications(), std::slice::from_ref(&notification));
    assert_eq!(store.deliveries().len(), 1);
    let letter = store.mails().remove(0);
    assert_eq!((letter.id, &*letter.to, &*letter.template, letter.created_at), (notification.id.0, ADDRESS, "price_alert", NOON));
    assert_eq!(letter.fields["message"], notification.message);
    left_at(&store, &Notification { kind: NotificationKind::NewsUpdate, ..a_notification(USER, 2) }, NOON).await;
    assert_eq!(store.mails()[1].template, "notification");
}

#[tokio::test]
async fn what_a_user_does_not_want_lies_in_the_inbox_alone() {
    let store = addressed();
    set(&store, NotificationSettings { price_alerts: false, ..NotificationSettings::default() }).await;
    left_at(&store, &a_notification(USER, 1), NOON).await;
    assert_eq!((store.notifications().len(), store.deliveries().len(), store.mails().len()), (1, 0, 0));
    set(&store, NotificationSettings { email_enabled: false, ..NotificationSettings::default() }).await;
    left_at(&store, &a_notification(USER, 2), NOON).await;
    assert_eq!((store.deliveries().len(), store.mails().len()), (1, 0));
    set(&store, NotificationSettings { push_enabled: false, ..NotificationSettings::default() }).await;
    left_at(&store, &a_notification(USER, 3), NOON).await;
    assert_eq!((store.notifications().len(), store.deliveries().len(), store.mails().len()), (3, 1, 1));
}

#[tokio::test]
async fn quiet_hours_hold_back_mail_and_webhooks_until_they_end_and_sockets_and_the_critical_not_at_all() {
    let it = hooked();
    it.keep.add(USER, "https://hooks.example.org").await.unwrap();
    let quiet_hours = Some(QuietHours::try_new("11:00", "13:00").unwrap());
    set(&it.store, NotificationSettings { quiet_hours, ..NotificationSettings::default() }).await;
    left_at(&it.store, &a_notification(USER, 1), NOON).await;
    left_at(&it.store, &Notification { priority: Priority::Critical, ..a_notification(USER, 2) }, NOON).await;
    let end = datetime!(2026-11-21 13:00 UTC);
    let due = |n: u32, is_socket: bool| {
        let of = |one: &&coinlink_domain::notifications::Delivery| {
            one.notification == a_notification(USER, n).id && (one.channel == Channel::Socket) == is_socket
        };
        it.store.deliveries().iter().find(of).unwrap().due
    };
    assert_eq!((due(1, true), due(1, false), due(2, false)), (NOON, end, NOON));
    let alerts = it.store.mails().into_iter().filter(|mail| mail.template == "price_alert");
    assert_eq!(alerts.map(|mail| mail.created_at).collect::<Vec<_>>(), [end, NOON]);
    assert_eq!(it.fates().await, [Fate::Sent], "the critical one");
    it.clock.advance(Duration::HOUR);
    assert_eq!(it.fates().await, [Fate::Sent], "the other is not lost");
}

#[tokio::test]
async fn whoever_is_locked_is_told_nothing_not_even_what_was_left_before() {
    let it = hooked();
    it.keep.add(USER, "https://hooks.example.org").await.unwrap();
    let (events, letters) = (Arc::new(EmbeddedLiveEvents::default()), it.store.mails().len());
    let queue = Arc::new(it.store.clone());
    let to_sockets = DeliverToSockets { store: queue.clone(), queue, events: events.clone(), clock: it.clock.clone() };
    to_sockets.execute().await.unwrap();
    let mut listener = events.subscribe().await.unwrap();
    left_at(&it.store, &a_notification(USER, 1), NOON).await;
    it.store.put_locked(USER);
    left_at(&it.store, &a_notification(USER, 2), NOON).await;
    assert_eq!((it.store.notifications().len(), it.store.mails().len()), (3, letters + 1));
    assert_eq!((it.fates().await, to_sockets.execute().await.unwrap()), (vec![Fate::Dead], vec![Fate::Dead]));
    assert_eq!((listener.next(Duration::ZERO).await.unwrap(), it.receiver.signatures.lock().unwrap().len()), (None, 0));
    assert_eq!(it.hook().await.failures, 0, "it is no fault of the webhook");
}

#[tokio::test]
async fn a_webhook_of_before_the_account_was_secured_hears_nothing_more() {
    let it = hooked();
    let (hook, _) = it.keep.add(USER, "https://hooks.example.org").await.unwrap();
    left_at(&it.store, &a_notification(USER, 1), NOON).await;
    it.store.put_secured(USER, NOON);
    left_at(&it.store, &a_notification(USER, 2), NOON).await;
    assert_eq!(it.fates().await, [Fate::Dead]);
    assert_eq!(it.receiver.signatures.lock().unwrap().len(), 0);
    let hook = Webhook { disabled_at: Some(NOON), ..hook };
    assert_eq!(it.hook().await, hook);
    it.clock.advance(Duration::MICROSECOND);
    it.keep.add(USER, "https://new.example.org").await.unwrap();
    left_at(&it.store, &a_notification(USER, 3), it.clock.now()).await;
    assert_eq!(it.fates().await, [Fate::Sent], "one that was made afterwards");
}

#[tokio::test]
async fn a_new_webhook_is_told_of_by_letter_whatever_is_set() {
    let it = hooked();
    let off = NotificationSettings { email_enabled: false, push_enabled: false, security_alerts: false, ..Default::default() };
    set(&it.store, off).await;
    it.store.put_switches(USER, Switches { anything: false, ..Switches::default() });
    it.keep.add(USER, "https://hooks.example.org").await.unwrap();
    let (letter, notice) = (it.store.mails().remove(0), it.store.notifications().remove(0));
    assert_eq!((&*letter.template, &*letter.to, letter.created_at), ("security_alert", ADDRESS, NOON));
    assert!(letter.fields["message"].contains("hooks.example.org") && notice.kind == NotificationKind::SecurityAlert);
    assert_eq!((it.store.mails().len(), it.store.deliveries().len()), (1, 0));
}

#[tokio::test]
async fn what_is_sent_is_what_both_the_preferences_and_the_settings_allow() {
    let store = addressed();
    let counts = || (store.notifications().len(), store.deliveries().len(), store.mails().len());
    let news = |n| Notification { kind: NotificationKind::NewsUpdate, ..a_notification(USER, n) };
    store.put_switches(USER, Switches { alert_letters: false, ..Switches::default() });
    left_at(&store, &a_notification(USER, 1), NOON).await;
    left_at(&store, &news(2), NOON).await;
    assert_eq!(counts(), (2, 2, 1), "no letter of the alert");
    store.put_switches(USER, Switches { price_alerts: false, ..Switches::default() });
    left_at(&store, &a_notification(USER, 3), NOON).await;
    left_at(&store, &news(4), NOON).await;
    assert_eq!(counts(), (4, 3, 2));
    store.put_switches(USER, Switches { anything: false, ..Switches::default() });
    left_at(&store, &news(5), NOON).await;
    assert_eq!(counts(), (5, 3, 2));
}

#[tokio::test]
async fn quiet_hours_hold_for_what_is_tried_again() {
    let it = hooked();
    it.keep.add(USER, "https://hooks.example.org").await.unwrap();
    let quiet_hours = Some(QuietHours::try_new("12:01", "13:00").unwrap());
    set(&it.store, NotificationSettings { quiet_hours, ..NotificationSettings::default() }).await;
    *it.receiver.refuses.lock().unwrap() = Some(SendError::Temporary("it answers 500".to_owned()));
    left_at(&it.store, &a_notification(USER, 1), NOON).await;
    assert_eq!(it.fates().await, [Fate::Postponed]);
    it.clock.advance(datetime!(2026-11-21 12:59:59.999999 UTC) - NOON);
    assert_eq!(it.fates().await, []);
    it.clock.advance(Duration::MICROSECOND);
    assert_eq!(it.fates().await, [Fate::Postponed]);
}

#[tokio::test]
async fn letters_that_wait_for_the_end_of_quiet_hours_keep_no_critical_one_from_being_sent() {
    let store = addressed();
    let quiet_hours = Some(QuietHours::try_new("11:00", "12:30").unwrap());
    set(&store, NotificationSettings { quiet_hours, ..NotificationSettings::default() }).await;
    for n in 1..=12 {
        left_at(&store, &a_notification(USER, n), NOON).await;
    }
    assert_eq!(store.mails().len() as u64, MOST_LETTERS_AN_HOUR);
    left_at(&store, &Notification { priority: Priority::Critical, ..a_notification(USER, 13) }, NOON).await;
    let last = store.mails().pop().unwrap();
    assert_eq!((last.created_at, last.id), (NOON, a_notification(USER, 13).id.0));
}

#[tokio::test]
async fn the_tenth_letter_within_an_hour_says_that_it_is_the_last_and_is() {
    let store = addressed();
    for n in 1..=12 {
        left_at(&store, &a_notification(USER, n), NOON).await;
    }
    let letters = store.mails();
    assert_eq!((letters.len() as u64, store.notifications().len()), (MOST_LETTERS_AN_HOUR, 12));
    let noted: Vec<_> = letters.iter().map(|mail| !mail.fields["note"].is_empty()).collect();
    assert_eq!(noted, (1..=10).map(|n| n == 10).collect::<Vec<_>>());
    left_at(&store, &a_notification(USER, 13), NOON + Duration::HOUR + Duration::MICROSECOND).await;
    assert_eq!(store.mails().len(), 11);
}

#[tokio::test]
async fn whoever_has_no_confirmed_address_gets_no_letter() {
    let store = MemoryNotifications::default();
    left_at(&store, &a_notification(USER, 1), NOON).await;
    assert_eq!((store.deliveries().len(), store.mails().len()), (1, 0));
}

#[tokio::test]
async fn sockets_are_told_of_the_firing_and_of_the_notification_and_once() {
    let (store, events) = (addressed(), Arc::new(EmbeddedLiveEvents::default()));
    let fired = a_firing(AlertCondition::Above(Price::try_new(65_000.into()).unwrap()));
    let mut tx = store.begin().await.unwrap();
    leave_fired(&mut *tx, &a_notification(USER, 1), &fired, NOON).await.unwrap();
    tx.commit().await.unwrap();
    let mut listener = events.subscribe().await.unwrap();
    let clock = Arc::new(StoppedClock::at(NOON));
    let deliver = DeliverToSockets { queue: Arc::new(store.clone()), store: Arc::new(store.clone()), events, clock };
    assert_eq!(deliver.execute().await.unwrap(), [Fate::Sent]);
    assert_eq!(deliver.execute().await.unwrap(), []);
    let mut heard = Vec::new();
    while let Some((user, event)) = listener.next(Duration::ZERO).await.unwrap() {
        assert_eq!(user, USER);
        heard.push((*event).clone());
    }
    assert_eq!(heard, [LiveEvent::AlertFired(fired), LiveEvent::Notice(a_notification(USER, 1))]);
}

/// A crash between publishing and marking, at each call of the store: nothing is lost, and what comes twice is the same.
#[tokio::test]
async fn what_was_told_and_could_not_be_marked_is_told_again() {
    for calls in 0..4 {
        let (store, events) = (addressed(), Arc::new(EmbeddedLiveEvents::default()));
        left_at(&store, &a_notification(USER, 1), NOON).await;
        let mut listener = events.subscribe().await.unwrap();
        let clock = Arc::new(StoppedClock::at(NOON));
        let deliver =
            DeliverToSockets { queue: Arc::new(store.clone()), store: Arc::new(store.clone()), events, clock: clock.clone() };
        store.fail_after(calls);
        let _ = deliver.execute().await;
        store.recover();
        clock.advance(Duration::MINUTE);
        deliver.execute().await.unwrap();
        let mut heard = 0;
        while let Some((_, event)) = listener.next(Duration::ZERO).await.unwrap() {
            assert_eq!(*event, LiveEvent::Notice(a_notification(USER, 1)));
            heard += 1;
        }
        assert!((1..=2).contains(&heard), "{calls}: {heard}");
    }
}

#[tokio::test]
async fn a_webhook_is_signed_with_the_secret_that_was_shown_once() {
    let it = hooked();
    let (hook, secret) = it.keep.add(USER, "https://hooks.example.org").await.unwrap();
    assert!(secret.0.starts_with("whsec_") && secret.0.len() == 70);
    assert!(!format!("{hook:?}").contains(&secret.0[6..]));
    let id = it.keep.test(USER, hook.id).await.unwrap();
    assert_eq!(it.fates().await, [Fate::Sent]);
    assert_eq!(*it.receiver.signatures.lock().unwrap(), [signature(secret.0.as_bytes(), NOON, id.to_string().as_bytes())]);
    assert_eq!(it.store.mails().len(), 1, "a test goes to the webhook alone; the letter is of the webhook itself");
}

#[tokio::test]
async fn a_test_is_for_ones_own_webhook_in_use() {
    let it = hooked();
    let (hook, _) = it.keep.add(USER, "https://hooks.example.org").await.unwrap();
    let stranger = UserId(Uuid::from_u128(8));
    assert!(matches!(it.keep.test(stranger, hook.id).await, Err(TestWebhookError::NoSuch)));
    assert!(!it.keep.remove(stranger, hook.id).await.unwrap());
    assert!(it.keep.remove(USER, hook.id).await.unwrap());
    assert!(matches!(it.keep.test(USER, hook.id).await, Err(TestWebhookError::NoSuch)));
}

#[tokio::test]
async fn a_webhook_is_not_tested_while_a_test_waits_nor_more_often_than_every_twelve_seconds() {
    let it = hooked();
    let (hook, _) = it.keep.add(USER, "https://hooks.example.org").await.unwrap();
    let refused = async || match it.keep.test(USER, hook.id).await {
        Err(TestWebhookError::NotNow(why)) => why,
        other => panic!("{other:?}"),
    };
    it.keep.test(USER, hook.id).await.unwrap();
    it.clock.advance(Duration::MINUTE);
    assert_eq!(refused().await, TestRefused::Waits);
    assert_eq!(it.store.deliveries().len(), 2, "and that there is a webhook, for sockets");
    *it.receiver.refuses.lock().unwrap() = Some(SendError::Temporary("it answers 500".to_owned()));
    assert_eq!(it.fates().await, [Fate::Postponed]);
    it.keep.test(USER, hook.id).await.unwrap();
    assert_eq!(it.fates().await, [Fate::Postponed]);
    it.clock.advance(Duration::seconds(2));
    assert_eq!(refused().await, TestRefused::TooSoon { after: Duration::seconds(10) });
    it.clock.advance(Duration::HOUR);
    assert_eq!(it.fates().await, [Fate::Postponed], "the first does not go any more");
    assert_eq!(it.fates().await, []);
    let calls = it.hook().await.calls;
    assert_eq!((calls.last_error.as_deref(), calls.last_at), (Some("it answers 500"), Some(it.clock.now())));
}

#[tokio::test]
async fn a_webhook_that_fails_is_called_eight_times_and_then_given_up() {
    let it = hooked();
    let (hook, _) = it.keep.add(USER, "https://hooks.example.org").await.unwrap();
    it.keep.test(USER, hook.id).await.unwrap();
    *it.receiver.refuses.lock().unwrap() = Some(SendError::Temporary("it answers 500".to_owned()));
    for wait in Webhook::WAITS {
        assert_eq!(it.fates().await, [Fate::Postponed]);
        it.clock.advance(wait - Duration::MICROSECOND);
        assert_eq!(it.fates().await, []);
        it.clock.advance(Duration::MICROSECOND);
    }
    assert_eq!(it.fates().await, [Fate::Dead]);
    assert_eq!((it.hook().await.failures, it.receiver.signatures.lock().unwrap().len()), (1, 8));
    assert_eq!(it.store.delivery_counts().await.unwrap().webhooks.dead, 1);
}

#[tokio::test]
async fn a_webhook_that_took_nothing_five_times_in_a_row_is_not_used_any_more() {
    let it = hooked();
    let (hook, _) = it.keep.add(USER, "https://hooks.example.org").await.unwrap();
    *it.receiver.refuses.lock().unwrap() = Some(SendError::Permanent("it is gone".to_owned()));
    for _ in 0..=Webhook::MOST_FAILURES {
        it.clock.advance(Webhook::BETWEEN_TESTS);
        let _ = it.keep.test(USER, hook.id).await;
        it.fates().await;
    }
    assert_eq!(it.hook().await.disabled_at, Some(it.clock.now() - Webhook::BETWEEN_TESTS));
    assert_eq!(u32::try_from(it.receiver.signatures.lock().unwrap().len()), Ok(Webhook::MOST_FAILURES));
    left_at(&it.store, &a_notification(USER, 1), NOON).await;
    assert_eq!(it.fates().await, []);
}
