//! Goes through a chain from its first seal to its last and tells each thing that is not as it was sealed.

mod order;

use std::collections::{BTreeMap, HashMap};

use uuid::Uuid;

use super::{Checkpoint, CheckpointKey, Hash, Head, Retired, SIGN_AFTER, Seal, entry_hash};
use crate::shared::audit::AuditEntry;
use order::Misfits;

/// How many findings are listed; the others are counted.
const LISTED: usize = 1_000;

/// What the store has under a seal's id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// An entry.
    Entry(AuditEntry),
    /// A row that is no entry any more: a field holds what is never written there.
    Unreadable,
    /// Nothing.
    Missing,
}

/// Where a checkpoint was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// Beside the chain.
    Stored,
    /// Elsewhere: whoever verifies brought it along.
    Exported,
}

/// One thing that is not as it was sealed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Finding {
    /// An entry is not the one that was sealed.
    EntryEdited {
        /// Its seal.
        seq: i64,
        /// The entry.
        id: Uuid,
    },
    /// A sealed entry is gone.
    EntryMissing {
        /// Its seal.
        seq: i64,
        /// The entry.
        id: Uuid,
    },
    /// An entry is there although a retirement says that it went.
    EntryReturned {
        /// Its seal.
        seq: i64,
        /// The entry.
        id: Uuid,
    },
    /// A retirement was not signed with the key: what it speaks of was not retired.
    RetirementForged {
        /// The first seal it speaks of.
        from: i64,
        /// The last.
        to: i64,
    },
    /// The chain is not the one of which entries were retired, up to this seal.
    RetirementContradicted {
        /// Which seal it speaks of.
        seq: i64,
    },
    /// A row that has no seal and cannot get one: no entry that this program writes, or with the id of another.
    ForeignRow {
        /// The row.
        id: Uuid,
    },
    /// Seals are gone.
    SealsMissing {
        /// The first.
        from: i64,
        /// The last.
        to: i64,
    },
    /// A seal is where none can be: numbers begin at 1.
    SealOutOfPlace {
        /// Its number.
        seq: i64,
    },
    /// A seal was moved.
    SealReordered {
        /// Where it is.
        seq: i64,
        /// Where it was made.
        made_at: i64,
    },
    /// A seal does not follow from the one before it.
    ChainBroken {
        /// Which.
        seq: i64,
    },
    /// A checkpoint was not signed with the key.
    CheckpointForged {
        /// Which seal it speaks of.
        seq: i64,
        /// Where it was kept.
        origin: Origin,
    },
    /// The chain is not the one that was signed, up to this seal.
    CheckpointContradicted {
        /// Which seal it speaks of.
        seq: i64,
        /// Where it was kept.
        origin: Origin,
    },
    /// Seals are not signed that must have been: checkpoints are gone.
    CheckpointsMissing {
        /// The first.
        from: i64,
        /// The last.
        to: i64,
    },
    /// The chain ends before what was signed.
    TailCut {
        /// Its newest seal.
        last: i64,
        /// The newest seal that was signed.
        signed: i64,
        /// Where the checkpoint was kept.
        origin: Origin,
    },
    /// There is no chain, but one was signed.
    ChainDeleted {
        /// The newest seal that was signed.
        signed: i64,
        /// Where the checkpoint was kept.
        origin: Origin,
    },
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Findings {
    /// The first thousand.
    pub listed: Vec<Finding>,
    /// All of them.
    pub count: u64,
}

impl Findings {
    /// One more.
    pub fn add(&mut self, finding: Finding) {
        self.count += 1;
        if self.listed.len() < LISTED {
            self.listed.push(finding);
        }
    }
}

/// What a walk along one chain saw.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Inspected {
    /// Seals there are.
    pub seals: u64,
    /// Those of them whose entries were retired.
    pub retired: u64,
    /// What is not as it was sealed.
    pub findings: Findings,
}

/// A walk along one chain.
pub struct ChainInspection {
    key: CheckpointKey,
    exported: Option<Checkpoint>,
    retired: Retired,
    gone: u64,
    head: Head,
    seals: u64,
    signed: i64,
    misfits: Misfits,
    findings: Findings,
}

impl ChainInspection {
    /// Before the first seal; `exported` is a checkpoint that was kept elsewhere.
    #[must_use]
    pub fn new(key: CheckpointKey, exported: Option<Checkpoint>) -> Self {
        let mut inspection = Self {
            key,
            exported: None,
            retired: Retired::default(),
            gone: 0,
            head: Head::EMPTY,
            seals: 0,
            signed: 0,
            misfits: Misfits::default(),
            findings: Findings::default(),
        };
        inspection.exported = exported.filter(|checkpoint| inspection.is_signed(checkpoint, Origin::Exported));
        inspection
    }

    /// What was retired, as far as is known before the next page is read. Whether that is news.
    pub fn knows(&mut self, retired: Retired) -> bool {
        let is_new = self.retired != retired;
        self.retired = retired;
        is_new
    }

    /// Whether one of these entries is missing and not known to be retired: it may have been since.
    #[must_use]
    pub fn misses_any(&self, seals: &[(Seal, Kept)]) -> bool {
        seals.iter().any(|(seal, kept)| *kept == Kept::Missing && !self.retired.covers(seal.seq))
    }

    /// The next seals in the order of their numbers, what is kept of their entries, and the stored checkpoints from after the
    /// seals before up to the last of these.
    pub fn page(&mut self, seals: &[(Seal, Kept)], checkpoints: &[Checkpoint]) {
        let before = self.head.seq;
        let hashes: HashMap<i64, Hash> = seals.iter().map(|(seal, _)| (seal.seq, seal.chain_hash)).collect();
        for (seal, kept) in seals {
            self.entry(seal, kept);
            self.place(seal);
        }
        for checkpoint in checkpoints {
            if self.is_signed(checkpoint, Origin::Stored) {
                self.compare(checkpoint, &hashes, Origin::Stored);
            }
        }
        if let Some(exported) = self.exported.filter(|exported| exported.seq > before && exported.seq <= self.head.seq) {
            self.compare(&exported, &hashes, Origin::Exported);
        }
    }

    /// After the last seal; `beyond` are the stored checkpoints that speak of later ones.
    #[must_use]
    pub fn finish(mut self, beyond: &[Checkpoint]) -> Inspected {
        let mut signed = BTreeMap::new();
        for checkpoint in beyond {
            if self.is_signed(checkpoint, Origin::Stored) && checkpoint.seq > self.head.seq {
                signed.insert(Origin::Stored, checkpoint.seq.max(*signed.get(&Origin::Stored).unwrap_or(&0)));
            }
        }
        if let Some(exported) = self.exported.filter(|exported| exported.seq > self.head.seq) {
            signed.insert(Origin::Exported, exported.seq);
        }
        for (origin, signed) in signed {
            let last = self.head.seq;
            let cut = Finding::TailCut { last, signed, origin };
            self.findings.add(if last > 0 { cut } else { Finding::ChainDeleted { signed, origin } });
        }
        let unsigned = self.head.seq - self.signed;
        if unsigned >= SIGN_AFTER || (unsigned > 0 && self.signed == 0) {
            self.findings.add(Finding::CheckpointsMissing { from: self.signed + 1, to: self.head.seq });
        }
        for &(from, to) in self.retired.forged() {
            self.findings.add(Finding::RetirementForged { from, to });
        }
        for seq in self.retired.beyond(self.head.seq) {
            self.findings.add(Finding::RetirementContradicted { seq });
        }
        self.misfits.explain(&mut self.findings);
        Inspected { seals: self.seals, retired: self.gone, findings: self.findings }
    }

    fn entry(&mut self, seal: &Seal, kept: &Kept) {
        let (seq, id) = (seal.seq, seal.audit_id);
        match (kept, self.retired.covers(seq)) {
            (Kept::Missing, true) => self.gone += 1,
            (_, true) => self.findings.add(Finding::EntryReturned { seq, id }),
            (kept, false) => self.unretired(seal, kept),
        }
    }

    fn unretired(&mut self, seal: &Seal, kept: &Kept) {
        let (seq, id) = (seal.seq, seal.audit_id);
        match kept {
            Kept::Entry(entry) if entry_hash(entry) == seal.entry_hash => {}
            Kept::Entry(_) | Kept::Unreadable => self.findings.add(Finding::EntryEdited { seq, id }),
            Kept::Missing => self.findings.add(Finding::EntryMissing { seq, id }),
        }
    }

    fn place(&mut self, seal: &Seal) {
        self.seals += 1;
        if self.retired.contradicts(seal) {
            self.findings.add(Finding::RetirementContradicted { seq: seal.seq });
        }
        if seal.seq < 1 {
            return self.findings.add(Finding::SealOutOfPlace { seq: seal.seq });
        }
        let due = self.head.seq + 1;
        if seal.seq > due {
            // What came right before it is not known any more.
            self.findings.add(Finding::SealsMissing { from: due, to: seal.seq - 1 });
        } else if !seal.follows(&self.head.chain_hash, seal.seq) {
            self.misfits.add(seal, self.head.chain_hash, &mut self.findings);
        }
        self.head = seal.head();
    }

    fn is_signed(&mut self, checkpoint: &Checkpoint, origin: Origin) -> bool {
        let signed = self.key.signed(checkpoint);
        if signed && origin == Origin::Stored {
            self.signed = self.signed.max(checkpoint.seq);
        }
        if !signed {
            self.findings.add(Finding::CheckpointForged { seq: checkpoint.seq, origin });
        }
        signed
    }

    /// Where the seal itself is missing, that was said already.
    fn compare(&mut self, checkpoint: &Checkpoint, hashes: &HashMap<i64, Hash>, origin: Origin) {
        if hashes.get(&checkpoint.seq).is_some_and(|hash| *hash != checkpoint.chain_hash) {
            self.findings.add(Finding::CheckpointContradicted { seq: checkpoint.seq, origin });
        }
    }
}

#[cfg(test)]
mod tests;
