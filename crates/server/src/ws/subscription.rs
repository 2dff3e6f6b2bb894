//! Which part of the ticker a connection wants, and its frames, encoded once for all who want the same.

use std::{collections::BTreeSet, sync::Arc};

use bytes::Bytes;
use coinlink_domain::market::{Symbol, Tick, TickId};

use super::frame;
use crate::{
    broadcast::Published,
    wire::{self, Shown},
};

/// A client's own view. Connections without one get the full list as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Subscription {
    pub(super) symbols: Option<Arc<BTreeSet<Symbol>>>,
    pub(super) delta: bool,
    pub(super) interval_ms: u32,
}

/// The frames made for one showing, by what they depend on. Few clients filter, so a list is enough.
#[derive(Default)]
pub(super) struct Encoded {
    of: Option<(TickId, u64)>,
    frames: Vec<(View, Bytes)>,
}

/// The symbols wanted, and the tick that a delta builds on.
type View = (Option<Arc<BTreeSet<Symbol>>>, Option<TickId>);

/// Frames kept for one showing; beyond, each client's is made for it alone.
const KEPT: usize = 64;

impl Subscription {
    fn wants(&self, symbol: &str) -> bool {
        self.symbols.as_ref().is_none_or(|symbols| symbols.iter().any(|wanted| wanted.as_str() == symbol))
    }

    /// The frame of `shown` for this view: a delta when one is wanted and `last` was this client's last tick.
    pub(super) fn frame(&self, shown: &Published, last: Option<&Arc<Tick>>, encoded: &mut Encoded) -> Bytes {
        let Some(tick) = &shown.tick else { return shown.frame.clone() };
        let base = last.filter(|_| self.delta);
        let view: View = (self.symbols.clone(), base.map(|base| base.id));
        if encoded.of != Some((tick.id, shown.replay)) {
            *encoded = Encoded { of: Some((tick.id, shown.replay)), frames: Vec::new() };
        }
        if let Some((_, frame)) = encoded.frames.iter().find(|(known, _)| *known == view) {
            return frame.clone();
        }
        let showing = Shown { tick, at: shown.at, stale: shown.stale, replay: shown.replay };
        let json = match base {
            Some(base) => showing.delta(base, |symbol| self.wants(symbol)),
            None => showing.update(&wire::data(tick, |symbol| self.wants(symbol))),
        };
        let frame = frame::text(&json);
        if encoded.frames.len() < KEPT {
            encoded.frames.push((view, frame.clone()));
        }
        frame
    }

    /// The full frame of one past tick for this view.
    pub(super) fn frame_of(&self, tick: &Tick) -> Bytes {
        let shown = Shown { tick, at: tick.timestamp, stale: tick.stale, replay: 0 };
        frame::text(&shown.update(&wire::data(tick, |symbol| self.wants(symbol))))
    }
}
