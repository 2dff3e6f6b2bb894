//! What the leading node's other jobs hear of: whether it leads, and each tick that it published.

use std::sync::Arc;

use coinlink_domain::market::Tick;
use tokio::sync::{mpsc, watch};
use tracing::Span;

/// Ticks that may wait for a job that is busy: five minutes of them.
const WAITING: usize = 60;

/// A tick, and the span it was published in: what is done about it belongs to the same trace.
pub struct LedTick {
    pub tick: Arc<Tick>,
    pub span: Span,
}

/// Tells jobs of leadership and of ticks.
pub struct Led {
    leading: watch::Sender<bool>,
    listeners: Vec<(&'static str, mpsc::Sender<LedTick>)>,
}

impl Default for Led {
    fn default() -> Self {
        Self { leading: watch::Sender::new(false), listeners: Vec::new() }
    }
}

impl Led {
    /// Whether this node leads, from now on.
    pub fn leading(&self) -> watch::Receiver<bool> {
        self.leading.subscribe()
    }

    /// Every tick that this node publishes as the leader, in order, for the job `name`.
    pub fn ticks(&mut self, name: &'static str) -> mpsc::Receiver<LedTick> {
        let (listener, ticks) = mpsc::channel(WAITING);
        self.listeners.push((name, listener));
        ticks
    }

    pub(super) fn leads(&self, leads: bool) {
        self.leading.send_if_modified(|before| std::mem::replace(before, leads) != leads);
    }

    /// A listener that is five minutes behind misses a tick: prices wait for nobody.
    pub(super) fn published(&self, tick: &Arc<Tick>) {
        for (name, listener) in &self.listeners {
            if listener.try_send(LedTick { tick: Arc::clone(tick), span: Span::current() }).is_err() {
                tracing::warn!(job = name, "a tick was missed: the job is too far behind, or ended");
            }
        }
    }
}
