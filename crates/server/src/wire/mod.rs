//! The market's shapes on the wire: socket frames and the bodies of the price routes.

mod live;
mod said;

use std::num::NonZero;

use coinlink_domain::market::{Tick, TickDelta, TickItem};
use rust_decimal::Decimal;
use serde::{Serialize, Serializer, ser::SerializeSeq};
use serde_json::value::RawValue;
use time::{Duration, OffsetDateTime, UtcOffset, format_description::StaticFormatDescription, macros::format_description};

pub use live::{live_frames, market_news, prompt_feed};
pub use said::Said;

/// As long for every moment, so that texts sort as the moments do; the microseconds are what the store keeps.
const MOMENT: StaticFormatDescription =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]Z");

/// RFC 3339 in UTC, as every time on the wire.
pub fn rfc3339(at: OffsetDateTime) -> String {
    at.to_offset(UtcOffset::UTC).format(&MOMENT).unwrap_or_default()
}

/// Whole seconds, rounded up: a client that comes back a second too early is one too early.
pub fn seconds_up(duration: time::Duration) -> i64 {
    duration.whole_seconds() + i64::from(duration.subsec_nanoseconds() > 0)
}

/// A decimal as a JSON number with every digit it has.
pub fn exact<S: Serializer>(value: &Decimal, serializer: S) -> Result<S::Ok, S::Error> {
    RawValue::from_string(value.normalize().to_string()).map_err(serde::ser::Error::custom)?.serialize(serializer)
}

/// The same, or null where it is not known.
pub fn exact_option<S: Serializer>(value: &Option<Decimal>, serializer: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => exact(value, serializer),
        None => serializer.serialize_none(),
    }
}

#[derive(Serialize)]
struct Item<'a> {
    symbol: &'a str,
    #[serde(serialize_with = "exact")]
    price: Decimal,
    #[serde(serialize_with = "exact_option")]
    change_24h: Option<Decimal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rank: Option<u32>,
    source: &'static str,
    as_of: String,
    stale: bool,
}

impl<'a> Item<'a> {
    fn new(item: &'a TickItem, ranked: bool) -> Self {
        let quote = &item.quote;
        Self {
            symbol: quote.symbol.as_str(),
            price: quote.price.usd(),
            change_24h: quote.change_24h.map(coinlink_domain::market::Percent::value),
            rank: quote.rank.filter(|_| ranked).map(NonZero::get),
            source: quote.source.name(),
            as_of: rfc3339(quote.as_of),
            stale: item.stale,
        }
    }
}

/// Lines for the front end: it sorts by rank only when every line has one.
struct Items<'a> {
    items: Vec<&'a TickItem>,
    ranked: bool,
}

impl Serialize for Items<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.items.len()))?;
        for item in &self.items {
            list.serialize_element(&Item::new(item, self.ranked))?;
        }
        list.end()
    }
}

fn is_ranked(tick: &Tick) -> bool {
    tick.items.iter().all(|item| item.quote.rank.is_some())
}

/// The lines of `tick` that `wanted` keeps, as a JSON array.
pub fn data(tick: &Tick, wanted: impl Fn(&str) -> bool) -> Box<RawValue> {
    let items = tick.items.iter().filter(|item| wanted(item.quote.symbol.as_str())).collect();
    raw(&Items { items, ranked: is_ranked(tick) })
}

/// The lines a delta adds or changes that `wanted` keeps, as a JSON array.
fn changed(delta: &TickDelta, ranked: bool, wanted: impl Fn(&str) -> bool) -> Box<RawValue> {
    let items = delta.changed.iter().filter(|item| wanted(item.quote.symbol.as_str())).collect();
    raw(&Items { items, ranked })
}

fn raw(value: &impl Serialize) -> Box<RawValue> {
    // Nothing of ours fails to serialise; an empty list is still valid JSON for whoever reads it.
    serde_json::value::to_raw_value(value).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

/// How a tick is shown now: it may be a replay of an old one.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    /// The tick.
    pub tick: &'a Tick,
    /// When this showing was made.
    pub at: OffsetDateTime,
    /// It is stale, whatever it said of itself.
    pub stale: bool,
    /// 0 for the tick itself, then counting its replays.
    pub replay: u64,
}

#[derive(Serialize)]
struct Frame<'a> {
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    data: &'a RawValue,
    #[serde(skip_serializing_if = "Option::is_none")]
    removed: Option<Vec<&'a str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    base: Option<Position>,
    timestamp: String,
    stale: bool,
    source: Option<&'static str>,
    as_of: Option<String>,
    age_ms: Option<i64>,
    epoch: Option<u64>,
    seq: Option<u64>,
    #[serde(skip_serializing_if = "is_zero")]
    replay: u64,
}

#[derive(Serialize)]
struct Position {
    epoch: u64,
    seq: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's `skip_serializing_if` passes a reference")]
fn is_zero(value: &u64) -> bool {
    *value == 0
}

/// Whole milliseconds.
pub fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.whole_milliseconds()).unwrap_or(i64::MAX)
}

impl<'a> Shown<'a> {
    fn frame(&self, kind: Option<&'static str>, data: &'a RawValue) -> Frame<'a> {
        let tick = self.tick;
        Frame {
            kind,
            data,
            removed: None,
            base: None,
            timestamp: rfc3339(self.at),
            stale: self.stale,
            source: tick.source.map(coinlink_domain::market::Source::name),
            as_of: tick.as_of.map(rfc3339),
            age_ms: tick.age(self.at).map(millis),
            // Before the first tick there is no place in the order. A recalled list has one, in epoch 0.
            epoch: (tick.id.seq > 0).then_some(tick.id.epoch),
            seq: (tick.id.seq > 0).then_some(tick.id.seq),
            replay: self.replay,
        }
    }

    /// The `crypto_ticker_update` frame around `data`.
    pub fn update(&self, data: &RawValue) -> Vec<u8> {
        json(&self.frame(Some(Said::Update.name()), data))
    }

    /// The body of `GET /api/crypto/ticker` around `data`.
    pub fn listing(&self, data: &RawValue) -> Vec<u8> {
        json(&self.frame(None, data))
    }

    /// The `crypto_ticker_delta` frame: what changed since `base`, of the symbols that `wanted` keeps.
    pub fn delta(&self, base: &Tick, wanted: impl Fn(&str) -> bool) -> Vec<u8> {
        let delta = TickDelta::between(base, self.tick);
        let data = changed(&delta, is_ranked(self.tick), &wanted);
        let removed = delta.removed.iter().map(coinlink_domain::market::Symbol::as_str).filter(|symbol| wanted(symbol)).collect();
        let base = Position { epoch: base.id.epoch, seq: base.id.seq };
        json(&Frame { removed: Some(removed), base: Some(base), ..self.frame(Some(Said::Delta.name()), &data) })
    }

    /// The body of `GET /api/bitcoin/price`; `None` while no price of BTC was ever known.
    pub fn bitcoin(&self) -> Option<Vec<u8>> {
        let item = self.tick.item("BTC")?;
        let quote = &item.quote;
        Some(json(&Bitcoin {
            data: BitcoinPrice {
                price: quote.price.usd(),
                change_24h: quote.change_24h.map(coinlink_domain::market::Percent::value),
                volume_24h: quote.volume_24h,
                timestamp: rfc3339(self.at),
                source: quote.source.name(),
                as_of: rfc3339(quote.as_of),
                age_ms: millis((self.at - quote.as_of).max(Duration::ZERO)),
                stale: item.stale || self.replay > 0,
            },
        }))
    }
}

#[derive(Serialize)]
struct Bitcoin {
    data: BitcoinPrice,
}

#[derive(Serialize)]
struct BitcoinPrice {
    #[serde(serialize_with = "exact")]
    price: Decimal,
    #[serde(serialize_with = "exact_option")]
    change_24h: Option<Decimal>,
    #[serde(serialize_with = "exact_option")]
    volume_24h: Option<Decimal>,
    timestamp: String,
    source: &'static str,
    as_of: String,
    age_ms: i64,
    stale: bool,
}

/// A value of ours as JSON bytes.
pub fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

#[cfg(test)]
mod tests;
