//! Goes on where somebody counted further who is gone: its clock was ahead, or what the nodes share was lost.

use coinlink_domain::market::{Tick, TickId};
use time::Duration;

use super::evaluate_alerts::{EvaluateAlerts, EvaluationError};

/// For so long nobody must have evaluated anything: whoever is there does with each tick, every 5 s.
const QUIET: Duration = Duration::seconds(30);

/// What stands in the way.
#[derive(Clone, Copy)]
pub(super) struct HeldUp {
    /// What was evaluated last.
    by: TickId,
    /// Since when that has been so.
    since: Duration,
    /// The first tick that could not be evaluated.
    first: TickId,
}

impl EvaluateAlerts {
    /// Whether a leader of a later epoch than `tick`'s evaluated last, and may be there. Where it is gone, what it noted is
    /// replaced, and all ticks from the first that was held up are evaluated.
    ///
    /// A leader is gone for certain where the bus knows it not, since what is evaluated was published before, and the bus takes
    /// nothing older afterwards. Nodes that are being moved to another bus may have one each: theirs does not stay quiet.
    pub(super) async fn is_held_up(&mut self, tick: &Tick) -> Result<bool, EvaluationError> {
        let before = self.held_up.take();
        let noted = self.parts.reads.last_evaluated().await?;
        let Some(by) = noted.filter(|noted| noted.epoch > tick.id.epoch) else { return Ok(false) };
        // Asked after what is noted was read: no older tick can be the newest of a bus that `by` was published on.
        let newest = self.parts.bus.snapshot().await?;
        if newest.is_none_or(|newest| newest.id.epoch != tick.id.epoch) {
            return Ok(true);
        }
        let now = self.parts.clock.monotonic();
        let held = before.filter(|held| held.by == by && held.first.epoch == tick.id.epoch).unwrap_or_else(|| {
            tracing::warn!(
                epoch = tick.id.epoch,
                evaluated = by.epoch,
                "alerts were evaluated by a later leader that the bus does not know; they wait until it is certain that it is gone"
            );
            HeldUp { by, since: now, first: tick.id }
        });
        self.held_up = Some(held);
        if now - held.since < QUIET {
            return Ok(true);
        }
        let to = TickId { epoch: held.first.epoch, seq: held.first.seq.saturating_sub(1) };
        let mut tx = self.parts.store.begin().await?;
        if !tx.alerts().hand_over(by, to).await? {
            return Ok(true);
        }
        tx.commit().await?;
        self.held_up = None;
        tracing::warn!(from = ?by, ?to, "the later leader is gone: alerts are evaluated from this leader's ticks on");
        Ok(false)
    }
}
