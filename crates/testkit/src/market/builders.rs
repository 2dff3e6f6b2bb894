use std::num::NonZeroU32;

use coinlink_domain::{
    market::{Percent, Price, Quote, QuoteBatch, Source, Symbol, Tick, TickId, TickItem},
    shared::upstream_failure::{FailureClass, UpstreamFailure},
};
use rust_decimal::Decimal;
use time::{Duration, OffsetDateTime, macros::datetime};

/// When tests begin.
pub const NOON: OffsetDateTime = datetime!(2026-01-01 12:00 UTC);

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap_or_else(|error| panic!("{text:?} is no decimal: {error}"))
}

fn price(text: &str) -> Price {
    Price::try_new(decimal(text)).unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

fn symbol(text: &str) -> Symbol {
    Symbol::try_new(text).unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

/// These symbols.
pub fn symbols<'a>(texts: impl IntoIterator<Item = &'a str>) -> Vec<Symbol> {
    texts.into_iter().map(symbol).collect()
}

/// A bare quote of `CoinGecko`'s as of [`NOON`].
pub fn a_quote(symbol: &str, usd: &str) -> Quote {
    Quote::bare(self::symbol(symbol), price(usd), Source::CoinGecko, NOON)
}

/// The same with a rank.
pub fn a_ranked_quote(symbol: &str, usd: &str, rank: u32) -> Quote {
    Quote { rank: NonZeroU32::new(rank), ..a_quote(symbol, usd) }
}

/// `source`'s answer with these quotes, which become its own.
///
/// # Panics
/// Where there are none: a source that knows nothing fails.
pub fn a_batch(source: Source, quotes: impl IntoIterator<Item = Quote>) -> QuoteBatch {
    let quotes = quotes.into_iter().map(|quote| Quote { source, ..quote });
    QuoteBatch::collect(source, quotes).unwrap_or_else(|| panic!("a batch holds at least one quote"))
}

/// A failed call of that class.
pub fn a_failure(class: FailureClass) -> UpstreamFailure {
    UpstreamFailure::new(class, format!("a {} failure", class.label()))
}

/// A tick of one line, whose price tells its place: 64 000 and `seq` dollars.
pub fn a_tick(epoch: u64, seq: u64) -> Tick {
    let quote = a_ranked_quote("BTC", &format!("{}", 64_000 + seq), 1);
    Tick {
        id: TickId { epoch, seq },
        timestamp: NOON,
        source: Some(quote.source),
        as_of: Some(quote.as_of),
        stale: false,
        held: None,
        items: [TickItem { quote, stale: false }].into(),
    }
}

/// A tick with a line in which everything is known, to the last digit, and one in which hardly anything is.
pub fn a_full_tick(epoch: u64, seq: u64) -> Tick {
    let known = Quote {
        name: Some("Shiba \"Inu\" 柴犬".into()),
        change_24h: Some(Percent::new(decimal("-0.00000001"))),
        high_24h: Some(price("79228162514264337593543950335")),
        low_24h: Some(price("0.0000000000000000000000000001")),
        volume_24h: Some(decimal("12345678901234567890.12345678")),
        market_cap: Some(Decimal::ZERO),
        as_of: NOON - Duration::nanoseconds(1),
        source: Source::CoinbaseLive,
        ..a_ranked_quote("SHIB", "0.000005938674704566297", u32::MAX)
    };
    let items = [
        TickItem { quote: known, stale: false },
        TickItem { quote: a_quote("$WIF", "0.00000000007821066970851871"), stale: true },
    ];
    Tick { timestamp: NOON + Duration::nanoseconds(123_456_789), stale: true, items: items.into(), ..a_tick(epoch, seq) }
}
