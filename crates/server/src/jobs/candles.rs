//! What the leading node does about price history: it collects ticks, and removes what is too old.

use std::time::Duration as StdDuration;

use coinlink_application::market::{PruneCandles, RecordCandles};
use coinlink_ports::market::Pruned;
use tokio::sync::{mpsc, watch};
use tracing::Instrument as _;

use super::{
    led::LedTick,
    upkeep::{BREATH, Told},
};
use crate::telemetry::Metrics;

/// A month that somebody read is tried again after it.
const PRUNE_EVERY: StdDuration = StdDuration::from_mins(10);

/// Collects ticks until there come no more; what was collected then is stored.
pub async fn record_candles(
    mut record: RecordCandles,
    mut ticks: mpsc::Receiver<LedTick>,
    mut leading: watch::Receiver<bool>,
    metrics: Metrics,
) {
    let mut told = Told::of(&metrics, "record_candles", "storing candles");
    loop {
        tokio::select! {
            biased;
            tick = ticks.recv() => match tick {
                Some(LedTick { tick, span }) => { told.tell(record.execute(&tick).instrument(span).await); }
                None => break,
            },
            Ok(()) = leading.changed() => if !*leading.borrow_and_update() {
                told.tell(record.store().await);
                record.begin_anew();
            },
        }
        let left_out = record.left_out();
        if left_out > 0 {
            metrics.candles_left_out.inc_by(left_out);
        }
    }
    told.tell(record.store().await);
}

/// Makes room for the months that come and removes what is too old, while this node leads.
pub async fn prune_candles(prune: PruneCandles, mut leading: watch::Receiver<bool>, metrics: Metrics) {
    let mut told = Told::of(&metrics, "prune_candles", "removing old candles");
    loop {
        if leading.wait_for(|leads| *leads).await.is_err() {
            // Nobody leads any more: the node ends.
            return std::future::pending().await;
        }
        told.tell(prune.prepare().await);
        while told.tell(prune.execute().await) == Some(Pruned::More) && *leading.borrow() {
            tokio::time::sleep(BREATH).await;
        }
        tokio::time::sleep(PRUNE_EVERY).await;
    }
}
