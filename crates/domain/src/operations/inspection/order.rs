//! Tells seals that were moved from seals that were never made like this.

use std::collections::HashMap;

use super::{Finding, Findings};
use crate::operations::{Hash, Seal};

/// How many misfits are kept to be compared, each with each; those after them are just broken.
const COMPARED: usize = 256;

/// Seals that do not follow from the one before them, and the hash of that one as it is stored.
#[derive(Default)]
pub(super) struct Misfits(Vec<(Seal, Hash)>);

impl Misfits {
    pub(super) fn add(&mut self, seal: &Seal, previous: Hash, findings: &mut Findings) {
        if self.0.len() < COMPARED {
            self.0.push((seal.clone(), previous));
        } else {
            findings.add(Finding::ChainBroken { seq: seal.seq });
        }
    }

    /// A misfit that follows from the hash before another's place was made for that place. Once the right hash of a place is
    /// known, the seal after it may turn out to be sound.
    pub(super) fn explain(&self, findings: &mut Findings) {
        let mut right: HashMap<i64, Hash> = HashMap::new();
        for (seal, stored) in &self.0 {
            let previous = right.get(&(seal.seq - 1)).unwrap_or(stored);
            if seal.follows(previous, seal.seq) {
                right.insert(seal.seq, seal.chain_hash);
            } else if let Some((moved, _)) = self.0.iter().find(|(other, _)| other.follows(previous, seal.seq)) {
                right.insert(seal.seq, moved.chain_hash);
                findings.add(Finding::SealReordered { seq: moved.seq, made_at: seal.seq });
            } else {
                findings.add(Finding::ChainBroken { seq: seal.seq });
            }
        }
    }
}
