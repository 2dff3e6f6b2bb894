//! Letters on fakes, in virtual time.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod evaluating;
mod leaving;
mod resealing;

use std::sync::Arc;

use async_trait::async_trait;
use coinlink_application::notifications::{DeliverMail, Delivered, Fate, PruneMail};
use coinlink_domain::{
    notifications::{NotificationSettings, QuietHours},
    shared::{mail::OutgoingMail, user_id::UserId},
};
use coinlink_ports::{
    notifications::{MailSender, NotificationsStore as _, SendError},
    shared::{Clock, SecretBoxError, StoreError},
};
use coinlink_testkit::{
    notifications::{MailState, MemoryMailQueue, MemoryNotifications, RecordingMail, a_letter, a_notification},
    shared::StoppedClock,
};
use futures_util::future::join_all;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

const USER: UserId = UserId(Uuid::from_u128(7));

struct Post {
    queue: Arc<MemoryMailQueue>,
    mail: Arc<RecordingMail>,
    notifications: MemoryNotifications,
    clock: Arc<StoppedClock>,
    deliver: DeliverMail,
}

/// An hour after the first letters were asked for.
fn post(letters: u32) -> Post {
    let (queue, mail) = (Arc::new(MemoryMailQueue::default()), Arc::new(RecordingMail::default()));
    (0..letters).for_each(|n| queue.post(&a_letter(n)));
    let notifications = MemoryNotifications::default();
    let clock = Arc::new(StoppedClock::at(a_letter(0).created_at + Duration::HOUR));
    let deliver = DeliverMail::new(queue.clone(), mail.clone(), Arc::new(notifications.clone()), clock.clone());
    Post { queue, mail, notifications, clock, deliver }
}

fn none() -> Arc<MemoryNotifications> {
    Arc::new(MemoryNotifications::default())
}

/// Delivers what is due, as many at a time as there are places.
async fn run(deliver: &DeliverMail) -> Result<Vec<Delivered>, StoreError> {
    let claimed = deliver.claim(DeliverMail::AT_ONCE).await?;
    join_all(claimed.into_iter().map(|letter| deliver.deliver(letter))).await.into_iter().collect()
}

impl Post {
    async fn fates(&self) -> Vec<Fate> {
        run(&self.deliver).await.unwrap().into_iter().map(|Delivered { fate, .. }| fate).collect()
    }

    fn state(&self, id: Uuid) -> MailState {
        self.queue.record(id).unwrap().state
    }

    fn now(&self) -> OffsetDateTime {
        self.clock.now()
    }

    fn sent(&self) -> Vec<Uuid> {
        self.mail.sent().iter().map(|mail| mail.id).collect()
    }
}

fn temporary() -> SendError {
    SendError::Temporary("451".to_owned())
}

#[tokio::test]
async fn what_is_due_is_handed_over_once_some_at_a_time() {
    let post = post(20);
    let first = run(&post.deliver).await.unwrap();
    assert_eq!(first.len(), DeliverMail::AT_ONCE);
    assert!(first.iter().all(|letter| letter.template == "verify_email" && letter.fate == Fate::Sent));
    while !post.fates().await.is_empty() {}
    assert_eq!(post.sent(), (0..20).map(|n| a_letter(n).id).collect::<Vec<_>>());
    assert_eq!(post.mail.sent()[3], a_letter(3));
    assert!((0..20).all(|n| post.state(a_letter(n).id) == MailState::Sent(post.now())));
}

#[tokio::test]
async fn a_refused_letter_is_tried_again_later_and_holds_up_no_other() {
    let post = post(2);
    let letter = a_letter(0);
    post.mail.refuse(&letter.to, temporary());
    assert_eq!(post.fates().await, [Fate::Postponed, Fate::Sent]);
    let record = post.queue.record(letter.id).unwrap();
    assert_eq!((record.due - post.now(), record.error.as_deref()), (Duration::seconds(30), Some("451")));
    post.mail.accept(&letter.to);
    assert_eq!(post.fates().await, []);
    post.clock.advance(Duration::seconds(30));
    assert_eq!(post.fates().await, [Fate::Sent]);
}

#[tokio::test]
async fn a_letter_that_is_refused_again_and_again_is_dead_after_ten_attempts() {
    let post = post(1);
    let letter = a_letter(0);
    post.mail.refuse(&letter.to, temporary());
    let mut fates = Vec::new();
    while post.state(letter.id) == MailState::Waiting {
        fates.extend(post.fates().await);
        post.clock.advance(Duration::HOUR);
    }
    assert_eq!((fates.len(), fates.last()), (10, Some(&Fate::Dead)));
    assert!(post.queue.record(letter.id).unwrap().mail.fields.is_empty());
}

#[tokio::test]
async fn what_is_refused_for_good_or_cannot_be_opened_is_dead_at_once_and_others_go_on() {
    let post = post(4);
    post.mail.refuse(&a_letter(0).to, SendError::Permanent("550 5.1.1".to_owned()));
    post.queue.damage(a_letter(1).id, || SecretBoxError::Forged);
    post.queue.damage(a_letter(2).id, || SecretBoxError::UnknownKey("0badc0de".to_owned()));
    // A key that is not here may be on another node, or back after the next start.
    assert_eq!(post.fates().await, [Fate::Dead, Fate::Dead, Fate::Postponed, Fate::Sent]);
    assert_eq!(post.queue.record(a_letter(0).id).unwrap().error.as_deref(), Some("550 5.1.1"));
}

/// Between handing over and marking: the letter comes once more when the lease is over, and no more than once.
#[tokio::test]
async fn a_node_that_is_gone_before_it_marks_a_letter_costs_one_duplicate_and_loses_nothing() {
    /// Hands over, and never comes back.
    struct Gone(Arc<RecordingMail>);
    #[async_trait]
    impl MailSender for Gone {
        async fn send(&self, mail: &OutgoingMail) -> Result<(), SendError> {
            self.0.send(mail).await?;
            std::future::pending().await
        }
    }
    let post = post(1);
    let dies = DeliverMail::new(post.queue.clone(), Arc::new(Gone(post.mail.clone())), none(), post.clock.clone());
    let killed = tokio::time::timeout(std::time::Duration::from_millis(20), run(&dies)).await;
    assert!(killed.is_err());
    assert_eq!(post.fates().await, [], "the lease is not over");
    post.clock.advance(Duration::minutes(2));
    assert_eq!(post.fates().await, [Fate::Sent]);
    post.clock.advance(Duration::DAY);
    assert_eq!(post.fates().await, []);
    assert_eq!(post.sent(), [a_letter(0).id; 2]);
}

/// One that brings down whoever tries it is given up without being tried an eleventh time.
#[tokio::test]
async fn a_letter_whose_attempts_never_end_is_dead_some_day() {
    let post = post(1);
    for _ in 0..10 {
        let claimed = coinlink_ports::notifications::MailQueue::claim(&*post.queue, post.now(), Duration::minutes(2), 1).await;
        assert_eq!(claimed.unwrap().len(), 1);
        post.clock.advance(Duration::minutes(2));
    }
    assert_eq!(post.fates().await, [Fate::Dead]);
    assert!(post.sent().is_empty());
}

#[tokio::test]
async fn a_letter_that_could_not_be_marked_is_marked_by_the_next_run_and_not_sent_again() {
    /// The store goes away while letters are handed over.
    struct Away(Arc<RecordingMail>, Arc<MemoryMailQueue>);
    #[async_trait]
    impl MailSender for Away {
        async fn send(&self, mail: &OutgoingMail) -> Result<(), SendError> {
            self.1.set_away(true);
            self.0.send(mail).await
        }
    }
    let post = post(2);
    let sender = Arc::new(Away(post.mail.clone(), post.queue.clone()));
    let deliver = DeliverMail::new(post.queue.clone(), sender, none(), post.clock.clone());
    run(&deliver).await.unwrap_err();
    run(&deliver).await.unwrap_err();
    post.queue.set_away(false);
    run(&deliver).await.unwrap();
    post.clock.advance(Duration::DAY);
    run(&deliver).await.unwrap();
    assert_eq!(post.sent(), [a_letter(0).id, a_letter(1).id]);
    assert!((0..2).all(|n| matches!(post.state(a_letter(n).id), MailState::Sent(_))));
}

/// A letter of notification number `n`, and the notification.
async fn told(post: &Post, n: u32) -> Uuid {
    let notification = a_notification(USER, n);
    let mut tx = post.notifications.begin().await.unwrap();
    tx.inbox().add(&notification).await.unwrap();
    tx.commit().await.unwrap();
    let letter = OutgoingMail::new(notification.id.0, "ada@example.org", "price_alert", notification.created_at);
    post.queue.post(&letter);
    letter.id
}

#[tokio::test]
async fn letters_of_a_notification_that_was_removed_or_whose_account_was_locked_are_not_sent() {
    let post = post(0);
    let (sent, removed) = (told(&post, 1).await, told(&post, 2).await);
    let mut tx = post.notifications.begin().await.unwrap();
    assert!(tx.inbox().remove(USER, a_notification(USER, 2).id, post.now()).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(post.fates().await, [Fate::Sent, Fate::Dead]);
    assert_eq!((post.sent(), post.state(removed)), (vec![sent], MailState::Dead(post.now())));
    told(&post, 3).await;
    post.notifications.put_locked(USER);
    assert_eq!(post.fates().await, [Fate::Dead]);
    assert_eq!(post.sent(), [sent]);
}

#[tokio::test]
async fn a_letter_that_failed_is_tried_again_after_quiet_hours() {
    let post = post(0);
    let id = told(&post, 1).await;
    let soon = post.now() + Duration::seconds(10);
    let text = |at: OffsetDateTime| format!("{:02}:{:02}", at.hour(), at.minute());
    let quiet_hours = Some(QuietHours::try_new(&text(soon), &text(soon + Duration::hours(2))).unwrap());
    let mut tx = post.notifications.begin().await.unwrap();
    tx.reaches().save_settings(USER, &NotificationSettings { quiet_hours, ..Default::default() }).await.unwrap();
    tx.commit().await.unwrap();
    post.mail.refuse("ada@example.org", temporary());
    assert_eq!(post.fates().await, [Fate::Postponed]);
    let due = post.queue.record(id).unwrap().due;
    assert_eq!(text(due), text(soon + Duration::hours(2)));
}

#[tokio::test]
async fn sent_letters_are_kept_for_thirty_days_and_dead_ones_for_ninety() {
    let post = post(3);
    post.mail.refuse(&a_letter(1).to, SendError::Permanent("550".to_owned()));
    post.mail.refuse(&a_letter(2).to, temporary());
    assert_eq!(post.fates().await, [Fate::Sent, Fate::Dead, Fate::Postponed]);
    let prune = PruneMail { queue: post.queue.clone(), clock: post.clock.clone() };
    let kept = async |days: i64| {
        post.clock.advance(Duration::days(days));
        assert!(!prune.execute().await.unwrap());
        (0..3).filter(|n| post.queue.record(a_letter(*n).id).is_some()).collect::<Vec<_>>()
    };
    assert_eq!(kept(30).await, [0, 1, 2]);
    assert_eq!(kept(1).await, [1, 2]);
    assert_eq!(kept(59).await, [1, 2]);
    assert_eq!(kept(1).await, [2], "what waits is never removed");
}
