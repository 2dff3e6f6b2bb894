//! What somebody hears who has no more questions: when there are some again, and how many there are.

use coinlink_domain::shared::{rate_limit::RateClass, sliding_window::WindowPolicy};

use super::super::{ApiError, error_codes};
use crate::wire::seconds_up;

/// The refusal of a question beyond the quota `full`; `signed_in` is the quota of who is signed in.
pub(super) fn quota_refusal(class: RateClass, full: WindowPolicy, signed_in: WindowPolicy, retry_after_secs: u32) -> ApiError {
    let wait = waiting(retry_after_secs.into());
    let message = match (class, signed_in.limit) {
        (RateClass::PromptsUser, _) => format!("No more questions for now. Ask again in {wait}."),
        // Without a quota the pace alone counts.
        (_, 0) => format!("No more questions for now. Ask again in {wait}, or sign in."),
        (_, more) => {
            format!("No more questions for now. Ask again in {wait}, or sign in: {}.", questions(more, signed_in))
        }
    };
    ApiError::new(error_codes::PROMPT_QUOTA_EXCEEDED)
        .message(message)
        .detail("retry_after_seconds", retry_after_secs.to_string())
        .detail("limit", questions(full.limit, full))
        .retry_after(retry_after_secs)
}

fn questions(limit: u32, policy: WindowPolicy) -> String {
    let secs = u64::try_from(seconds_up(policy.window)).unwrap_or_default();
    let window = if secs % 3_600 == 0 {
        counted(secs / 3_600, "hour")
    } else if secs % 60 == 0 {
        counted(secs / 60, "minute")
    } else {
        counted(secs, "second")
    };
    format!("{} in {window}", counted(limit.into(), "question"))
}

/// Rounded up: whoever comes back after it is not refused again.
fn waiting(secs: u64) -> String {
    match secs {
        0..=90 => counted(secs, "second"),
        91..=7_200 => counted(secs.div_ceil(60), "minute"),
        _ => counted(secs.div_ceil(3_600), "hour"),
    }
}

fn counted(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::Duration;

    const HOURLY: WindowPolicy = WindowPolicy { limit: 5, window: Duration::HOUR };

    fn said(class: RateClass, signed_in: u32, secs: u32) -> String {
        let signed_in = WindowPolicy { limit: signed_in, window: Duration::hours(12) };
        let body = quota_refusal(class, HOURLY, signed_in, secs).body();
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(body["error"]["details"]["limit"], "5 questions in 1 hour");
        assert_eq!(body["error"]["details"]["retry_after_seconds"], secs.to_string());
        body["detail"].as_str().unwrap().to_owned()
    }

    #[test]
    fn visitors_hear_what_signing_in_gives_and_users_when_to_come_back() {
        let visitor = |signed_in, secs| said(RateClass::PromptsAnonymous, signed_in, secs);
        assert_eq!(
            visitor(50, 3_600),
            "No more questions for now. Ask again in 60 minutes, or sign in: 50 questions in 12 hours."
        );
        assert_eq!(visitor(0, 90), "No more questions for now. Ask again in 90 seconds, or sign in.");
        assert_eq!(said(RateClass::PromptsUser, 50, 39_601), "No more questions for now. Ask again in 12 hours.");
        assert_eq!(said(RateClass::PromptsUser, 50, 1), "No more questions for now. Ask again in 1 second.");
        assert_eq!(said(RateClass::PromptsUser, 50, 91), "No more questions for now. Ask again in 2 minutes.");
    }

    #[test]
    fn windows_are_told_in_the_largest_unit_that_fits() {
        let told = |secs| questions(1, WindowPolicy { limit: 1, window: Duration::seconds(secs) });
        assert_eq!(
            [told(7_200), told(5_400), told(61)],
            ["1 question in 2 hours", "1 question in 90 minutes", "1 question in 61 seconds"]
        );
    }
}
