use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;
use uuid::Uuid;

use super::entry_hash;
use crate::shared::audit::AuditEntry;

/// A SHA-256 or HMAC-SHA-256 value.
pub type Hash = [u8; 32];

/// How far a chain goes: the number and hash of its newest seal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Of the newest seal; 0 where there is none.
    pub seq: i64,
    /// Of the newest seal; zeros where there is none.
    pub chain_hash: Hash,
}

impl Head {
    /// Of a chain without seals.
    pub const EMPTY: Self = Self { seq: 0, chain_hash: [0; 32] };

    /// Seals `entry` as the next one and goes on to it. The order of a chain is that of sealing, whatever the entries' own
    /// times are.
    pub fn seal(&mut self, entry: &AuditEntry, now: OffsetDateTime) -> Seal {
        let (seq, entry_hash) = (self.seq + 1, entry_hash(entry));
        let chain_hash = link(&self.chain_hash, seq, &entry_hash);
        *self = Self { seq, chain_hash };
        Seal { seq, audit_id: entry.id, entry_at: entry.at, sealed_at: now, entry_hash, chain_hash }
    }
}

/// One entry's place in the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seal {
    /// From 1, without gaps.
    pub seq: i64,
    /// The entry.
    pub audit_id: Uuid,
    /// The entry's time, so that it is quickly found; what counts is in `entry_hash`.
    pub entry_at: OffsetDateTime,
    /// When it was sealed.
    pub sealed_at: OffsetDateTime,
    /// The entry's [`entry_hash`].
    pub entry_hash: Hash,
    /// SHA-256 over the hash before it (zeros at the first), `seq` and `entry_hash`.
    pub chain_hash: Hash,
}

impl Seal {
    /// How far a chain goes of which this is the newest.
    #[must_use]
    pub const fn head(&self) -> Head {
        Head { seq: self.seq, chain_hash: self.chain_hash }
    }

    /// Whether it is number `seq`, right after `previous`.
    pub(super) fn follows(&self, previous: &Hash, seq: i64) -> bool {
        link(previous, seq, &self.entry_hash) == self.chain_hash
    }
}

pub(super) fn link(previous: &Hash, seq: i64, entry_hash: &Hash) -> Hash {
    Sha256::new().chain_update(previous).chain_update(seq.to_be_bytes()).chain_update(entry_hash).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_covers_what_came_before_its_number_and_its_entry() {
        let links =
            [link(&[0; 32], 1, &[3; 32]), link(&[1; 32], 1, &[3; 32]), link(&[0; 32], 2, &[3; 32]), link(&[0; 32], 1, &[4; 32])];
        assert!(links[1..].iter().all(|other| *other != links[0]));
        // What was sealed once must verify for ever.
        assert_eq!(links[0][..16], Uuid::from_u128(0xd3fc_b373_a129_7102_c5eb_142a_d2b1_be9e).into_bytes());
    }
}
