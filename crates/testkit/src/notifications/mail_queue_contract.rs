//! What every [`MailQueue`] must do. Run by the fake and by the SQL queue on each database.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::{collections::BTreeSet, sync::Arc};

use async_trait::async_trait;
use coinlink_domain::shared::mail::OutgoingMail;
use coinlink_ports::notifications::{ClaimedMail, EndedBefore, MailCounts, MailQueue};
use futures_util::future::join_all;
use time::{Duration, OffsetDateTime, macros::datetime};
use uuid::Uuid;

use super::MemoryMailQueue;

const NOON: OffsetDateTime = datetime!(2026-11-21 12:00:00.000001 UTC);
const LEASE: Duration = Duration::minutes(2);

/// A queue that is empty at first, and the outbox it reads.
#[async_trait]
pub trait PostedMail: Send + Sync {
    /// The queue.
    fn queue(&self) -> &dyn MailQueue;

    /// Leaves a letter in the outbox.
    async fn post(&self, mail: &OutgoingMail);
}

#[async_trait]
impl PostedMail for MemoryMailQueue {
    fn queue(&self) -> &dyn MailQueue {
        self
    }

    async fn post(&self, mail: &OutgoingMail) {
        Self::post(self, mail);
    }
}

/// Letter number `n`, asked for `n` seconds after noon of the day of the tests.
pub fn a_letter(n: u32) -> OutgoingMail {
    let asked = NOON + Duration::seconds(n.into());
    let letter = OutgoingMail::new(Uuid::from_u128(u128::from(n) + 1), format!("u{n}@example.org"), "verify_email", asked);
    letter.with("link", format!("https://coinlink.example/{n}?a=\"ä&<\0>\"")).with("code", "314159").with("expires", "")
}

async fn posted(it: &impl PostedMail, count: u32) -> Vec<OutgoingMail> {
    let letters: Vec<_> = (0..count).map(a_letter).collect();
    for letter in &letters {
        it.post(letter).await;
    }
    letters
}

/// The only letter there is, claimed at `now`.
async fn only(it: &impl PostedMail, now: OffsetDateTime) -> ClaimedMail {
    let mut claimed = it.queue().claim(now, LEASE, 10).await.unwrap();
    assert_eq!(claimed.len(), 1);
    claimed.remove(0)
}

async fn nothing_is_due(it: &impl PostedMail, now: OffsetDateTime) -> bool {
    it.queue().claim(now, LEASE, 10).await.unwrap().is_empty()
}

pub async fn a_letter_is_claimed_as_it_was_posted(it: impl PostedMail) {
    let letter = a_letter(3);
    it.post(&letter).await;
    assert!(nothing_is_due(&it, letter.created_at - Duration::MICROSECOND).await);
    let claimed = only(&it, letter.created_at).await;
    assert_eq!((claimed.id, claimed.template.as_ref(), claimed.attempt), (letter.id, "verify_email", 1));
    assert_eq!(claimed.mail.unwrap(), letter);
}

pub async fn those_due_longest_come_first_and_no_more_than_asked_for(it: impl PostedMail) {
    let letters = posted(&it, 7).await;
    let now = NOON + Duration::HOUR;
    let ids = |claimed: Vec<ClaimedMail>| claimed.into_iter().map(|claimed| claimed.id).collect::<Vec<_>>();
    assert!(it.queue().claim(now, LEASE, 0).await.unwrap().is_empty());
    assert_eq!(ids(it.queue().claim(now, LEASE, 5).await.unwrap()), letters[..5].iter().map(|l| l.id).collect::<Vec<_>>());
    assert_eq!(ids(it.queue().claim(now, LEASE, 5).await.unwrap()), letters[5..].iter().map(|l| l.id).collect::<Vec<_>>());
}

pub async fn a_claimed_letter_is_nobody_elses_until_the_lease_is_over(it: impl PostedMail) {
    it.post(&a_letter(0)).await;
    assert_eq!(only(&it, NOON).await.attempt, 1);
    assert!(nothing_is_due(&it, NOON + LEASE - Duration::MICROSECOND).await);
    assert_eq!(only(&it, NOON + LEASE).await.attempt, 2, "whoever had it is gone");
}

pub async fn of_many_who_claim_at_once_each_letter_goes_to_one(it: impl PostedMail + 'static) {
    posted(&it, 40).await;
    let it = Arc::new(it);
    let claims = (0..8).map(|_| {
        let it = Arc::clone(&it);
        tokio::spawn(async move {
            let mut mine = Vec::new();
            loop {
                let claimed = it.queue().claim(NOON + Duration::HOUR, LEASE, 3).await.unwrap();
                if claimed.is_empty() {
                    return mine;
                }
                mine.extend(claimed.into_iter().map(|claimed| claimed.id));
            }
        })
    });
    let claimed: Vec<Uuid> = join_all(claims).await.into_iter().flat_map(Result::unwrap).collect();
    assert_eq!((claimed.len(), claimed.iter().collect::<BTreeSet<_>>().len()), (40, 40));
}

pub async fn a_sent_letter_never_comes_again(it: impl PostedMail) {
    it.post(&a_letter(0)).await;
    let claimed = only(&it, NOON).await;
    it.queue().sent(claimed.id, NOON).await.unwrap();
    assert!(nothing_is_due(&it, NOON + Duration::DAY).await);
    assert!(!it.queue().postpone(claimed.id, 1, NOON, "late").await.unwrap());
    assert!(!it.queue().give_up(claimed.id, 1, NOON, "late").await.unwrap());
    assert_eq!(it.queue().counts().await.unwrap(), MailCounts::default());
    it.queue().sent(Uuid::nil(), NOON).await.unwrap();
}

pub async fn a_postponed_letter_comes_again_when_it_is_due(it: impl PostedMail) {
    it.post(&a_letter(0)).await;
    let claimed = only(&it, NOON).await;
    let due = NOON + Duration::seconds(30);
    assert!(it.queue().postpone(claimed.id, 1, due, "not now").await.unwrap());
    assert!(nothing_is_due(&it, due - Duration::MICROSECOND).await);
    let again = only(&it, due).await;
    assert_eq!((again.attempt, again.mail.unwrap()), (2, a_letter(0)));
}

pub async fn a_dead_letter_stays_dead_and_is_counted(it: impl PostedMail) {
    posted(&it, 3).await;
    let claimed = it.queue().claim(NOON, LEASE, 1).await.unwrap().remove(0);
    assert!(it.queue().give_up(claimed.id, 1, NOON, "never").await.unwrap());
    assert!(nothing_is_due(&it, NOON).await);
    let counts = MailCounts { waiting: 2, dead: 1, oldest: Some(a_letter(1).created_at) };
    assert_eq!(it.queue().counts().await.unwrap(), counts);
}

/// Somebody who was slower than the lease does not decide about the attempt of another; that it was sent is true all the same.
pub async fn whoever_was_too_slow_tells_no_more_than_that_it_was_sent(it: impl PostedMail) {
    it.post(&a_letter(0)).await;
    let slow = only(&it, NOON).await;
    let other = only(&it, NOON + LEASE).await;
    assert!(!it.queue().postpone(slow.id, slow.attempt, NOON, "slow").await.unwrap());
    assert!(!it.queue().give_up(slow.id, slow.attempt, NOON, "slow").await.unwrap());
    assert!(it.queue().give_up(other.id, other.attempt, NOON, "never").await.unwrap());
    it.queue().sent(slow.id, NOON).await.unwrap();
    assert_eq!(it.queue().counts().await.unwrap(), MailCounts::default());
}

pub async fn pruning_removes_what_ended_before_and_nothing_that_waits(it: impl PostedMail) {
    let letters = posted(&it, 5).await;
    let claimed = it.queue().claim(NOON + Duration::HOUR, LEASE, 4).await.unwrap();
    for (claimed, at) in claimed.iter().zip([NOON, NOON + Duration::MICROSECOND, NOON, NOON + Duration::MICROSECOND]) {
        if claimed.id == letters[0].id || claimed.id == letters[1].id {
            it.queue().sent(claimed.id, at).await.unwrap();
        } else {
            assert!(it.queue().give_up(claimed.id, 1, at, "never").await.unwrap());
        }
    }
    let before = |sent, dead| EndedBefore { sent, dead };
    assert_eq!(it.queue().prune(before(NOON, NOON), 10).await.unwrap(), 0);
    let later = NOON + Duration::MICROSECOND;
    assert_eq!(it.queue().prune(before(later, NOON), 10).await.unwrap(), 1);
    assert_eq!(it.queue().prune(before(NOON, later), 10).await.unwrap(), 1);
    assert_eq!(it.queue().prune(before(NOON + Duration::DAY, NOON + Duration::DAY), 0).await.unwrap(), 0);
    assert_eq!(it.queue().prune(before(NOON + Duration::DAY, NOON + Duration::DAY), 1).await.unwrap(), 2);
    assert_eq!(it.queue().counts().await.unwrap(), MailCounts { waiting: 1, dead: 0, oldest: Some(letters[4].created_at) });
}

/// Runs the suite on `$it`, an expression of a type that implements [`PostedMail`], evaluated anew for each case.
#[macro_export]
macro_rules! mail_queue_contract {
    ($($case:ident),+ $(,)? => $it:expr) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $case() {
            $crate::notifications::mail_queue_contract::$case($it).await;
        })+
    };
    ($it:expr) => {
        $crate::mail_queue_contract!(
            a_letter_is_claimed_as_it_was_posted,
            those_due_longest_come_first_and_no_more_than_asked_for,
            a_claimed_letter_is_nobody_elses_until_the_lease_is_over,
            of_many_who_claim_at_once_each_letter_goes_to_one,
            a_sent_letter_never_comes_again,
            a_postponed_letter_comes_again_when_it_is_due,
            a_dead_letter_stays_dead_and_is_counted,
            whoever_was_too_slow_tells_no_more_than_that_it_was_sent,
            pruning_removes_what_ended_before_and_nothing_that_waits,
            => $it
        );
    };
}
