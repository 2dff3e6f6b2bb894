//! Whether the audit log is what was sealed.

use std::sync::Arc;

use coinlink_domain::operations::{
    ChainInspection, Checkpoint, CheckpointKey, Finding, Findings, Inspected, Retired, RetirementKey,
};
use coinlink_ports::{
    operations::AuditChain,
    shared::{Clock, StoreError},
};
use time::{Duration, OffsetDateTime};

/// Seals in one step.
const PAGE: u32 = 5_000;
/// Rows in one step of the search for unsealed ones.
const SEARCHED: u32 = 5_000;
/// What is newer may be on its way into the chain.
const SEALED_WITHIN: Duration = Duration::minutes(1);

/// Entries that wait for a seal for too long: the job that seals is not running, or what is sealed was taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Unsealed {
    /// How many.
    pub count: u64,
    /// The time of the oldest.
    pub oldest: Option<OffsetDateTime>,
}

/// What a verification saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyReport {
    /// Seals that were compared with their entries, and those whose entries were retired.
    pub seals: u64,
    /// How many of them these are.
    pub retired: u64,
    /// What is not as it was sealed. None: the log is sound.
    pub findings: Findings,
    /// No finding, but worth a look.
    pub unsealed: Unsealed,
    /// The checkpoint to keep elsewhere, where the log is sound.
    pub checkpoint: Option<Checkpoint>,
}

/// Goes through the whole chain, and then through the log.
pub struct VerifyAudit {
    chain: Arc<dyn AuditChain>,
    clock: Arc<dyn Clock>,
    key: CheckpointKey,
    retirements: RetirementKey,
}

impl VerifyAudit {
    /// Verifies `chain`, whose checkpoints are signed with `key`, and what was retired with `retirements`.
    pub fn new(chain: Arc<dyn AuditChain>, clock: Arc<dyn Clock>, key: CheckpointKey, retirements: RetirementKey) -> Self {
        Self { chain, clock, key, retirements }
    }

    /// Compares everything with everything; `exported` is a checkpoint that was kept elsewhere. May run while entries are
    /// added, sealed and retired.
    pub async fn execute(&self, exported: Option<Checkpoint>) -> Result<VerifyReport, StoreError> {
        // First, so that the chain, which is read after it, must go at least so far.
        let newest = self.chain.end().await?.checkpoint;
        let mut inspection = ChainInspection::new(self.key.clone(), exported);
        inspection.knows(self.retired().await?);
        let mut after = None;
        loop {
            let seals = self.chain.seals(after, PAGE).await?;
            // What is missing may have been retired since: then the page is read anew. What is there was there after what was known
            // to be retired.
            if inspection.misses_any(&seals) && inspection.knows(self.retired().await?) {
                continue;
            }
            let Some((last, _)) = seals.last() else { break };
            let last = last.seq;
            inspection.page(&seals, &self.chain.checkpoints(after, last).await?);
            after = Some(last);
        }
        let signed = newest.map_or(i64::MIN, |checkpoint| checkpoint.seq);
        let Inspected { seals, retired, mut findings } = inspection.finish(&self.chain.checkpoints(after, signed).await?);
        let unsealed = self.unsealed(&mut findings).await?;
        let checkpoint = newest.filter(|_| findings.count == 0);
        Ok(VerifyReport { seals, retired, findings, unsealed, checkpoint })
    }

    async fn retired(&self) -> Result<Retired, StoreError> {
        Ok(Retired::of(&self.chain.retirements().await?, &self.retirements))
    }

    async fn unsealed(&self, findings: &mut Findings) -> Result<Unsealed, StoreError> {
        let due = self.clock.now() - SEALED_WITHIN;
        let (mut unsealed, mut after) = (Unsealed::default(), None);
        loop {
            let page = self.chain.unsealed(after, SEARCHED).await?;
            for id in page.foreign {
                findings.add(Finding::ForeignRow { id });
            }
            let late = || page.entries.iter().map(|entry| entry.at).filter(|at| *at < due);
            unsealed.count += late().count() as u64;
            unsealed.oldest = unsealed.oldest.or_else(|| late().min());
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(unsealed),
            }
        }
    }
}
