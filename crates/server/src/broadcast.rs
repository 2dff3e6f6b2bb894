//! The newest tick on this node, encoded once for everybody who reads it.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use coinlink_domain::market::{Accepted, Resumption, Tick, TickId, TickLog};
use coinlink_ports::{
    market::{CurrentPrices, CurrentTick, TickAudience},
    shared::Clock,
};
use serde_json::value::RawValue;
use tokio::sync::watch;

use crate::{
    wire::{self, Shown},
    ws::frame,
};

/// The most that a tick counts as under way from its leader. By two clocks, of which one may be wrong.
const UNDER_WAY: time::Duration = time::Duration::seconds(1);
/// Ticks a returning client may catch up on: five minutes of them.
const KEPT: usize = 60;

/// One showing of the ticker, in every encoding that is shared.
#[derive(Debug)]
pub struct Published {
    /// The tick; `None` until the first one.
    pub tick: Option<Arc<Tick>>,
    /// Old, replayed, or nothing was ever known.
    pub stale: bool,
    /// 0 for the tick itself, then counting its replays.
    pub replay: u64,
    /// When this showing was made.
    pub at: time::OffsetDateTime,
    /// When the provider's answer was there that is new in it, by this node's monotonic clock; `None` where nothing is.
    pub received: Option<time::Duration>,
    /// The whole list as a WebSocket text frame, header included.
    pub frame: Bytes,
    /// The same as a server-sent event.
    pub event: Bytes,
    /// The body of `GET /api/crypto/ticker`.
    pub ticker_json: Bytes,
    /// The body of `GET /api/bitcoin/price`.
    pub bitcoin_json: Option<Bytes>,
    /// The `bitcoin_price` frame for those who joined its channel, header included.
    pub bitcoin_frame: Option<Bytes>,
    /// Strong entity tag of `ticker_json`, quoted.
    pub etag_ticker: Arc<str>,
    /// Strong entity tag of `bitcoin_json`, quoted.
    pub etag_bitcoin: Arc<str>,
    /// The list alone, shared by the tick's replays.
    data: Arc<RawValue>,
}

impl Published {
    fn new(tick: &Arc<Tick>, data: Arc<RawValue>, replay: u64, at: time::OffsetDateTime) -> Self {
        let shown = Shown { tick, at, stale: tick.stale || replay > 0, replay };
        let update = shown.update(&data);
        let TickId { epoch, seq } = tick.id;
        let tag = |what| Arc::from(format!("\"{what}-{epoch}-{seq}-{replay}\""));
        Self {
            tick: Some(Arc::clone(tick)),
            stale: shown.stale,
            replay,
            at,
            received: None,
            frame: frame::text(&update),
            event: event(tick.id, &update),
            ticker_json: shown.listing(&data).into(),
            bitcoin_json: shown.bitcoin().map(Bytes::from),
            bitcoin_frame: shown.bitcoin_price().map(|json| frame::text(&json)),
            etag_ticker: tag("ticker"),
            etag_bitcoin: tag("bitcoin"),
            data,
        }
    }

    /// What is shown before the first tick: an empty list, marked stale.
    fn nothing(at: time::OffsetDateTime) -> Self {
        let tick = Arc::new(Tick {
            id: TickId { epoch: 0, seq: 0 },
            timestamp: at,
            source: None,
            as_of: None,
            stale: true,
            held: None,
            items: Arc::new([]),
        });
        let data = Arc::from(wire::data(&tick, |_| true));
        Self { tick: None, ..Self::new(&tick, data, 0, at) }
    }

    /// The tick's place in the order; zeros before the first one.
    pub fn id(&self) -> TickId {
        self.tick.as_ref().map_or(TickId { epoch: 0, seq: 0 }, |tick| tick.id)
    }
}

fn event(id: TickId, json: &[u8]) -> Bytes {
    let mut event = format!("id: {}-{}\nevent: crypto_ticker_update\ndata: ", id.epoch, id.seq).into_bytes();
    event.extend_from_slice(json);
    event.extend_from_slice(b"\n\n");
    event.into()
}

/// The ticks a client may catch up on, and their frames, so that a thousand returning clients share them.
struct Past {
    log: TickLog,
    frames: VecDeque<(TickId, Bytes)>,
}

/// Hands each new tick to the sockets and routes of this node.
#[derive(Clone)]
pub struct Broadcaster {
    past: Arc<Mutex<Past>>,
    published: watch::Sender<Arc<Published>>,
    clock: Arc<dyn Clock>,
}

impl Broadcaster {
    /// A broadcaster that has seen nothing.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let nothing = Arc::new(Published::nothing(clock.now()));
        Self {
            past: Arc::new(Mutex::new(Past { log: TickLog::new(KEPT), frames: VecDeque::new() })),
            published: watch::Sender::new(nothing),
            clock,
        }
    }

    /// The newest showing.
    pub fn current(&self) -> Arc<Published> {
        Arc::clone(&self.published.borrow())
    }

    /// Tells of each showing after this call; only the newest is kept for a slow reader.
    pub fn watch(&self) -> watch::Receiver<Arc<Published>> {
        self.published.subscribe()
    }

    /// What a client whose last tick was `last` gets.
    pub fn resume(&self, last: TickId) -> Resumption {
        self.past().log.resume(last)
    }

    /// The whole list of a past tick as a frame.
    pub fn frame_of(&self, tick: &Arc<Tick>) -> Bytes {
        let kept = self.past().frames.iter().find(|(id, _)| *id == tick.id).map(|(_, frame)| frame.clone());
        kept.unwrap_or_else(|| Published::new(tick, Arc::from(wire::data(tick, |_| true)), 0, tick.timestamp).frame)
    }

    /// The whole list of a past tick as a server-sent event.
    pub fn event_of(&self, tick: &Arc<Tick>) -> Bytes {
        let data = wire::data(tick, |_| true);
        let shown = Shown { tick, at: tick.timestamp, stale: tick.stale, replay: 0 };
        event(tick.id, &shown.update(&data))
    }

    /// How long it took from its leader to here.
    fn under_way(&self, tick: &Tick) -> time::Duration {
        (self.clock.now() - tick.timestamp).clamp(time::Duration::ZERO, UNDER_WAY)
    }

    fn past(&self) -> MutexGuard<'_, Past> {
        self.past.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CurrentPrices for Broadcaster {
    fn current(&self) -> Option<CurrentTick> {
        let shown = Self::current(self);
        shown.tick.as_ref().map(|tick| CurrentTick { tick: Arc::clone(tick), stale: shown.stale })
    }
}

impl TickAudience for Broadcaster {
    fn deliver(&self, tick: Arc<Tick>) {
        let data = Arc::from(wire::data(&tick, |_| true));
        let received = tick.held.map(|held| self.clock.monotonic() - held - self.under_way(&tick));
        let published = Published { received, ..Published::new(&tick, data, 0, tick.timestamp) };
        {
            let mut past = self.past();
            if past.log.accept(tick) == Accepted::NotNewer {
                return;
            }
            if past.frames.len() == KEPT {
                past.frames.pop_front();
            }
            past.frames.push_back((published.id(), published.frame.clone()));
        }
        self.published.send_replace(Arc::new(published));
    }

    fn replay_stale(&self) {
        let current = self.current();
        let now = self.clock.now();
        let next = match &current.tick {
            Some(tick) => Published::new(tick, Arc::clone(&current.data), current.replay + 1, now),
            None => Published { replay: current.replay + 1, ..Published::nothing(now) },
        };
        self.published.send_replace(Arc::new(next));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use coinlink_testkit::{
        market::{NOON, a_tick},
        shared::StoppedClock,
    };
    use time::Duration;

    /// How long ago what is new in a tick was there, for a node that takes it `later` than its leader's clock said.
    fn received_ago(later: Duration, held: Option<Duration>) -> Option<Duration> {
        let clock = Arc::new(StoppedClock::at(NOON + later));
        clock.advance(Duration::HOUR);
        clock.set(NOON + later);
        let broadcaster = Broadcaster::new(clock.clone());
        broadcaster.deliver(Arc::new(Tick { held, ..a_tick(1, 1) }));
        broadcaster.current().received.map(|received| clock.monotonic() - received)
    }

    #[test]
    fn an_answer_is_as_old_as_its_leader_held_it_and_it_was_under_way() {
        let held = Some(Duration::milliseconds(2_200));
        assert_eq!(received_ago(Duration::milliseconds(30), held), Some(Duration::milliseconds(2_230)));
        assert_eq!(received_ago(Duration::ZERO, None), None, "nothing is new in it");
    }

    #[test]
    fn a_clock_that_is_wrong_adds_a_second_at_most_and_takes_nothing_away() {
        let held = Some(Duration::milliseconds(2_200));
        assert_eq!(received_ago(Duration::HOUR, held), Some(Duration::milliseconds(3_200)));
        assert_eq!(received_ago(-Duration::HOUR, held), held);
    }

    #[test]
    fn a_recalled_list_has_a_place_before_every_tick_and_never_comes_after_one() {
        let broadcaster = Broadcaster::new(Arc::new(StoppedClock::at(NOON)));
        let nothing = broadcaster.current().etag_ticker.clone();
        let recalled = Arc::new(Tick { id: TickId::recalled(NOON), stale: true, ..a_tick(1, 1) });
        broadcaster.deliver(Arc::clone(&recalled));
        let shown = broadcaster.current();
        let body: serde_json::Value = serde_json::from_slice(&shown.ticker_json).unwrap();
        assert_eq!((&body["epoch"], body["seq"].as_u64()), (&0.into(), Some(recalled.id.seq)));
        assert!(shown.stale && shown.etag_ticker != nothing);
        broadcaster.deliver(Arc::new(a_tick(1, 1)));
        assert_eq!(broadcaster.resume(recalled.id), Resumption::Recovered(vec![Arc::new(a_tick(1, 1))]));
        broadcaster.deliver(Arc::new(Tick { id: TickId::recalled(NOON + Duration::DAY), ..(*recalled).clone() }));
        assert_eq!(broadcaster.current().id(), TickId { epoch: 1, seq: 1 });
    }

    #[test]
    fn a_replay_is_of_no_new_answer() {
        let broadcaster = Broadcaster::new(Arc::new(StoppedClock::at(NOON)));
        broadcaster.deliver(Arc::new(Tick { held: Some(Duration::ZERO), ..a_tick(1, 1) }));
        assert!(broadcaster.current().received.is_some());
        broadcaster.replay_stale();
        assert_eq!(broadcaster.current().received, None);
    }
}
