//! What keeps accounts and the audit log in order: none of it may end the node, all of it goes on after a failure.

use std::{fmt::Display, sync::Arc, time::Duration as StdDuration};

use coinlink_application::{
    identity::{FollowRevocations, NoteKeyUses, PruneIdentity, SignIn},
    operations::SealAudit,
};
use prometheus::IntCounter;
use tokio::time::{Interval, MissedTickBehavior, interval};

use crate::telemetry::Metrics;

/// The promise is a second from the end of a session to its refusal on every node.
const FOLLOW_EVERY: StdDuration = StdDuration::from_millis(500);
/// An entry that is not sealed yet could vanish unnoticed.
const SEAL_EVERY: StdDuration = StdDuration::from_secs(1);
const SETTLE_EVERY: StdDuration = StdDuration::from_secs(1);
const NOTE_EVERY: StdDuration = StdDuration::from_secs(1);
pub(super) const PRUNE_EVERY: StdDuration = StdDuration::from_hours(1);
/// Between the parts of a long pruning, so that others get their turn.
pub(super) const BREATH: StdDuration = StdDuration::from_millis(200);

/// Says that something began to fail and that it works again, not every time in between; counts every time.
pub(super) struct Told {
    what: &'static str,
    turns: [IntCounter; 2],
    failing: bool,
}

impl Told {
    /// Of the `job` that does `what`, counted by its name.
    pub(super) fn of(metrics: &Metrics, job: &str, what: &'static str) -> Self {
        Self { what, turns: metrics.job(job), failing: false }
    }

    pub(super) fn tell<T, E: Display>(&mut self, outcome: Result<T, E>) -> Option<T> {
        let what = self.what;
        self.turns[usize::from(outcome.is_err())].inc();
        match outcome {
            Ok(done) => {
                if std::mem::take(&mut self.failing) {
                    tracing::info!("{what} works again");
                }
                Some(done)
            }
            Err(error) => {
                if !std::mem::replace(&mut self.failing, true) {
                    tracing::warn!(%error, "{what} fails");
                }
                None
            }
        }
    }
}

/// Beats of this length; one that was missed is not made up for.
pub(super) fn beats(every: StdDuration) -> Interval {
    let mut beats = interval(every);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    beats
}

/// Now and then, does one part after the other until there is no more.
pub(super) async fn in_parts<E: Display, Part: Future<Output = Result<bool, E>>>(mut told: Told, part: impl Fn() -> Part) {
    let mut beats = beats(PRUNE_EVERY);
    loop {
        beats.tick().await;
        while told.tell(part().await) == Some(true) {
            tokio::time::sleep(BREATH).await;
        }
    }
}

/// Keeps this node's list of sessions that are over.
pub async fn follow_revocations(mut follow: FollowRevocations, metrics: Metrics) {
    let mut told = Told::of(&metrics, "follow_revocations", "reading which sessions are over");
    let mut beats = beats(FOLLOW_EVERY);
    loop {
        beats.tick().await;
        told.tell(follow.execute().await);
    }
}

/// Seals the audit log.
pub async fn seal_audit(seal: SealAudit, metrics: Metrics) {
    let mut told = Told::of(&metrics, "seal_audit", "sealing the audit log");
    let mut beats = beats(SEAL_EVERY);
    loop {
        beats.tick().await;
        told.tell(seal.execute().await);
    }
}

/// Gives back guesses that are owed since the store did not answer.
pub async fn settle_guesses(sign_in: Arc<SignIn>, metrics: Metrics) {
    let mut told = Told::of(&metrics, "settle_guesses", "giving guesses back");
    let mut beats = beats(SETTLE_EVERY);
    loop {
        beats.tick().await;
        told.tell(sign_in.settle().await);
    }
}

/// Writes down when API keys were used.
pub async fn note_key_uses(note: Arc<NoteKeyUses>, metrics: Metrics) {
    let mut told = Told::of(&metrics, "note_key_uses", "noting when API keys were used");
    let mut beats = beats(NOTE_EVERY);
    loop {
        beats.tick().await;
        told.tell(note.execute().await);
    }
}

/// Removes what nobody needs any more.
pub async fn prune(prune: PruneIdentity, metrics: Metrics) {
    in_parts(Told::of(&metrics, "prune_identity", "removing old sessions"), || prune.execute()).await;
}
