//! Keeps this node's copy of the signing keys.

use std::{sync::Arc, time::Duration as StdDuration};

use coinlink_credentials::{KeyFolderError, SigningKeys};
use coinlink_ports::identity::PublicKeys as _;
use tokio::time::{MissedTickBehavior, interval};

use crate::telemetry::Metrics;

/// A new key is published for minutes before it signs; who revokes one waits for this.
const LOOK_EVERY: StdDuration = StdDuration::from_secs(2);
/// A key that is published for so many seconds is known to every node before it signs: a look may just have been missed, and one
/// takes its time.
pub const NODES_KNOW_AFTER_SECS: u32 = 5;

/// Reads the folder's list every other second, and at once when a token names a key that is not known. The keys stay as they are while the
/// folder cannot be used.
pub async fn follow_signing_keys(keys: Arc<SigningKeys>, metrics: Metrics) {
    let mut beats = interval(LOOK_EVERY);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut failing = false;
    loop {
        tokio::select! {
            _ = beats.tick() => {}
            () = keys.wanted() => metrics.unknown_key_reads.inc(),
        }
        let asked = Arc::clone(&keys);
        // A folder on a network may take its time.
        let Ok(outcome) = tokio::task::spawn_blocking(move || asked.refresh()).await else { continue };
        failing = tell(&keys, &outcome, failing);
        metrics.signing_keys_stale.set(i64::from(failing));
    }
}

/// Says that something changed, that it began to fail and that it works again. Whether it fails.
fn tell(keys: &SigningKeys, outcome: &Result<bool, KeyFolderError>, failing: bool) -> bool {
    match outcome {
        Ok(changed) => {
            if *changed {
                let known: Vec<_> = keys.known().into_iter().map(|key| key.id).collect();
                tracing::info!(?known, "the signing keys have changed");
            } else if failing {
                tracing::info!("the signing keys can be read again");
            }
            false
        }
        Err(error) => {
            if !failing {
                tracing::error!(%error, "the signing keys cannot be read: those that are known stay in use");
            }
            true
        }
    }
}
