//! An address of a user's own that is told of notifications.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::{Attempted, Next};
use crate::shared::{hex, sealed::Sealed, user_id::UserId};

/// A webhook. Version 7.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WebhookId(pub Uuid);

impl fmt::Display for WebhookId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Its name.
    pub id: WebhookId,
    /// Whose.
    pub user: UserId,
    /// Where notifications go.
    pub url: String,
    /// The host of `url`: one that is slow holds up no other.
    pub host: String,
    /// What its requests are signed with.
    pub secret: Sealed,
    /// When it was made.
    pub created_at: OffsetDateTime,
    /// Notifications that were given up since one was taken.
    pub failures: u32,
    /// Since when nothing is sent to it any more.
    pub disabled_at: Option<OffsetDateTime>,
    /// How calls of it went.
    pub calls: WebhookCalls,
}

/// How the calls of a webhook went, for whoever wonders why nothing arrives.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WebhookCalls {
    /// When the last one ended.
    pub last_at: Option<OffsetDateTime>,
    /// When it last took something.
    pub last_success_at: Option<OffsetDateTime>,
    /// Why the last one failed, where it did; without the address.
    pub last_error: Option<String>,
}

/// Why a webhook is not tested now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TestRefused {
    /// The test before this one was not sent yet.
    #[error("the last test was not sent yet")]
    Waits,
    /// The test before this one was left a moment ago.
    #[error("the last test was left a moment ago")]
    TooSoon {
        /// How much later it may be tested.
        after: Duration,
    },
}

impl Webhook {
    /// A user has no more.
    pub const MOST: u64 = 5;
    /// After so many notifications in a row that were given up, nothing more is sent.
    pub const MOST_FAILURES: u32 = 5;
    /// Calls under way on one node for one user.
    pub const MOST_AT_ONCE: usize = 2;
    /// Between two tests of one webhook.
    pub const BETWEEN_TESTS: Duration = Duration::seconds(12);

    /// What only the secret of this webhook opens in.
    #[must_use]
    pub fn secret_context(id: WebhookId) -> String {
        format!("webhook {id}")
    }

    /// Between the attempts for one notification. After the last of them it is given up.
    pub const WAITS: [Duration; 7] = [
        Duration::MINUTE,
        Duration::minutes(5),
        Duration::minutes(15),
        Duration::minutes(30),
        Duration::HOUR,
        Duration::hours(3),
        Duration::hours(6),
    ];

    /// Since when nothing is sent to it any more, where its owner last secured the account at `secured_at`: whoever made it before
    /// that may have been somebody else.
    #[must_use]
    pub fn ended_at(&self, secured_at: Option<OffsetDateTime>) -> Option<OffsetDateTime> {
        self.disabled_at.or_else(|| secured_at.filter(|secured| self.created_at <= *secured))
    }

    /// What follows attempt number `attempt`, the first being 1, that ended at `now`.
    #[must_use]
    pub fn after(attempt: u32, outcome: Attempted, now: OffsetDateTime) -> Next {
        let wait = usize::try_from(attempt.saturating_sub(1)).ok().and_then(|n| Self::WAITS.get(n));
        match (outcome, wait) {
            (Attempted::Sent, _) => Next::Done,
            (Attempted::Refused, Some(wait)) => Next::Again(now.checked_add(*wait).unwrap_or(now)),
            (Attempted::Refused | Attempted::RefusedForGood, _) => Next::Dead,
        }
    }
}

impl Webhook {
    /// Whether one may be tested at `now` whose last test was left at `last`, and still waits for its first attempt or does not.
    pub fn may_be_tested(last: Option<OffsetDateTime>, waits: bool, now: OffsetDateTime) -> Result<(), TestRefused> {
        if waits {
            return Err(TestRefused::Waits);
        }
        // A clock that went back is no reason to wait for longer.
        let after = last.map_or(Duration::ZERO, |last| Self::BETWEEN_TESTS.min(Self::BETWEEN_TESTS - (now - last)));
        if after.is_positive() { Err(TestRefused::TooSoon { after }) } else { Ok(()) }
    }
}

/// What a request carries so that its receiver knows that it is ours, new and unchanged: `t=<Unix seconds>,v1=<hex>`, where the
/// second is the HMAC-SHA256 under the secret of the seconds, a dot and the body.
#[must_use]
pub fn signature(secret: &[u8], at: OffsetDateTime, body: &[u8]) -> String {
    let seconds = at.unix_timestamp();
    // A key of any length is taken.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else { return String::new() };
    mac.update(format!("{seconds}.").as_bytes());
    mac.update(body);
    format!("t={seconds},v1={}", hex::lower(&mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    const NOON: OffsetDateTime = datetime!(2026-11-21 12:00 UTC);

    #[test]
    fn eight_attempts_are_made_within_eleven_hours() {
        let mut at = NOON;
        for attempt in 1..=7 {
            let Next::Again(next) = Webhook::after(attempt, Attempted::Refused, at) else { panic!("attempt {attempt}") };
            at = next;
        }
        assert_eq!(at - NOON, Duration::minutes(10 * 60 + 51));
        assert_eq!(Webhook::after(8, Attempted::Refused, at), Next::Dead);
        assert_eq!(Webhook::after(u32::MAX, Attempted::Refused, at), Next::Dead);
        assert_eq!(Webhook::after(1, Attempted::RefusedForGood, at), Next::Dead);
    }

    #[test]
    fn a_webhook_is_tested_five_times_a_minute_and_not_while_a_test_waits() {
        let tested = |last, waits| Webhook::may_be_tested(last, waits, NOON);
        assert_eq!((tested(None, false), tested(Some(NOON - Webhook::BETWEEN_TESTS), false)), (Ok(()), Ok(())));
        let too_soon = |after| Err(TestRefused::TooSoon { after });
        assert_eq!(tested(Some(NOON - Duration::SECOND), false), too_soon(Duration::seconds(11)));
        assert_eq!(tested(Some(NOON + Duration::HOUR), false), too_soon(Webhook::BETWEEN_TESTS));
        assert_eq!(tested(Some(NOON - Duration::DAY), true), Err(TestRefused::Waits));
    }

    /// The worked example of docs/notifications.md.
    #[test]
    fn a_signature_is_what_the_documentation_computes() {
        let signed = signature(b"whsec_test", OffsetDateTime::from_unix_timestamp(1_795_262_400).unwrap(), b"{\"id\":1}");
        assert_eq!(signed, "t=1795262400,v1=35120cc06aeb8967371f23daea28ef0e260ea65bccd9b7920a4721ef00a207e4");
    }
}
