//! Whether what this node depends on answers.

use std::sync::Arc;

use coinlink_ports::{
    operations::DependencyProbe,
    shared::{Clock, Pause},
};
use futures_util::{
    future::{Either, join_all, select},
    lock::Mutex,
};
use time::Duration;

/// A dependency that takes longer is as good as gone.
const PROBE_WITHIN: Duration = Duration::milliseconds(250);
/// However many ask, a dependency is asked once in this time.
const SHARED_FOR: Duration = Duration::SECOND;

/// Why a dependency is not usable. What it said goes to the log, not to whoever asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckFailure {
    /// It did not answer within 250 ms.
    Slow,
    /// It cannot be reached, or answered with an error.
    Failed,
}

/// What one dependency answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Check {
    /// The dependency: `database` or `redis`.
    pub name: &'static str,
    /// How long it took, or why it is not usable.
    pub outcome: Result<Duration, CheckFailure>,
}

/// What all dependencies answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readiness {
    /// One check each.
    pub checks: Vec<Check>,
}

impl Readiness {
    /// Whether all of them are usable.
    pub fn is_ready(&self) -> bool {
        self.checks.iter().all(|check| check.outcome.is_ok())
    }

    /// Whether the dependency of that name is there and usable.
    pub fn is_up(&self, name: &str) -> bool {
        self.checks.iter().any(|check| check.name == name && check.outcome.is_ok())
    }
}

struct Shared {
    at: Duration,
    readiness: Arc<Readiness>,
}

/// Asks every dependency at once; the answer is shared for a second.
pub struct CheckReadiness {
    probes: Vec<Arc<dyn DependencyProbe>>,
    clock: Arc<dyn Clock>,
    pause: Arc<dyn Pause>,
    shared: Mutex<Option<Shared>>,
}

impl CheckReadiness {
    /// Asks `probes`.
    pub fn new(probes: Vec<Arc<dyn DependencyProbe>>, clock: Arc<dyn Clock>, pause: Arc<dyn Pause>) -> Self {
        Self { probes, clock, pause, shared: Mutex::new(None) }
    }

    /// What the dependencies answered within the last second. Those who ask while they are being asked wait for the same
    /// answer: the lock is held meanwhile, 250 ms at most.
    pub async fn execute(&self) -> Arc<Readiness> {
        let mut shared = self.shared.lock().await;
        if let Some(known) = shared.as_ref().filter(|known| self.clock.monotonic() - known.at < SHARED_FOR) {
            return Arc::clone(&known.readiness);
        }
        let was = shared.as_ref().map(|known| Arc::clone(&known.readiness));
        let checks = join_all(self.probes.iter().map(|probe| self.check(probe.as_ref(), was.as_deref()))).await;
        let readiness = Arc::new(Readiness { checks });
        *shared = Some(Shared { at: self.clock.monotonic(), readiness: Arc::clone(&readiness) });
        readiness
    }

    async fn check(&self, probe: &dyn DependencyProbe, was: Option<&Readiness>) -> Check {
        let name = probe.name();
        let start = self.clock.monotonic();
        let outcome = match select(probe.check(), self.pause.pause(PROBE_WITHIN)).await {
            Either::Left((Ok(()), _)) => Ok(self.clock.monotonic() - start),
            Either::Left((Err(error), _)) => Err((CheckFailure::Failed, error)),
            Either::Right(_) => Err((CheckFailure::Slow, "no answer within 250 ms".to_owned())),
        };
        // Said when it changes: probes come every few seconds, for as long as an outage lasts.
        let was_up = was.map(|was| was.is_up(name));
        match &outcome {
            Ok(_) if was_up == Some(false) => tracing::info!(dependency = name, "dependency is back"),
            Err((_, error)) if was_up != Some(false) => tracing::warn!(dependency = name, error, "dependency is gone"),
            _ => {}
        }
        Check { name, outcome: outcome.map_err(|(failure, _)| failure) }
    }
}

#[cfg(test)]
mod tests;
