use std::{
    collections::{BTreeMap, HashMap, HashSet, VecDeque},
    sync::Mutex,
};

use async_trait::async_trait;
use coinlink_domain::{
    operations::{Checkpoint, Head, Kept, Retirement, Seal},
    shared::audit::AuditEntry,
};
use coinlink_ports::{
    operations::{Appended, AuditChain, ChainEnd, LogPlace, UnsealedPage},
    shared::StoreError,
};
use uuid::Uuid;

use crate::shared::lock;

/// What a [`MemoryAuditChain`] holds, for a test to change as nobody may.
#[derive(Debug, Default, Clone)]
pub struct AuditRecords {
    /// The log; `None` is a row that is no entry.
    pub log: BTreeMap<LogPlace, Option<AuditEntry>>,
    /// The seals by their numbers.
    pub seals: BTreeMap<i64, Seal>,
    /// The checkpoints.
    pub checkpoints: Vec<Checkpoint>,
    /// The retirements.
    pub retirements: Vec<Retirement>,
    /// Retired with the rows up to a place: the first right before the next look at seals or retirements, the second before the
    /// one after it.
    pub retired_meanwhile: VecDeque<(Retirement, LogPlace)>,
    /// How often room was made.
    pub prepared: usize,
    /// How many rows were looked at in search of unsealed ones.
    pub searched: usize,
    /// Whether making room fails.
    pub cannot_prepare: bool,
    /// After so many more stretches the log cannot be read; `None` is never.
    pub readable: Option<usize>,
}

impl AuditRecords {
    fn retire(&mut self) {
        if let Some((retirement, last)) = self.retired_meanwhile.pop_front() {
            self.retirements.push(retirement);
            self.log.retain(|place, _| *place > last);
        }
    }
}

/// An audit log and its chain, as long as the test runs.
#[derive(Debug, Default)]
pub struct MemoryAuditChain(Mutex<AuditRecords>);

impl MemoryAuditChain {
    /// Adds an entry to the log.
    pub fn record(&self, entry: &AuditEntry) {
        self.with(|records| records.log.insert(LogPlace { at: entry.at, id: entry.id }, Some(entry.clone())));
    }

    /// Looks at what it holds, or changes it.
    pub fn with<T>(&self, with: impl FnOnce(&mut AuditRecords) -> T) -> T {
        with(&mut lock(&self.0))
    }
}

#[async_trait]
impl AuditChain for MemoryAuditChain {
    async fn prepare(&self) -> Result<(), StoreError> {
        self.with(|records| {
            if records.cannot_prepare {
                return Err(StoreError::Unavailable("no room".into()));
            }
            records.prepared += 1;
            Ok(())
        })
    }

    async fn end(&self) -> Result<ChainEnd, StoreError> {
        Ok(self.with(|records| ChainEnd {
            seal: records.seals.values().next_back().cloned(),
            checkpoint: records.checkpoints.iter().max_by_key(|checkpoint| (checkpoint.seq, checkpoint.at)).copied(),
            newest_entry: records.seals.values().rev().take(1_000).map(|seal| seal.entry_at).max(),
        }))
    }

    async fn unsealed(&self, after: Option<LogPlace>, limit: u32) -> Result<UnsealedPage, StoreError> {
        self.with(|records| {
            if records.readable == Some(0) {
                return Err(StoreError::Unavailable("unreadable".into()));
            }
            records.readable = records.readable.map(|more| more - 1);
            let seals = records.seals.values();
            let sealed: HashMap<Uuid, LogPlace> =
                seals.map(|seal| (seal.audit_id, LogPlace { at: seal.entry_at, id: seal.audit_id })).collect();
            let mut taken: HashSet<Uuid> = sealed.keys().copied().collect();
            let mut page = UnsealedPage::default();
            let rows: Vec<_> =
                records.log.iter().filter(|(place, _)| after.is_none_or(|after| **place > after)).take(limit as usize).collect();
            page.next = rows.last().filter(|_| rows.len() == limit as usize).map(|(place, _)| **place);
            records.searched += rows.len();
            for (place, row) in rows.into_iter().filter(|(place, _)| sealed.get(&place.id) != Some(*place)) {
                match row {
                    Some(entry) if taken.insert(place.id) => page.entries.push(entry.clone()),
                    _ => page.foreign.push(place.id),
                }
            }
            Ok(page)
        })
    }

    async fn append(&self, head: Head, seals: &[Seal], checkpoint: Option<&Checkpoint>) -> Result<Appended, StoreError> {
        Ok(self.with(|records| {
            let end = records.seals.values().next_back().map_or(Head::EMPTY, Seal::head);
            if end != head {
                return Appended::Overtaken;
            }
            records.seals.extend(seals.iter().map(|seal| (seal.seq, seal.clone())));
            let new = checkpoint.filter(|checkpoint| !records.checkpoints.contains(checkpoint)).copied();
            records.checkpoints.extend(new);
            Appended::Done
        }))
    }

    async fn seals(&self, after: Option<i64>, limit: u32) -> Result<Vec<(Seal, Kept)>, StoreError> {
        Ok(self.with(|records| {
            records.retire();
            let rows: BTreeMap<Uuid, &Option<AuditEntry>> = records.log.iter().map(|(place, row)| (place.id, row)).collect();
            let kept = |id: &Uuid| match rows.get(id) {
                Some(Some(entry)) => Kept::Entry(entry.clone()),
                Some(None) => Kept::Unreadable,
                None => Kept::Missing,
            };
            let seals = records.seals.values().filter(|seal| after.is_none_or(|after| seal.seq > after));
            seals.take(limit as usize).map(|seal| (seal.clone(), kept(&seal.audit_id))).collect()
        }))
    }

    async fn checkpoints(&self, after: Option<i64>, to: i64) -> Result<Vec<Checkpoint>, StoreError> {
        Ok(self.with(|records| {
            let range = records.checkpoints.iter().filter(|at| after.is_none_or(|after| at.seq > after) && at.seq <= to);
            let mut checkpoints: Vec<Checkpoint> = range.copied().collect();
            checkpoints.sort_by_key(|checkpoint| (checkpoint.seq, checkpoint.at));
            checkpoints
        }))
    }

    async fn retirements(&self) -> Result<Vec<Retirement>, StoreError> {
        Ok(self.with(|records| {
            records.retire();
            records.retirements.clone()
        }))
    }
}
