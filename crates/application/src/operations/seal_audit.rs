//! Seals what was added to the audit log since.

use std::sync::{Arc, Mutex, PoisonError};

use coinlink_domain::{
    operations::{CheckpointKey, Head, SIGN_AFTER, Seal},
    shared::audit::AuditEntry,
};
use coinlink_ports::{
    operations::{Appended, AuditChain, ChainEnd, LogPlace},
    shared::{Clock, StoreError},
};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

/// Rows looked at in one step, and seals in one transaction.
const BATCH: u32 = 1_000;
/// How far behind the newest sealed entry a run begins: an entry gets its time a moment before it is committed.
const OVERLAP: Duration = Duration::seconds(15);
/// How far behind it begins once in [`LOOK_BACK_EVERY`]: clocks of nodes differ. What comes later still waits for the sweep.
const LOOK_BACK: Duration = Duration::minutes(10);
const LOOK_BACK_EVERY: Duration = Duration::minutes(1);
/// Between sweeps over the whole log, which find what came later still.
const SWEEP_EVERY: Duration = Duration::hours(1);
/// The most stretches of a sweep in one run: what is added meanwhile waits no longer than for these.
const SWEPT_AT_ONCE: usize = 10;
/// Between makings of room for the coming months.
const PREPARE_EVERY: Duration = Duration::days(1);
/// Between checkpoints of a chain that grows slowly.
const SIGN_EVERY: Duration = Duration::minutes(1);

/// What a run did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SealReport {
    /// Entries it sealed.
    pub sealed: u64,
    /// Checkpoints it wrote.
    pub checkpoints: u64,
    /// Rows that cannot be sealed, among those it looked at: see [`coinlink_ports::operations::UnsealedPage::foreign`].
    pub foreign: u64,
    /// Whether it ended a sweep over the whole log.
    pub swept: bool,
    /// Whether another node was sealing at the same time; what was left is that node's, or the next run's.
    pub overtaken: bool,
    /// Whether the chain is not the one of the run before any more: it was cut or made anew, which `coinlink audit verify`
    /// tells more of.
    pub damaged: bool,
}

/// What one run leaves to the next.
#[derive(Default)]
struct Memory {
    prepared: Option<Duration>,
    /// When the last sweep that came to its end began.
    swept: Option<Duration>,
    sweeping: Option<Sweep>,
    looked_back: Option<Duration>,
    head: Option<Head>,
    end_was_missing: bool,
}

/// A sweep that is under way.
#[derive(Clone, Copy)]
struct Sweep {
    began: Duration,
    /// Up to where it came.
    after: Option<LogPlace>,
}

/// Appends seals to the chain, in the order in which it finds entries, and signs checkpoints. Any number of nodes may run it.
pub struct SealAudit {
    chain: Arc<dyn AuditChain>,
    clock: Arc<dyn Clock>,
    key: CheckpointKey,
    seen: Seen,
    memory: Mutex<Memory>,
}

/// Told of each entry once it is sealed.
type Seen = Box<dyn Fn(&AuditEntry) + Send + Sync>;

impl SealAudit {
    /// Seals `chain` and signs with `key`.
    pub fn new(chain: Arc<dyn AuditChain>, clock: Arc<dyn Clock>, key: CheckpointKey) -> Self {
        Self { chain, clock, key, seen: Box::new(|_| {}), memory: Mutex::default() }
    }

    /// Tells `seen` of each entry once it is sealed, by this node.
    #[must_use]
    pub fn telling(self, seen: impl Fn(&AuditEntry) + Send + Sync + 'static) -> Self {
        Self { seen: Box::new(seen), ..self }
    }

    /// One run: all that is committed and not sealed, from a moment before the newest sealed entry on, and once a minute from ten
    /// minutes before it; then a part of the sweep over the whole log that begins at first and once an hour. A run each second
    /// costs little, however long the log is.
    pub async fn execute(&self) -> Result<SealReport, StoreError> {
        let started = self.clock.monotonic();
        self.prepare(started).await;
        let end = self.chain.end().await?;
        let is_due = |last: Option<Duration>, every| last.is_none_or(|last| started - last >= every);
        let look_back = self.remembering(|memory| is_due(memory.looked_back, LOOK_BACK_EVERY));
        let overlap = if look_back { LOOK_BACK } else { OVERLAP };
        let mut run = Run { report: SealReport { damaged: self.is_damaged(&end), ..SealReport::default() }, ..Run::after(&end) };
        let done = self.seal(self.resume(&end, overlap), look_back, started, &mut run).await;
        self.remembering(|memory| memory.head = Some(run.head));
        done.map(|()| run.report)
    }

    /// What is new, and then a part of the sweep.
    async fn seal(&self, from: Option<LogPlace>, look_back: bool, started: Duration, run: &mut Run) -> Result<(), StoreError> {
        let mut after = from;
        loop {
            after = self.seal_stretch(after, run).await?;
            if after.is_none() {
                break;
            }
        }
        if run.report.overtaken {
            return Ok(());
        }
        let sweep_is_due = self.remembering(|memory| {
            memory.looked_back = if look_back { Some(started) } else { memory.looked_back };
            if memory.sweeping.is_none() && memory.swept.is_none_or(|swept| started - swept >= SWEEP_EVERY) {
                memory.sweeping = Some(Sweep { began: started, after: None });
            }
            memory.sweeping.is_some()
        });
        match (sweep_is_due, from) {
            (true, Some(_)) => self.sweep(run).await,
            // All of it was looked at just now.
            (true, None) => {
                self.end_sweep(run);
                Ok(())
            }
            (false, _) => Ok(()),
        }
    }

    /// Goes on with the sweep where it was, however the run before ended.
    async fn sweep(&self, run: &mut Run) -> Result<(), StoreError> {
        for _ in 0..SWEPT_AT_ONCE {
            let after = self.remembering(|memory| memory.sweeping.and_then(|sweep| sweep.after));
            let next = self.seal_stretch(after, run).await?;
            if run.report.overtaken {
                return Ok(());
            }
            if next.is_none() {
                self.end_sweep(run);
                return Ok(());
            }
            self.remembering(|memory| memory.sweeping = memory.sweeping.map(|sweep| Sweep { after: next, ..sweep }));
        }
        Ok(())
    }

    fn end_sweep(&self, run: &mut Run) {
        run.report.swept = true;
        self.remembering(|memory| memory.swept = memory.sweeping.take().map(|sweep| sweep.began));
    }

    /// Seals one stretch of the log. Where the next one begins; none at the end, and where another node is faster.
    async fn seal_stretch(&self, after: Option<LogPlace>, run: &mut Run) -> Result<Option<LogPlace>, StoreError> {
        let page = self.chain.unsealed(after, BATCH).await?;
        run.foreign(&page.foreign);
        let (now, mut head) = (self.clock.now(), run.head);
        let seals: Vec<_> = page.entries.iter().map(|entry| head.seal(entry, now)).collect();
        let checkpoint = run.is_due(head, now).then(|| self.key.sign(head, now));
        if !seals.is_empty() || checkpoint.is_some() {
            if self.chain.append(run.head, &seals, checkpoint.as_ref()).await? == Appended::Overtaken {
                run.report.overtaken = true;
                return Ok(None);
            }
            run.head = head;
            run.report.sealed += seals.len() as u64;
            page.entries.iter().for_each(&self.seen);
        }
        if let Some(checkpoint) = checkpoint {
            run.signed = Some((checkpoint.seq, checkpoint.at));
            run.report.checkpoints += 1;
            // Kept outside the database, with the other logs, it proves what nobody can change there unnoticed.
            tracing::info!(target: "coinlink::audit", %checkpoint, "audit checkpoint");
        }
        Ok(page.next)
    }

    /// Entries can be stored without it, so that it stops nothing.
    async fn prepare(&self, started: Duration) {
        let due = self.remembering(|memory| memory.prepared.is_none_or(|prepared| started - prepared >= PREPARE_EVERY));
        if due {
            match self.chain.prepare().await {
                Ok(()) => self.remembering(|memory| memory.prepared = Some(started)),
                Err(error) => {
                    tracing::warn!(target: "coinlink::audit", %error, "no room was made for the coming months of the audit log");
                }
            }
        }
    }

    /// A clock that once went wrong must not hide what is added from now on.
    fn resume(&self, end: &ChainEnd, overlap: Duration) -> Option<LogPlace> {
        let newest = end.newest_entry?.min(self.clock.now());
        Some(LogPlace { at: newest.checked_sub(overlap)?, id: Uuid::nil() })
    }

    /// Said once, and not in each run until somebody has looked.
    fn is_damaged(&self, end: &ChainEnd) -> bool {
        let head = end.seal.as_ref().map_or(Head::EMPTY, Seal::head);
        let signed = end.checkpoint.map_or(0, |checkpoint| checkpoint.seq);
        let changed = self.remembering(|memory| {
            let other = |known: Head| head.seq < known.seq || (head.seq == known.seq && head != known);
            let end_is_missing = head.seq < signed;
            let changed = memory.head.is_some_and(other) || (end_is_missing && !memory.end_was_missing);
            memory.end_was_missing = end_is_missing;
            changed
        });
        if changed {
            tracing::error!(target: "coinlink::audit", seq = head.seq, signed, "the audit chain was cut or made anew: run `coinlink audit verify`");
        }
        changed
    }

    fn remembering<T>(&self, with: impl FnOnce(&mut Memory) -> T) -> T {
        with(&mut self.memory.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

struct Run {
    head: Head,
    signed: Option<(i64, OffsetDateTime)>,
    report: SealReport,
}

impl Run {
    fn after(end: &ChainEnd) -> Self {
        Self {
            head: end.seal.as_ref().map_or(Head::EMPTY, Seal::head),
            signed: end.checkpoint.map(|checkpoint| (checkpoint.seq, checkpoint.at)),
            report: SealReport::default(),
        }
    }

    /// Whether a chain that goes to `head` should be signed.
    fn is_due(&self, head: Head, now: OffsetDateTime) -> bool {
        match self.signed {
            None => head.seq > 0,
            Some((seq, at)) => head.seq > seq && (head.seq - seq >= SIGN_AFTER || now - at >= SIGN_EVERY),
        }
    }

    fn foreign(&mut self, rows: &[Uuid]) {
        self.report.foreign += rows.len() as u64;
        if let Some(first) = rows.first() {
            let rows = rows.len();
            tracing::error!(target: "coinlink::audit", rows, %first, "rows of the audit log that this program did not write: run `coinlink audit verify`");
        }
    }
}
