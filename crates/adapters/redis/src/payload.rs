//! A tick as it travels: JSON with a version, decimals as strings, times to the nanosecond. Fields it does not know are
//! passed over, so that a newer node may add some while older ones still run.

use std::{borrow::Cow, num::NonZeroU32};

use coinlink_domain::market::{Percent, Price, Quote, Source, Symbol, Tick, TickId, TickItem};
use coinlink_ports::shared::BusError;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime, UtcOffset, serde::rfc3339};

const VERSION: u32 = 1;

#[derive(Deserialize)]
struct Versioned {
    v: u32,
}

#[derive(Serialize, Deserialize)]
struct Payload<'a> {
    v: u32,
    epoch: u64,
    seq: u64,
    #[serde(with = "rfc3339")]
    timestamp: OffsetDateTime,
    #[serde(borrow)]
    source: Option<Cow<'a, str>>,
    #[serde(with = "rfc3339::option")]
    as_of: Option<OffsetDateTime>,
    stale: bool,
    /// Of nodes from the release on that measures it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    held_us: Option<u32>,
    #[serde(borrow)]
    items: Vec<Line<'a>>,
}

#[derive(Serialize, Deserialize)]
struct Line<'a> {
    symbol: Cow<'a, str>,
    name: Option<Cow<'a, str>>,
    rank: Option<NonZeroU32>,
    price: Cow<'a, str>,
    change_24h: Option<Cow<'a, str>>,
    high_24h: Option<Cow<'a, str>>,
    low_24h: Option<Cow<'a, str>>,
    volume_24h: Option<Cow<'a, str>>,
    market_cap: Option<Cow<'a, str>>,
    source: Cow<'a, str>,
    #[serde(with = "rfc3339")]
    as_of: OffsetDateTime,
    stale: bool,
}

pub(crate) fn encode(tick: &Tick) -> Result<Vec<u8>, BusError> {
    let payload = Payload {
        v: VERSION,
        epoch: tick.id.epoch,
        seq: tick.id.seq,
        timestamp: tick.timestamp.to_offset(UtcOffset::UTC),
        source: tick.source.map(|source| source.name().into()),
        as_of: tick.as_of.map(|as_of| as_of.to_offset(UtcOffset::UTC)),
        stale: tick.stale,
        held_us: tick.held.and_then(|held| u32::try_from(held.whole_microseconds()).ok()),
        items: tick.items.iter().map(line).collect(),
    };
    serde_json::to_vec(&payload).map_err(|error| BusError(format!("a tick that cannot be written: {error}")))
}

fn line(item: &TickItem) -> Line<'_> {
    let quote = &item.quote;
    let text = |decimal: Decimal| Cow::Owned(decimal.to_string());
    Line {
        symbol: quote.symbol.as_str().into(),
        name: quote.name.as_deref().map(Cow::Borrowed),
        rank: quote.rank,
        price: text(quote.price.usd()),
        change_24h: quote.change_24h.map(|change| text(change.value())),
        high_24h: quote.high_24h.map(|price| text(price.usd())),
        low_24h: quote.low_24h.map(|price| text(price.usd())),
        volume_24h: quote.volume_24h.map(text),
        market_cap: quote.market_cap.map(text),
        source: quote.source.name().into(),
        as_of: quote.as_of.to_offset(UtcOffset::UTC),
        stale: item.stale,
    }
}

/// The last whole number that Redis's scripts count exactly (2^53): what is beyond it no leader of ours has published, and
/// taking it over would fence all of them for good.
const LAST_NUMBER: u64 = 1 << 53;

pub(crate) fn decode(payload: &[u8]) -> Result<Tick, BusError> {
    try_decode(payload).map_err(|what| BusError(format!("a tick that cannot be read: {what}")))
}

fn try_decode(payload: &[u8]) -> Result<Tick, String> {
    let Versioned { v } = serde_json::from_slice(payload).map_err(|error| error.to_string())?;
    if v != VERSION {
        return Err(format!("version {v}"));
    }
    let payload: Payload = serde_json::from_slice(payload).map_err(|error| error.to_string())?;
    if payload.epoch > LAST_NUMBER || payload.seq > LAST_NUMBER {
        return Err("a number beyond the last that a leader can mint".to_owned());
    }
    Ok(Tick {
        id: TickId { epoch: payload.epoch, seq: payload.seq },
        timestamp: payload.timestamp,
        source: payload.source.as_deref().map(source).transpose()?,
        as_of: payload.as_of,
        stale: payload.stale,
        held: payload.held_us.map(|held| Duration::microseconds(held.into())),
        items: payload.items.into_iter().map(item).collect::<Result<_, _>>()?,
    })
}

fn item(line: Line<'_>) -> Result<TickItem, String> {
    let quote = Quote {
        symbol: Symbol::try_new(&line.symbol).map_err(|error| error.to_string())?,
        name: line.name.map(|name| name.as_ref().into()),
        rank: line.rank,
        price: price(&line.price)?,
        change_24h: line.change_24h.as_deref().map(decimal).transpose()?.map(Percent::new),
        high_24h: line.high_24h.as_deref().map(price).transpose()?,
        low_24h: line.low_24h.as_deref().map(price).transpose()?,
        volume_24h: line.volume_24h.as_deref().map(decimal).transpose()?,
        market_cap: line.market_cap.as_deref().map(decimal).transpose()?,
        source: source(&line.source)?,
        as_of: line.as_of,
    };
    Ok(TickItem { quote, stale: line.stale })
}

fn source(name: &str) -> Result<Source, String> {
    Source::from_name(name).ok_or_else(|| "an unknown source".into())
}

fn decimal(text: &str) -> Result<Decimal, String> {
    Decimal::from_str_exact(text).map_err(|error| error.to_string())
}

fn price(text: &str) -> Result<Price, String> {
    Price::try_new(decimal(text)?).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use coinlink_testkit::market::{a_full_tick, a_tick};
    use proptest::prelude::*;

    fn a_time() -> impl Strategy<Value = OffsetDateTime> {
        (0_i128..4_000_000_000_000_000_000, -14 * 60..14 * 60).prop_map(|(nanos, offset)| {
            let offset = UtcOffset::from_whole_seconds(offset * 60).unwrap();
            OffsetDateTime::from_unix_timestamp_nanos(nanos).unwrap().to_offset(offset)
        })
    }

    fn a_decimal() -> impl Strategy<Value = Decimal> {
        (any::<[u32; 3]>(), any::<bool>(), 0_u32..=28)
            .prop_map(|([lo, mid, hi], negative, scale)| Decimal::from_parts(lo, mid, hi, negative, scale))
    }

    fn a_price() -> impl Strategy<Value = Price> {
        a_decimal().prop_filter_map("zero", |decimal| Price::try_new(decimal.abs()).ok())
    }

    fn an_item() -> impl Strategy<Value = TickItem> {
        let names = (proptest::option::of(".{0,20}"), "[A-Z0-9._$+-]{1,20}", any::<u32>(), 0..Source::ALL.len());
        let prices =
            (a_price(), proptest::option::of(a_decimal()), proptest::option::of(a_price()), proptest::option::of(a_price()));
        let sums = (proptest::option::of(a_decimal()), proptest::option::of(a_decimal()));
        (names, prices, sums, a_time(), any::<bool>()).prop_map(|(names, prices, sums, as_of, stale)| TickItem {
            quote: Quote {
                symbol: Symbol::try_new(&names.1).unwrap(),
                name: names.0.map(Into::into),
                rank: NonZeroU32::new(names.2),
                price: prices.0,
                change_24h: prices.1.map(Percent::new),
                high_24h: prices.2,
                low_24h: prices.3,
                volume_24h: sums.0,
                market_cap: sums.1,
                source: Source::ALL[names.3],
                as_of,
            },
            stale,
        })
    }

    fn any_tick() -> impl Strategy<Value = Tick> {
        let source = proptest::option::of(0..Source::ALL.len());
        let held = proptest::option::of(any::<u32>().prop_map(|held| Duration::microseconds(held.into())));
        let times = (a_time(), proptest::option::of(a_time()), held);
        ((0..=LAST_NUMBER, 0..=LAST_NUMBER), source, times, any::<bool>(), prop::collection::vec(an_item(), 0..6)).prop_map(
            |((epoch, seq), source, (timestamp, as_of, held), stale, items)| Tick {
                id: TickId { epoch, seq },
                timestamp,
                source: source.map(|source| Source::ALL[source]),
                as_of,
                stale,
                held,
                items: items.into(),
            },
        )
    }

    proptest! {
        #[test]
        fn any_tick_comes_back_as_it_was(tick in any_tick()) {
            prop_assert_eq!(decode(&encode(&tick).unwrap()).unwrap(), tick);
        }

        #[test]
        fn any_bytes_are_a_tick_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let _ = decode(&bytes);
        }

        #[test]
        fn a_damaged_tick_is_a_tick_or_an_error(at in any::<prop::sample::Index>(), with in any::<u8>(), cut in any::<prop::sample::Index>()) {
            let mut bytes = encode(&a_full_tick(7, 1)).unwrap();
            let at = at.index(bytes.len());
            bytes[at] = with;
            bytes.truncate(cut.index(bytes.len()) + 1);
            let _ = decode(&bytes);
        }
    }

    fn altered(name: &str, value: serde_json::Value) -> Vec<u8> {
        let mut json: serde_json::Value = serde_json::from_slice(&encode(&a_tick(7, 1)).unwrap()).unwrap();
        let target = if name.starts_with("/items") { json.pointer_mut("/items/0").unwrap() } else { &mut json };
        target[name.rsplit('/').next().unwrap()] = value;
        serde_json::to_vec(&json).unwrap()
    }

    #[test]
    fn fields_of_a_newer_node_are_passed_over() {
        assert_eq!(decode(&altered("mood", "good".into())).unwrap(), a_tick(7, 1));
        assert_eq!(decode(&altered("/items/0/mood", "good".into())).unwrap(), a_tick(7, 1));
    }

    #[test]
    fn a_tick_of_an_older_leader_does_not_say_how_long_it_was_held() {
        let held = Some(Duration::microseconds(2_200_000));
        let newer = encode(&Tick { held, ..a_tick(7, 1) }).unwrap();
        assert!(String::from_utf8(newer.clone()).unwrap().contains(r#""stale":false,"held_us":2200000,"items":"#));
        assert_eq!(decode(&newer).unwrap().held, held);
        assert_eq!(decode(&encode(&a_tick(7, 1)).unwrap()).unwrap().held, None);
    }

    #[test]
    fn another_version_is_refused_by_its_number_whatever_else_it_holds() {
        assert_eq!(decode(br#"{"v":2,"lines":7}"#).unwrap_err().0, "a tick that cannot be read: version 2");
    }

    #[test]
    fn a_value_that_no_tick_can_hold_is_refused() {
        for (name, value) in [
            ("/items/0/price", "0".into()),
            ("/items/0/price", "-1".into()),
            ("/items/0/price", "0.00000000000000000000000000001".into()),
            ("/items/0/price", serde_json::Value::Null),
            ("/items/0/symbol", "<b>".into()),
            ("/items/0/rank", 0.into()),
            ("/items/0/as_of", "yesterday".into()),
            ("source", "binance".into()),
            ("seq", (-1).into()),
        ] {
            assert!(decode(&altered(name, value.clone())).is_err(), "{name} = {value}");
        }
    }

    #[test]
    fn the_payload_is_this_json() {
        let expected = concat!(
            r#"{"v":1,"epoch":7,"seq":1,"timestamp":"2026-01-01T12:00:00Z","source":"coingecko","as_of":"2026-01-01T12:00:00Z","#,
            r#""stale":false,"items":[{"symbol":"BTC","name":null,"rank":1,"price":"64001","change_24h":null,"high_24h":null,"#,
            r#""low_24h":null,"volume_24h":null,"market_cap":null,"source":"coingecko","as_of":"2026-01-01T12:00:00Z","stale":false}]}"#
        );
        assert_eq!(String::from_utf8(encode(&a_tick(7, 1)).unwrap()).unwrap(), expected);
    }
}
