//! `coinlink audit retire`: the year's end of what is in the audit log, for a person at a terminal and for a monthly job.

use std::{
    fmt::{self, Write as _},
    sync::Arc,
};

use coinlink_application::operations::{RetireAudit, RetireError, RetireOrder, RetireReport, RetiredMonth, VerifyAudit};
use coinlink_embedded::{SystemClock, SystemEntropy};
use coinlink_postgres::{ConnectSettings, SqlAuditChain, SqlAuditRetention};

use super::{
    audit::{self, AuditError, STATEMENT_WITHIN, with_pepper},
    connected, database_url,
};
use crate::{config::Settings, starting::check_pepper, wiring};

/// What is said of it.
#[derive(Debug, PartialEq, Eq)]
pub struct Told {
    /// What was found and done.
    pub text: String,
    /// Why not all of it was done that was asked.
    pub stopped: Option<String>,
    /// Whether that is because the log was tampered with.
    pub tampered: bool,
}

impl Told {
    /// That nothing was done, and why.
    pub fn nothing(why: &impl fmt::Display) -> Self {
        let stopped = Some(format!("nothing of the audit log was retired: {why}"));
        Self { text: String::new(), stopped, tampered: false }
    }
}

/// Retires months of the audit log in the database of the settings.
pub async fn retire(settings: Settings, order: RetireOrder) -> Result<Told, AuditError> {
    let url = database_url(&settings)?;
    let settings = with_pepper(settings)?;
    let connect = ConnectSettings { statement_timeout: STATEMENT_WITHIN, ..ConnectSettings::new(url) };
    let database = connected(&connect).await?;
    check_pepper(&settings, &database).await?;
    let (chain, clock) = (Arc::new(SqlAuditChain::new(database.clone())), Arc::new(SystemClock::default()));
    let retire = RetireAudit {
        verify: VerifyAudit::new(chain, clock.clone(), wiring::checkpoint_key(&settings), wiring::retirement_key(&settings)),
        retention: Arc::new(SqlAuditRetention::new(database)),
        clock,
        entropy: Arc::new(SystemEntropy),
        key: wiring::retirement_key(&settings),
    };
    Ok(match retire.execute(order).await {
        Ok(report) => done(&report, order.dry_run),
        Err(RetireError::Tampered(found)) => Told {
            text: audit::text(&found, order.exported.is_some()),
            tampered: true,
            ..Told::nothing(&"what shows that it was tampered with would go")
        },
        Err(error) => Told::nothing(&error),
    })
}

fn done(report: &RetireReport, dry_run: bool) -> Told {
    let mut text = String::new();
    let RetireReport { before, verified, retired, stopped, left_over } = report;
    if retired.is_empty() && stopped.is_none() {
        // Writing to a String does not fail.
        let _ = write!(text, "There is nothing to retire: the audit log has no month of its own before {before}");
        text.push_str(if *verified { ".\n" } else { "; the log was not verified: `coinlink audit verify` does that.\n" });
    }
    for month in retired {
        let _ = writeln!(text, "{}", sentence(month, dry_run));
    }
    if !retired.is_empty() && !dry_run {
        let _ = writeln!(text, "Their seals stay, and `coinlink audit verify` tells them from what somebody takes away.");
    }
    for (month, rows) in left_over {
        let _ = writeln!(
            text,
            "Left over: {month}, entries: {rows}. They lie in audit_log_default, which cannot be dropped, and stay."
        );
    }
    let tampered = matches!(stopped, Some((_, RetireError::Changed(_))));
    let stopped = stopped.as_ref().map(|(month, why)| format!("{month} and later months were not retired: {why}"));
    Told { text, stopped, tampered }
}

fn sentence(RetiredMonth { month, seals }: &RetiredMonth, dry_run: bool) -> String {
    let does = if dry_run { "Would be retired" } else { "Retired" };
    let stretches: Vec<String> = seals.iter().map(|it| format!("{} to {}", it.first, it.last)).collect();
    let more = stretches.len().saturating_sub(LISTED);
    let mut text = format!("{does}: {month}, entries: {}", seals.seals());
    if !stretches.is_empty() {
        let _ = write!(text, ", seals {}", stretches[..stretches.len() - more].join(", "));
    }
    if more > 0 {
        let _ = write!(text, " and {more} more stretches");
    }
    text + "."
}

/// Stretches of seals that are listed; mostly there is one, and a few that came late.
const LISTED: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;
    use coinlink_domain::{
        operations::{Head, LogMonth, Stretches},
        shared::audit::AuditEntry,
    };
    use coinlink_ports::operations::RetentionError;
    use time::OffsetDateTime;
    use uuid::Uuid;

    fn month(text: &str) -> LogMonth {
        text.parse().unwrap()
    }

    fn retired(seqs: impl IntoIterator<Item = i64>) -> RetiredMonth {
        let mut seals = Stretches::default();
        for seq in seqs {
            let entry = AuditEntry::new(Uuid::nil(), OffsetDateTime::UNIX_EPOCH, "auth.sign_in", "session");
            seals.add(&Head { seq: seq - 1, ..Head::EMPTY }.seal(&entry, OffsetDateTime::UNIX_EPOCH));
        }
        RetiredMonth { month: month("2025-01"), seals }
    }

    fn report(retired: Vec<RetiredMonth>) -> RetireReport {
        RetireReport { before: month("2025-02"), verified: !retired.is_empty(), retired, stopped: None, left_over: vec![] }
    }

    #[test]
    fn months_are_told_with_how_many_entries_and_which_seals() {
        let told = done(&report(vec![retired([1, 2, 3, 7])]), false);
        assert!(told.text.starts_with("Retired: 2025-01, entries: 4, seals 1 to 3, 7 to 7.\nTheir seals stay"), "{told:?}");
        assert_eq!((told.stopped, told.tampered), (None, false));
        let told = done(&report(vec![retired((1..30).step_by(2))]), true);
        assert!(told.text.starts_with("Would be retired: 2025-01, entries: 15, seals 1 to 1, "), "{told:?}");
        assert!(told.text.ends_with("19 to 19 and 5 more stretches.\n"), "{told:?}");
        assert_eq!(done(&report(vec![retired([])]), true).text, "Would be retired: 2025-01, entries: 0.\n");
    }

    #[test]
    fn nothing_to_do_is_said_and_what_stays_is_named() {
        let told = done(&RetireReport { left_over: vec![(month("2019-03"), 2)], ..report(vec![]) }, false);
        let said = "There is nothing to retire: the audit log has no month of its own before 2025-02";
        let unverified =
            format!("{said}; the log was not verified: `coinlink audit verify` does that.\nLeft over: 2019-03, entries: 2. ");
        assert!(told.text.starts_with(&unverified), "{told:?}");
        // Another run was faster.
        assert_eq!(done(&RetireReport { verified: true, ..report(vec![]) }, false).text, format!("{said}.\n"));
    }

    #[test]
    fn what_stopped_it_is_told_after_what_was_done() {
        let stopped = |why| done(&RetireReport { stopped: Some((month("2025-01"), why)), ..report(vec![]) }, false);
        let told = stopped(RetentionError::Busy.into());
        assert!(!told.tampered && told.text.is_empty(), "{told:?}");
        let why = told.stopped.unwrap();
        assert!(why.starts_with("2025-01 and later months were not retired: the audit log was in use for too long"), "{why}");
        assert!(stopped(RetireError::Changed(Uuid::nil())).tampered);
    }
}
