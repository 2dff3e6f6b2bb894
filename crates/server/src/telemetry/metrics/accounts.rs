use prometheus::{IntCounterVec, Registry};

use super::counters;

/// What accounts and sessions go through, as labels name it.
const EVENTS: [&str; 25] = [
    "api_key_create",
    "api_key_revoke",
    "email_change",
    "email_change_confirm",
    "email_change_undo",
    "email_resend",
    "email_verify",
    "password_change",
    "password_forgot",
    "password_reset",
    "refresh",
    "second_factor_disable",
    "second_factor_enable",
    "second_factor_recovery_codes",
    "second_factor_setup",
    "second_factor_sign_in",
    "second_factor_verify",
    "sign_in",
    "sign_out",
    "sign_out_everywhere",
    "sign_up",
    "socket_ticket",
    "wallet_link",
    "wallet_sign_in",
    "wallet_unlink",
];

/// Each event's `ok` is there from the start: nobody sees how many a series had when it began, and the first sign-up of a node would be none.
pub(super) fn auth_events(r: &Registry) -> Result<IntCounterVec, prometheus::Error> {
    let events = counters(r, "coinlink_auth_events_total", "What accounts and sessions went through", &["event", "outcome"])?;
    for event in EVENTS {
        events.with_label_values(&[event, "ok"]);
    }
    Ok(events)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{collections::BTreeSet, fs, path::Path};

    fn counted_in(folder: &Path, events: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                counted_in(&path, events);
                continue;
            }
            let source = fs::read_to_string(path).unwrap();
            for call in ["auth_event(\"", "note(&metrics, \"", "told(&metrics, \""] {
                events.extend(source.split(call).skip(1).filter_map(|rest| rest.split('"').next()).map(str::to_owned));
            }
        }
    }

    #[test]
    fn every_event_that_the_routes_count_is_there_from_the_start() {
        let mut events = BTreeSet::new();
        counted_in(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src/http")), &mut events);
        assert_eq!(events, EVENTS.map(str::to_owned).into());
    }
}
