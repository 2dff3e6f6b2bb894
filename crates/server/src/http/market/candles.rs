//! `GET /api/v2/market/{symbol}/candles`: price history of any asset that is known.

use std::collections::BTreeSet;

use actix_web::web::{Data, Path, Query};
use coinlink_application::market::{AskedCandles, CandlePage, ReadCandles, ReadCandlesError};
use coinlink_domain::market::{
    Symbol,
    candles::{Candle, Interval, Span},
};
use serde::{Deserialize, Serialize};
use time::{OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339};
use utoipa::{IntoParams, ToSchema};

use crate::{
    http::{ApiError, Conditional, conditional::Unchanged, error_codes, lists::read_number},
    wire::rfc3339,
};

/// Candles of an answer that nobody asked for in number.
const LIMIT: u32 = 500;
/// The most candles of an answer.
pub(super) const MOST: u32 = 1_000;
/// A running candle changes every fifteen seconds.
pub(super) const CACHE: &str = "public, max-age=5";

/// An interval, for the document.
#[derive(ToSchema)]
#[expect(dead_code, reason = "queries are read as text, so that what is wrong with them is told by name")]
pub(in crate::http) enum IntervalName {
    #[schema(rename = "1m")]
    Minute,
    #[schema(rename = "5m")]
    FiveMinutes,
    #[schema(rename = "1h")]
    Hour,
    #[schema(rename = "1d")]
    Day,
}

/// Which candles.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct CandlesQuery {
    /// How long each lasts.
    #[param(value_type = Option<IntervalName>, default = "1h")]
    interval: Option<String>,
    /// Those that opened then or later, oldest first; without it the newest ones.
    #[param(format = DateTime)]
    from: Option<String>,
    /// Those that opened before.
    #[param(format = DateTime)]
    to: Option<String>,
    /// At most so many.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000, default = 500)]
    limit: Option<String>,
}

/// Price history.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct CandlesBody {
    /// Whose.
    symbol: String,
    /// How long each candle lasts.
    #[schema(value_type = IntervalName)]
    interval: &'static str,
    /// Oldest first. Where nothing is known of a time there is no candle: see `gaps`.
    #[schema(max_items = 1000)]
    data: Vec<CandleBody>,
    /// Who says so: `ticks` are our own, collected; `simulated` is made up; others are providers.
    sources: BTreeSet<&'static str>,
    /// Times within this answer of which there is no candle.
    gaps: Vec<GapBody>,
    /// Whether there are more.
    has_more: bool,
    /// Where there are more and `from` was given: `from` of the next request.
    #[schema(format = DateTime)]
    next_from: Option<String>,
    /// Where there are more and `from` was not given: `to` of the next request, for those before.
    #[schema(format = DateTime)]
    next_to: Option<String>,
}

/// What a price did. Prices are US dollars with every digit, as text.
#[derive(Serialize, ToSchema)]
struct CandleBody {
    /// When it opened: a multiple of the interval, UTC.
    #[schema(format = DateTime)]
    open_time: String,
    /// The first price.
    open: String,
    /// The highest.
    high: String,
    /// The lowest.
    low: String,
    /// The last.
    close: String,
    /// What was traded, in units of the asset; null where nobody said.
    volume: Option<String>,
    /// Its time is over.
    closed: bool,
    /// Only a part of it is known, which begins then: collecting began within it. Left out otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime, nullable = false)]
    known_from: Option<String>,
}

/// A time without candles.
#[derive(Serialize, ToSchema)]
struct GapBody {
    /// When the first that is missing would have opened.
    #[schema(format = DateTime)]
    from: String,
    /// When the last that is missing would have ended.
    #[schema(format = DateTime)]
    to: String,
}

impl CandleBody {
    fn of(candle: &Candle, page: &CandlePage) -> Self {
        Self {
            open_time: rfc3339(candle.open_at),
            open: candle.open.usd().to_string(),
            high: candle.high.usd().to_string(),
            low: candle.low.usd().to_string(),
            close: candle.close.usd().to_string(),
            volume: candle.volume.map(|volume| volume.normalize().to_string()),
            closed: candle.closed,
            known_from: page.known_from.get(&candle.open_at).copied().map(rfc3339),
        }
    }
}

impl From<Span> for GapBody {
    fn from(gap: Span) -> Self {
        Self { from: rfc3339(gap.from), to: rfc3339(gap.to) }
    }
}

/// An interval of its name; an hour where none is named.
pub(super) fn read_interval(asked: Option<&str>) -> Result<Interval, ApiError> {
    let interval = asked.map_or(Some(Interval::Hour), Interval::from_name);
    interval.ok_or_else(|| ApiError::invalid_query("interval", "1m, 5m, 1h or 1d"))
}

fn read_moment(parameter: &'static str, text: &str) -> Result<OffsetDateTime, ApiError> {
    let read = OffsetDateTime::parse(text, &Rfc3339).ok().and_then(|at| at.checked_to_offset(UtcOffset::UTC));
    // A year before the first or after the last that stores keep is no moment of ours.
    read.filter(|at| (1970..9999).contains(&at.year()))
        .ok_or_else(|| ApiError::invalid_query(parameter, "a moment such as 2030-01-31T12:00:00Z (RFC 3339)"))
}

impl CandlesQuery {
    fn read(&self, symbol: Symbol) -> Result<AskedCandles, ApiError> {
        let interval = read_interval(self.interval.as_deref())?;
        let from = self.from.as_deref().map(|text| read_moment("from", text)).transpose()?;
        let to = self.to.as_deref().map(|text| read_moment("to", text)).transpose()?;
        if from.zip(to).is_some_and(|(from, to)| from >= to) {
            return Err(ApiError::invalid_query("to", "is not after from"));
        }
        let limit = read_number("limit", self.limit.as_deref(), LIMIT, 1..=MOST)?;
        Ok(AskedCandles { symbol, interval, from, to, limit })
    }
}

fn unknown_symbol() -> ApiError {
    let message = "Nothing is known of this asset: it is neither in the current list nor in the history.";
    ApiError::new(error_codes::UNKNOWN_SYMBOL).message(message)
}

impl From<ReadCandlesError> for ApiError {
    fn from(error: ReadCandlesError) -> Self {
        match error {
            ReadCandlesError::UnknownSymbol => unknown_symbol(),
            ReadCandlesError::Store(error) => error.into(),
        }
    }
}

/// Candles of an asset.
///
/// Made of our own ticks and of what providers keep. The last one may be running: then it is not `closed`. Of an asset that is known
/// and has no history the list is empty.
#[utoipa::path(
    get,
    path = "/api/v2/market/{symbol}/candles",
    tag = "market",
    params(("symbol" = String, Path, description = "`BTC`, `eth`, …: an asset of the current list or of the history", example = "BTC"), CandlesQuery),
    responses(
        (status = 200, description = "The candles, oldest first", body = CandlesBody),
        Unchanged,
        (status = 400, description = "`invalid_query`: details say what cannot be read"),
        (status = 404, description = "`unknown_symbol`")
    )
)]
pub(in crate::http) async fn candles(
    symbol: Path<String>,
    query: Query<CandlesQuery>,
    use_case: Data<ReadCandles>,
) -> Result<Conditional, ApiError> {
    let symbol = Symbol::try_new(&symbol).map_err(|_| unknown_symbol())?;
    let asked = query.read(symbol.clone())?;
    let (interval, forwards) = (asked.interval, asked.from.is_some());
    let page = use_case.execute(asked).await?;
    let next = page.next.map(rfc3339);
    let (next_from, next_to) = if forwards { (next, None) } else { (None, next) };
    let body = CandlesBody {
        symbol: symbol.as_str().to_owned(),
        interval: interval.name(),
        sources: page.records.iter().map(|record| record.origin.name()).collect(),
        data: page.records.iter().map(|record| CandleBody::of(&record.candle, &page)).collect(),
        gaps: page.gaps.iter().copied().map(GapBody::from).collect(),
        has_more: next_from.is_some() || next_to.is_some(),
        next_from,
        next_to,
    };
    Ok(Conditional::shared("candles", &body, CACHE))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_text_of_a_query_panics(interval in prop::option::of(".{0,4}"), from in prop::option::of("-?[0-9]{4,6}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9](Z|[+-][0-2][0-9]:[0-5][0-9])|.{0,30}"), to in prop::option::of(".{0,30}"), limit in prop::option::of("[0-9-]{0,12}|.{0,5}")) {
            if let Ok(asked) = (CandlesQuery { interval, from, to, limit }).read(Symbol::btc()) {
                prop_assert!((1..=MOST).contains(&asked.limit));
                prop_assert!(asked.from.is_none_or(|at| at.offset().is_utc() && at.year() >= 1970));
            }
        }
    }
}
