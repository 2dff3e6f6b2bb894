use std::{
    collections::{BTreeMap, HashMap},
    sync::Mutex,
};

use async_trait::async_trait;
use coinlink_domain::shared::mail::OutgoingMail;
use coinlink_ports::{
    notifications::{ClaimedMail, EndedBefore, MailCounts, MailQueue},
    shared::{SecretBoxError, StoreError},
};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::shared::lock;

/// How far a letter has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailState {
    /// It is to be sent.
    Waiting,
    /// It was, then.
    Sent(OffsetDateTime),
    /// It was given up, then.
    Dead(OffsetDateTime),
}

/// What is kept of a letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailRecord {
    /// The letter, without its fields once it ended.
    pub mail: OutgoingMail,
    /// How far it has come.
    pub state: MailState,
    /// Attempts that began.
    pub attempts: u32,
    /// When it is tried next.
    pub due: OffsetDateTime,
    /// Why the last attempt failed.
    pub error: Option<String>,
}

#[derive(Default)]
struct Kept {
    records: BTreeMap<Uuid, MailRecord>,
    damaged: HashMap<Uuid, fn() -> SecretBoxError>,
    away: bool,
}

/// The outbox in memory.
#[derive(Default)]
pub struct MemoryMailQueue(Mutex<Kept>);

impl MemoryMailQueue {
    /// Leaves a letter.
    pub fn post(&self, mail: &OutgoingMail) {
        let (due, error) = (mail.created_at, None);
        let record = MailRecord { mail: mail.clone(), state: MailState::Waiting, attempts: 0, due, error };
        lock(&self.0).records.insert(mail.id, record);
    }

    /// This letter cannot be read any more, for this reason.
    pub fn damage(&self, id: Uuid, why: fn() -> SecretBoxError) {
        lock(&self.0).damaged.insert(id, why);
    }

    /// From now on every call fails, or none does.
    pub fn set_away(&self, away: bool) {
        lock(&self.0).away = away;
    }

    /// What is kept of a letter.
    pub fn record(&self, id: Uuid) -> Option<MailRecord> {
        lock(&self.0).records.get(&id).cloned()
    }

    fn call<T>(&self, change: impl FnOnce(&mut Kept) -> T) -> Result<T, StoreError> {
        let mut kept = lock(&self.0);
        if kept.away {
            return Err(StoreError::Unavailable("the queue is away".into()));
        }
        Ok(change(&mut kept))
    }

    fn of_attempt(&self, id: Uuid, attempt: u32, change: impl FnOnce(&mut MailRecord)) -> Result<bool, StoreError> {
        self.call(|kept| {
            let current = |record: &&mut MailRecord| record.state == MailState::Waiting && record.attempts == attempt;
            kept.records.get_mut(&id).filter(current).map(change).is_some()
        })
    }
}

impl MailRecord {
    fn end(&mut self, state: MailState, error: Option<&str>) {
        self.state = state;
        self.error = error.map(ToOwned::to_owned);
        self.mail.fields.clear();
    }
}

#[async_trait]
impl MailQueue for MemoryMailQueue {
    async fn claim(&self, now: OffsetDateTime, lease: Duration, limit: u32) -> Result<Vec<ClaimedMail>, StoreError> {
        self.call(|Kept { records, damaged, .. }| {
            let is_due = |record: &&mut MailRecord| record.state == MailState::Waiting && record.due <= now;
            let mut due: Vec<_> = records.values_mut().filter(is_due).collect();
            due.sort_by_key(|record| (record.due, record.mail.id));
            let taken = due.into_iter().take(limit as usize).map(|record| {
                record.attempts += 1;
                record.due = now + lease;
                let mail = damaged.get(&record.mail.id).map_or_else(|| Ok(record.mail.clone()), |why| Err(why()));
                let OutgoingMail { id, template, .. } = record.mail.clone();
                ClaimedMail { id, template, attempt: record.attempts, mail }
            });
            taken.collect()
        })
    }

    async fn sent(&self, id: Uuid, now: OffsetDateTime) -> Result<(), StoreError> {
        self.call(|kept| {
            let open = |record: &&mut MailRecord| !matches!(record.state, MailState::Sent(_));
            if let Some(record) = kept.records.get_mut(&id).filter(open) {
                record.end(MailState::Sent(now), None);
            }
        })
    }

    async fn postpone(&self, id: Uuid, attempt: u32, due: OffsetDateTime, why: &str) -> Result<bool, StoreError> {
        self.of_attempt(id, attempt, |record| (record.due, record.error) = (due, Some(why.to_owned())))
    }

    async fn give_up(&self, id: Uuid, attempt: u32, now: OffsetDateTime, why: &str) -> Result<bool, StoreError> {
        self.of_attempt(id, attempt, |record| record.end(MailState::Dead(now), Some(why)))
    }

    async fn counts(&self) -> Result<MailCounts, StoreError> {
        self.call(|kept| {
            let waiting = || kept.records.values().filter(|record| record.state == MailState::Waiting);
            let dead = kept.records.values().filter(|record| matches!(record.state, MailState::Dead(_))).count();
            let oldest = waiting().map(|record| record.mail.created_at).min();
            MailCounts { waiting: waiting().count() as u64, dead: dead as u64, oldest }
        })
    }

    async fn prune(&self, before: EndedBefore, limit: u64) -> Result<u64, StoreError> {
        self.call(|Kept { records, .. }| {
            let limit = usize::try_from(limit).unwrap_or(usize::MAX);
            let ended = |record: &MailRecord| match record.state {
                MailState::Sent(at) => (at < before.sent).then_some(0),
                MailState::Dead(at) => (at < before.dead).then_some(1),
                MailState::Waiting => None,
            };
            let mut old = [Vec::new(), Vec::new()];
            for record in records.values() {
                if let Some(kind) = ended(record) {
                    old[kind].push(record.mail.id);
                }
            }
            let gone: Vec<Uuid> = old.into_iter().flat_map(|ids| ids.into_iter().take(limit)).collect();
            records.retain(|id, _| !gone.contains(id));
            gone.len() as u64
        })
    }
}
