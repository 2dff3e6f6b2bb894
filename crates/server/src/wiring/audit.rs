//! The audit log's chain.

use std::sync::Arc;

use coinlink_application::operations::SealAudit;
use coinlink_domain::operations::{CheckpointKey, RetirementKey};
use coinlink_postgres::{Database, SqlAuditChain};

use super::{Surroundings, derived_key::derived_key};
use crate::{config::Settings, telemetry::Metrics};

/// Tells this key from others derived of the same secret.
const PURPOSE: &[u8] = b"coinlink audit checkpoint v1";
/// And this one.
const RETIREMENT: &[u8] = b"coinlink audit retirement v1";

/// What checkpoints are signed with: derived from the pepper, which is never changed.
pub fn checkpoint_key(settings: &Settings) -> CheckpointKey {
    CheckpointKey::new(derived_key(settings, PURPOSE))
}

/// What months that were dropped are signed with: of the same secret.
pub fn retirement_key(settings: &Settings) -> RetirementKey {
    RetirementKey::new(derived_key(settings, RETIREMENT))
}

/// Seals what was added, and counts it.
pub fn sealer(settings: &Settings, database: &Database, metrics: &Metrics, around: &Surroundings) -> SealAudit {
    let chain = Arc::new(SqlAuditChain::new(database.for_jobs()));
    let rows = metrics.audit_rows.clone();
    // Actions are a fixed list of ours.
    SealAudit::new(chain, Arc::clone(&around.clock), checkpoint_key(settings))
        .telling(move |entry| rows.with_label_values(&[entry.action.as_ref()]).inc())
}
