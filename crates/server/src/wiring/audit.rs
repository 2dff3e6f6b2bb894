//! The audit log's chain.

use std::sync::Arc;

use coinlink_application::operations::SealAudit;
use coinlink_domain::operations::CheckpointKey;
use coinlink_postgres::{Database, SqlAuditChain};
use hkdf::Hkdf;
use secrecy::ExposeSecret as _;
use sha2::Sha256;

use super::Surroundings;
use crate::{config::Settings, telemetry::Metrics};

/// Tells this key from others derived of the same secret.
const PURPOSE: &[u8] = b"coinlink audit checkpoint v1";

/// What checkpoints are signed with: derived from the pepper, which is never changed.
pub fn checkpoint_key(settings: &Settings) -> CheckpointKey {
    let pepper = settings.auth.password_pepper.as_ref().map_or("", |pepper| pepper.expose_secret());
    let mut key = [0; 32];
    // 32 bytes are one block of the hash: no length that could be refused.
    let _ = Hkdf::<Sha256>::new(None, pepper.as_bytes()).expand(PURPOSE, &mut key);
    CheckpointKey::new(key)
}

/// Seals what was added, and counts it.
pub fn sealer(settings: &Settings, database: &Database, metrics: &Metrics, around: &Surroundings) -> SealAudit {
    let chain = Arc::new(SqlAuditChain::new(database.clone()));
    let rows = metrics.audit_rows.clone();
    // Actions are a fixed list of ours.
    SealAudit::new(chain, Arc::clone(&around.clock), checkpoint_key(settings))
        .telling(move |entry| rows.with_label_values(&[entry.action.as_ref()]).inc())
}
