//! A log in memory, and the two use cases on it.

use std::sync::Arc;

use coinlink_application::operations::{SealAudit, SealReport, VerifyAudit, VerifyReport};
use coinlink_domain::operations::{Checkpoint, CheckpointKey, RetirementKey};
use coinlink_testkit::{
    operations::{FIRST, MemoryAuditChain, an_entry},
    shared::StoppedClock,
};
use time::Duration;

/// What signs what is retired.
pub(crate) fn retirement_key() -> RetirementKey {
    RetirementKey::new([8; 32])
}

pub(crate) struct Audit {
    pub(crate) chain: Arc<MemoryAuditChain>,
    pub(crate) clock: Arc<StoppedClock>,
    pub(crate) seal: SealAudit,
    pub(crate) verify: VerifyAudit,
}

impl Audit {
    /// An hour after the first entry.
    pub(crate) fn new() -> Self {
        let (chain, clock) = (Arc::new(MemoryAuditChain::default()), Arc::new(StoppedClock::at(FIRST + Duration::HOUR)));
        let key = || CheckpointKey::new([7; 32]);
        let seal = SealAudit::new(Arc::clone(&chain) as _, Arc::clone(&clock) as _, key());
        let verify = VerifyAudit::new(Arc::clone(&chain) as _, Arc::clone(&clock) as _, key(), retirement_key());
        Self { chain, clock, seal, verify }
    }

    /// Another node on the same log.
    pub(crate) fn another_node(&self) -> SealAudit {
        SealAudit::new(Arc::clone(&self.chain) as _, Arc::clone(&self.clock) as _, CheckpointKey::new([7; 32]))
    }

    pub(crate) fn record(&self, numbers: impl IntoIterator<Item = u32>) {
        numbers.into_iter().for_each(|n| self.chain.record(&an_entry(n)));
    }

    pub(crate) async fn sealed(&self) -> SealReport {
        self.seal.execute().await.unwrap()
    }

    pub(crate) async fn verified(&self, exported: Option<Checkpoint>) -> VerifyReport {
        self.verify.execute(exported).await.unwrap()
    }
}
