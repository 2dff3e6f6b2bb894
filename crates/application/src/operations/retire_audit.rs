//! Drops what is older than a year from the audit log, so that it can be told afterwards from what somebody took away.

use std::sync::Arc;

use coinlink_domain::{
    operations::{Checkpoint, Kept, LogMonth, RetirementKey, Stretches, entry_hash},
    shared::audit::AuditEntry,
};
use coinlink_ports::{
    operations::{AuditRetention, HeldMonth, HeldRow, RetentionError},
    shared::{Clock, Entropy, StoreError},
};
use uuid::Uuid;

use super::{VerifyAudit, VerifyReport};

/// Rows in one step.
const PAGE: u32 = 5_000;
/// What it is called in the log.
const ACTION: &str = "audit.retire";

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RetireOrder {
    /// Only what is before this month; none: all that is old enough.
    pub before: Option<LogMonth>,
    /// Whether nothing is changed.
    pub dry_run: bool,
    /// A checkpoint that was kept elsewhere, for the verification before it.
    pub exported: Option<Checkpoint>,
}

/// A month that was dropped, or would be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetiredMonth {
    /// Which.
    pub month: LogMonth,
    /// The seals of its entries, which stay.
    pub seals: Stretches,
}

/// What was done.
#[derive(Debug)]
pub struct RetireReport {
    /// What is before it was looked at.
    pub before: LogMonth,
    /// Whether the log was looked at: not where nothing is old enough.
    pub verified: bool,
    /// What was dropped, or would be; in order.
    pub retired: Vec<RetiredMonth>,
    /// The first month that could not be, and why; those after it were not tried.
    pub stopped: Option<(LogMonth, RetireError)>,
    /// Rows that are old enough and lie in no month of their own: they stay.
    pub left_over: Vec<(LogMonth, u64)>,
}

/// Why it was not done.
#[derive(Debug, thiserror::Error)]
pub enum RetireError {
    /// The log has to be kept for a year.
    #[error(
        "entries are kept for a year: {first_kept} and what is after it stay, so that nothing before {asked} can be asked for"
    )]
    TooYoung {
        /// What was asked for.
        asked: LogMonth,
        /// The oldest month that has to stay.
        first_kept: LogMonth,
    },
    /// The log is not what was sealed: with its old months, what shows that would go.
    #[error("the audit log was tampered with")]
    Tampered(Box<VerifyReport>),
    /// As before, but it came about after the verification.
    #[error("the entry {0} is not what was sealed")]
    Changed(Uuid),
    /// As before, of a seal.
    #[error("the seal {0} does not follow from the one before it")]
    Unlinked(i64),
    /// Nothing would show that they were there.
    #[error("{0} of its entries have no seal yet: a server seals them within the hour")]
    Unsealed(u64),
    /// The month could not be dropped.
    #[error(transparent)]
    Retention(#[from] RetentionError),
    /// The log could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Verifies the log and drops months of it.
pub struct RetireAudit {
    /// Looks at the whole log before something of it goes.
    pub verify: VerifyAudit,
    /// What drops.
    pub retention: Arc<dyn AuditRetention>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Ids of audit entries.
    pub entropy: Arc<dyn Entropy>,
    /// What signs.
    pub key: RetirementKey,
}

impl RetireAudit {
    /// Drops the months that ended a year ago or earlier, each in a transaction of its own. Servers may run meanwhile.
    pub async fn execute(&self, order: RetireOrder) -> Result<RetireReport, RetireError> {
        let months = self.retention.months().await?;
        // A clock that is ahead must not drop what is young: both would have to be.
        let first_kept = LogMonth::of(self.clock.now().min(months.now)).a_year_earlier();
        let before = order.before.unwrap_or(first_kept);
        if before > first_kept {
            return Err(RetireError::TooYoung { asked: before, first_kept });
        }
        let left_over = self.retention.left_over(before).await?;
        let mut report = RetireReport { before, verified: false, retired: vec![], stopped: None, left_over };
        let due: Vec<LogMonth> = months.divided.into_iter().filter(|month| *month < before).collect();
        if due.is_empty() {
            return Ok(report);
        }
        let verified = self.verify.execute(order.exported).await?;
        if verified.findings.count > 0 {
            return Err(RetireError::Tampered(Box::new(verified)));
        }
        report.verified = true;
        for month in due {
            match self.month(month, order.dry_run).await {
                Ok(Some(retired)) => report.retired.push(retired),
                // Another one was faster.
                Ok(None) => {}
                Err(error) => {
                    report.stopped = Some((month, error));
                    break;
                }
            }
        }
        Ok(report)
    }

    async fn month(&self, month: LogMonth, dry_run: bool) -> Result<Option<RetiredMonth>, RetireError> {
        let Some(mut held) = self.retention.hold(month).await? else { return Ok(None) };
        let seals = match sealed(&mut *held).await {
            Ok(seals) if !dry_run => seals,
            seals => {
                held.let_go().await?;
                return seals.map(|seals| Some(RetiredMonth { month, seals }));
            }
        };
        let now = self.clock.now();
        let retirements: Vec<_> = seals.iter().map(|stretch| self.key.sign(month, stretch, now)).collect();
        let act = AuditEntry::new(self.entropy.id(), now, ACTION, "audit_log").on(month.to_string());
        let act = act.detail("entries", seals.seals().to_string());
        held.retire(&retirements, &act).await?;
        Ok(Some(RetiredMonth { month, seals }))
    }
}

/// The seals of all that is in a month. What was verified before could have changed until it was held: each row is compared once
/// more, and each seal with the one before it, so that what goes is what was sealed.
async fn sealed(held: &mut dyn HeldMonth) -> Result<Stretches, RetireError> {
    let (mut seals, mut unsealed, mut after) = (Stretches::default(), 0, None);
    loop {
        let rows = held.rows(after, PAGE).await?;
        let Some(HeldRow { place, .. }) = rows.last() else { break };
        after = Some(*place);
        for HeldRow { place, kept, seal } in rows {
            match (seal, kept) {
                (None, _) => unsealed += 1,
                (Some(seal), Kept::Entry(entry)) if seal.entry_hash == entry_hash(&entry) => {
                    seals.add(&seal);
                }
                (Some(_), _) => return Err(RetireError::Changed(place.id)),
            }
        }
    }
    if unsealed > 0 {
        return Err(RetireError::Unsealed(unsealed));
    }
    // Who writes to the database can make a seal fit another entry, but not what follows from it.
    let before = held.chain_hashes(&seals.before()).await?;
    seals.unlinked(&before).map_or(Ok(seals), |seq| Err(RetireError::Unlinked(seq)))
}
