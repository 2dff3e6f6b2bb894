//! `coinlink audit verify`: the verification for a person at a terminal, and for a job that looks at the exit code.

use std::{fmt::Write as _, sync::Arc, time::Duration as StdDuration};

use coinlink_application::operations::{VerifyAudit, VerifyReport};
use coinlink_domain::operations::{Checkpoint, Finding, Origin};
use coinlink_embedded::SystemClock;
use coinlink_ports::shared::StoreError;
use coinlink_postgres::{ConnectSettings, SqlAuditChain};

use super::{NoDatabase, connected, database_url};
use crate::{
    config::{DevSecretError, Settings},
    serve::StartError,
    starting::check_pepper,
    wire::rfc3339,
    wiring,
};

/// Nobody waits for it but the one who asked.
pub(super) const STATEMENT_WITHIN: StdDuration = StdDuration::from_mins(1);

/// The audit log could not be looked at, so that nothing is known of it.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The key of the checkpoints is derived from it.
    #[error("PASSWORD_PEPPER is missing: without the server's own, its checkpoints cannot be checked")]
    Pepper,
    /// The secret of `coinlink dev` cannot be read.
    #[error(transparent)]
    DevSecret(#[from] DevSecretError),
    /// There is no database where the settings say.
    #[error(transparent)]
    NoDatabase(#[from] NoDatabase),
    /// The database cannot be reached, or is written with another pepper.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The database did not do what was asked.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Verifies the audit log in the database of the settings. The text says what was found; `true`: nothing was.
pub async fn verify(settings: Settings, exported: Option<Checkpoint>) -> Result<(String, bool), AuditError> {
    let url = database_url(&settings)?;
    let settings = with_pepper(settings)?;
    let connect = ConnectSettings { statement_timeout: STATEMENT_WITHIN, ..ConnectSettings::new(url) };
    let database = connected(&connect).await?;
    check_pepper(&settings, &database).await?;
    let chain = Arc::new(SqlAuditChain::new(database));
    let clock = Arc::new(SystemClock::default());
    let verify = VerifyAudit::new(chain, clock, wiring::checkpoint_key(&settings), wiring::retirement_key(&settings));
    let report = verify.execute(exported).await?;
    Ok((text(&report, exported.is_some()), report.findings.count == 0))
}

/// That of `coinlink dev` only where it is kept already: a new one would have signed nothing.
pub(super) fn with_pepper(settings: Settings) -> Result<Settings, AuditError> {
    if settings.auth.password_pepper.is_some() {
        return Ok(settings);
    }
    if settings.server.data_dir.join("secrets/password_pepper").exists() {
        return Ok(settings.with_dev_secrets()?);
    }
    Err(AuditError::Pepper)
}

pub(super) fn text(report: &VerifyReport, compared: bool) -> String {
    let mut text = String::new();
    let findings = &report.findings;
    let (seals, retired) = (report.seals, report.retired);
    // Writing to a String does not fail.
    let _ = match findings.count {
        0 => {
            writeln!(text, "The audit log is sound: {} sealed entries are what they were when they were sealed.", seals - retired)
        }
        count => writeln!(text, "The audit log was TAMPERED WITH ({seals} seals read, findings: {count}):"),
    };
    if retired > 0 {
        let _ = writeln!(text, "{retired} older entries were retired, which is signed; their seals are still there.");
    }
    // What a forged retirement spoke of is told as deleted: the cause comes first.
    let is_cause = |finding: &&Finding| matches!(finding, Finding::RetirementForged { .. });
    let (causes, others): (Vec<_>, Vec<_>) = findings.listed.iter().partition(is_cause);
    for finding in causes.into_iter().chain(others) {
        let _ = writeln!(text, "- {}", sentence(finding));
    }
    let more = findings.count - findings.listed.len() as u64;
    if more > 0 {
        let _ = writeln!(text, "- and {more} more");
    }
    if let (count @ 1.., Some(oldest)) = (report.unsealed.count, report.unsealed.oldest) {
        let _ = writeln!(
            text,
            "Warning: {count} entries older than a minute are not sealed yet, the oldest from {}: is a server running?",
            rfc3339(oldest)
        );
    }
    if findings.count == 0 && !compared {
        let _ = writeln!(
            text,
            "It was not compared with a checkpoint kept elsewhere: that the newest entries were cut off would not show."
        );
    }
    if let Some(checkpoint) = &report.checkpoint {
        let _ = writeln!(text, "Newest checkpoint, to be kept where nobody who can write to the database can:\n{checkpoint}");
    }
    text
}

fn sentence(finding: &Finding) -> String {
    let kept = |origin: &Origin| match origin {
        Origin::Stored => "a stored checkpoint",
        Origin::Exported => "the given checkpoint",
    };
    match finding {
        Finding::EntryEdited { seq, id } => format!("entry edited: {id} (seal {seq}) is not what was sealed"),
        Finding::EntryMissing { seq, id } => format!("entry deleted: {id} (seal {seq}) is gone"),
        Finding::EntryReturned { seq, id } => format!("entry put back: {id} (seal {seq}) is there, though it was retired"),
        Finding::RetirementForged { from, to } => {
            format!("retirement forged: that of the seals {from} to {to} is not signed with this server's PASSWORD_PEPPER")
        }
        Finding::RetirementContradicted { seq } => {
            format!("chain rewritten: seal {seq} is not the one up to which entries were retired")
        }
        Finding::ForeignRow { id } => {
            format!("foreign row: {id} has no seal and cannot get one; this program did not write it so")
        }
        Finding::SealsMissing { from, to } if from == to => format!("seal deleted: {from} is gone"),
        Finding::SealsMissing { from, to } => format!("seals deleted: {from} to {to} are gone"),
        Finding::SealOutOfPlace { seq } => format!("foreign seal: {seq} is no number of a seal"),
        Finding::SealReordered { seq, made_at } => format!("seals reordered: the one at {seq} was made as {made_at}"),
        Finding::ChainBroken { seq } => format!("chain broken: seal {seq} does not follow from the one before it"),
        Finding::CheckpointForged { seq, origin } => {
            format!("checkpoint forged: {} of seal {seq} is not signed with this server's PASSWORD_PEPPER", kept(origin))
        }
        Finding::CheckpointContradicted { seq, origin } => {
            format!("chain rewritten: seal {seq} is not the one that {} signed", kept(origin))
        }
        Finding::CheckpointsMissing { from, to } => format!("checkpoints deleted: nothing signs the seals {from} to {to}"),
        Finding::TailCut { last, signed, origin } => {
            format!("tail cut off: the chain ends at seal {last}, but {} signed it up to {signed}", kept(origin))
        }
        Finding::ChainDeleted { signed, origin } => {
            format!("chain deleted: there are no seals, but {} signed them up to {signed}", kept(origin))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use coinlink_application::operations::Unsealed;
    use coinlink_domain::operations::Findings;
    use time::macros::datetime;
    use uuid::Uuid;

    fn report(findings: impl IntoIterator<Item = Finding>) -> VerifyReport {
        let mut found = Findings::default();
        findings.into_iter().for_each(|finding| found.add(finding));
        VerifyReport { seals: 7, retired: 0, findings: found, unsealed: Unsealed::default(), checkpoint: None }
    }

    #[test]
    fn a_sound_log_says_so_and_what_was_not_compared() {
        let said = text(&report([]), false);
        assert!(said.starts_with("The audit log is sound: 7 sealed entries") && said.contains("not compared"), "{said}");
        assert!(!text(&report([]), true).contains("not compared"));
    }

    #[test]
    fn what_was_retired_is_counted_apart() {
        let said = text(&VerifyReport { retired: 3, ..report([]) }, true);
        assert!(said.contains("sound: 4 sealed entries") && said.contains("\n3 older entries were retired"), "{said}");
        assert!(!text(&report([]), true).contains("retired"));
    }

    #[test]
    fn each_finding_is_a_line_and_what_is_not_listed_is_counted() {
        let cut = Finding::TailCut { last: 7, signed: 9, origin: Origin::Exported };
        let said = text(&report([cut, Finding::SealsMissing { from: 2, to: 2 }]), true);
        assert!(
            said.contains("findings: 2") && said.contains("\n- tail cut off: the chain ends at seal 7, but the given"),
            "{said}"
        );
        assert!(said.contains("\n- seal deleted: 2 is gone\n") && !said.contains("more"), "{said}");
        let many = (1..=1_005).map(|seq| Finding::ChainBroken { seq });
        assert!(text(&report(many), true).ends_with("- and 5 more\n"));
    }

    #[test]
    fn a_forged_retirement_is_told_before_the_entries_that_are_gone_with_it() {
        let gone = (1..=3).map(|seq| Finding::EntryMissing { seq, id: Uuid::nil() });
        let said = text(&report(gone.chain([Finding::RetirementForged { from: 1, to: 3 }])), true);
        let lines: Vec<_> = said.lines().skip(1).collect();
        assert!(lines[0].starts_with("- retirement forged: that of the seals 1 to 3 "), "{said}");
        assert!(lines[1].contains("(seal 1)") && lines[3].contains("(seal 3)"), "{said}");
    }

    #[test]
    fn entries_that_wait_for_a_seal_are_a_warning() {
        let unsealed = Unsealed { count: 3, oldest: Some(datetime!(2026-01-01 0:00 UTC)) };
        let said = text(&VerifyReport { unsealed, ..report([]) }, true);
        assert!(said.contains("Warning: 3 entries") && said.contains("from 2026-01-01T00:00:00.000000Z: "), "{said}");
    }
}
