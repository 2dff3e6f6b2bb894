//! Seals, checkpoints and retirements as rows, and back.

use coinlink_domain::operations::{Checkpoint, Hash, LogMonth, Retirement, Seal, Stretch};
use sea_orm::ActiveValue::Set;
use time::OffsetDateTime;

use crate::{
    entities::{audit_checkpoints, audit_retirements, audit_seals},
    exact::Moment,
};

pub(super) fn seal_row(seal: &Seal) -> audit_seals::ActiveModel {
    audit_seals::ActiveModel {
        seq: Set(seal.seq),
        audit_id: Set(seal.audit_id),
        entry_at: Set(Moment(seal.entry_at)),
        sealed_at: Set(Moment(seal.sealed_at)),
        entry_hash: Set(seal.entry_hash.to_vec()),
        chain_hash: Set(seal.chain_hash.to_vec()),
    }
}

pub(super) fn seal(row: &audit_seals::Model) -> Seal {
    Seal {
        seq: row.seq,
        audit_id: row.audit_id,
        entry_at: row.entry_at.0,
        sealed_at: row.sealed_at.0,
        entry_hash: hash(&row.entry_hash),
        chain_hash: hash(&row.chain_hash),
    }
}

pub(super) fn checkpoint_row(checkpoint: &Checkpoint) -> audit_checkpoints::ActiveModel {
    audit_checkpoints::ActiveModel {
        seq: Set(checkpoint.seq),
        chain_hash: Set(checkpoint.chain_hash.to_vec()),
        mac: Set(checkpoint.mac.to_vec()),
        at: Set(Moment(checkpoint.at)),
    }
}

pub(super) fn checkpoint(row: &audit_checkpoints::Model) -> Checkpoint {
    Checkpoint { seq: row.seq, chain_hash: hash(&row.chain_hash), mac: hash(&row.mac), at: row.at.0 }
}

pub(super) fn retirement_row(Retirement { month, seals, at, mac }: &Retirement) -> audit_retirements::ActiveModel {
    audit_retirements::ActiveModel {
        first_seal: Set(seals.first),
        last_seal: Set(seals.last),
        month: Set(month.to_string()),
        chain_hash: Set(seals.chain_hash.to_vec()),
        mac: Set(mac.to_vec()),
        at: Set(Moment(*at)),
    }
}

/// A month that is none is as wrong as any other that is not the one that was signed.
pub(super) fn retirement(row: &audit_retirements::Model) -> Retirement {
    Retirement {
        month: row.month.parse().unwrap_or(LogMonth::of(OffsetDateTime::UNIX_EPOCH)),
        seals: Stretch { first: row.first_seal, last: row.last_seal, chain_hash: hash(&row.chain_hash) },
        at: row.at.0,
        mac: hash(&row.mac),
    }
}

/// Bytes of another length are no hash, and as wrong as any other: the verification has to go on and tell.
fn hash(bytes: &[u8]) -> Hash {
    bytes.try_into().unwrap_or_default()
}
