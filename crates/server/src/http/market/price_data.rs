//! `GET /api/v2/market/bitcoin/price` and `/crypto/ticker`: prices in the older clients' shape, where `change_24h` is US dollars.

use actix_web::web::{Data, Query};
use coinlink_application::market::{ReadPrices, ReadPricesError, WantedPrices};
use coinlink_domain::market::{Percent, Symbol, TickItem};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    http::{ApiError, Conditional, conditional::Unchanged, error_codes},
    wire::{exact, exact_option, rfc3339},
};

const CACHE: &str = "public, max-age=10";
/// Symbols of one question.
const MOST: usize = 100;

/// One asset's price. What its source does not say is null.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct PriceData {
    /// `BTC`, `ETH`, …
    symbol: String,
    /// US dollars, every digit the source gave.
    #[serde(serialize_with = "exact")]
    #[schema(value_type = f64, exclusive_minimum = 0)]
    price: Decimal,
    /// US dollars that the price changed by over the last 24 hours: elsewhere `change_24h` is percent.
    #[serde(serialize_with = "exact_option")]
    #[schema(value_type = Option<f64>)]
    change_24h: Option<Decimal>,
    /// The same in percent of the price before.
    #[serde(serialize_with = "exact_option")]
    #[schema(value_type = Option<f64>)]
    change_percent_24h: Option<Decimal>,
    /// US dollars traded in the last 24 hours.
    #[serde(serialize_with = "exact_option")]
    #[schema(value_type = Option<f64>)]
    volume_24h: Option<Decimal>,
    /// US dollars.
    #[serde(serialize_with = "exact_option")]
    #[schema(value_type = Option<f64>)]
    market_cap: Option<Decimal>,
    /// When it was so, RFC 3339.
    #[schema(format = DateTime)]
    last_updated: String,
    /// Who says so.
    source: &'static str,
    /// Carried from before, or older than its source promises.
    stale: bool,
}

impl From<&TickItem> for PriceData {
    fn from(TickItem { quote, stale }: &TickItem) -> Self {
        Self {
            symbol: quote.symbol.to_string(),
            price: quote.price.usd(),
            change_24h: quote.change_24h.and_then(|change| quote.price.amount_of(change)),
            change_percent_24h: quote.change_24h.map(Percent::value),
            volume_24h: quote.volume_24h,
            market_cap: quote.market_cap,
            last_updated: rfc3339(quote.as_of),
            source: quote.source.name(),
            stale: *stale,
        }
    }
}

/// The newest price of bitcoin; `change_24h` is US dollars.
#[utoipa::path(
    get,
    path = "/api/v2/market/bitcoin/price",
    tag = "market",
    responses(
        (status = 200, description = "The price", body = PriceData),
        Unchanged,
        (status = 503, description = "`price_unavailable`: none was ever known")
    )
)]
pub(in crate::http) async fn bitcoin_price(use_case: Data<ReadPrices>) -> Result<Conditional, ApiError> {
    let (line, _) = use_case.bitcoin().ok_or_else(unavailable)?;
    Ok(Conditional::shared("price", &PriceData::from(&line), CACHE))
}

/// Which prices.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct PricesQuery {
    /// Symbols with commas between them, at most 100; in any case of letters. BTC, ETH and SOL where neither this nor `limit` is sent.
    #[param(pattern = "^[A-Za-z0-9._$+-]{1,20}(,[A-Za-z0-9._$+-]{1,20}){0,99}$", example = "BTC,ETH")]
    symbols: Option<String>,
    /// The first so many of `symbols`, or of the whole list by rank where no symbols are sent.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    limit: Option<String>,
}

impl PricesQuery {
    fn wanted(&self) -> Result<WantedPrices, ApiError> {
        let refused = |field: &'static str, why: &str| ApiError::invalid_query(field, why);
        let limit = match self.limit.as_deref().map(str::parse) {
            None => None,
            Some(Ok(limit @ 1..=MOST)) => Some(limit),
            Some(_) => return Err(refused("limit", "1 to 100")),
        };
        let Some(symbols) = &self.symbols else { return Ok(limit.map_or(WantedPrices::Usual, WantedPrices::First)) };
        let read = |part: &str| Symbol::try_new(part).ok().filter(|_| part.trim().len() == part.len());
        let symbols: Option<Vec<_>> = symbols.split(',').map(read).collect();
        let mut symbols = symbols
            .filter(|symbols| symbols.len() <= MOST)
            .ok_or_else(|| refused("symbols", "1 to 100 symbols such as BTC, with commas and nothing else between them"))?;
        symbols.truncate(limit.unwrap_or(MOST));
        Ok(WantedPrices::Named(symbols))
    }
}

/// The newest prices of some assets; `change_24h` is US dollars.
///
/// All of those that are asked for, in that order, each once, or none: where one is not in the current list, the answer is 404 and
/// names it.
#[utoipa::path(
    get,
    path = "/api/v2/market/crypto/ticker",
    tag = "market",
    params(PricesQuery),
    responses(
        (status = 200, description = "The prices", body = Vec<PriceData>),
        Unchanged,
        (status = 400, description = "`invalid_query`"),
        (status = 404, description = "`unknown_symbol`; `details.symbols` names those that are not in the list"),
        (status = 503, description = "`price_unavailable`: none was ever known")
    )
)]
pub(in crate::http) async fn prices(query: Query<PricesQuery>, use_case: Data<ReadPrices>) -> Result<Conditional, ApiError> {
    let lines = use_case.execute(&query.wanted()?).map_err(|error| match error {
        ReadPricesError::NotKnownYet => unavailable(),
        ReadPricesError::Unknown(symbols) => {
            let names: Vec<_> = symbols.iter().map(Symbol::as_str).collect();
            ApiError::new(error_codes::UNKNOWN_SYMBOL)
                .message(format!("The current list has none of these: {}.", names.join(", ")))
                .detail("symbols", names.join(","))
        }
    })?;
    Ok(Conditional::shared("prices", &lines.iter().map(PriceData::from).collect::<Vec<_>>(), CACHE))
}

fn unavailable() -> ApiError {
    ApiError::new(error_codes::PRICE_UNAVAILABLE).retry_after(5)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn query(symbols: Option<&str>, limit: Option<&str>) -> Option<WantedPrices> {
        PricesQuery { symbols: symbols.map(str::to_owned), limit: limit.map(str::to_owned) }.wanted().ok()
    }

    fn named(symbols: &[&str]) -> WantedPrices {
        WantedPrices::Named(symbols.iter().map(|symbol| Symbol::try_new(symbol).unwrap()).collect())
    }

    #[test]
    fn symbols_are_read_whole_or_not_at_all() {
        assert_eq!(query(None, None), Some(WantedPrices::Usual));
        assert_eq!(query(None, Some("7")), Some(WantedPrices::First(7)));
        assert_eq!(query(Some("btc,ETH"), None), Some(named(&["BTC", "ETH"])));
        assert_eq!(query(Some("BTC,ETH,SOL"), Some("2")), Some(named(&["BTC", "ETH"])));
        for bad in ["", ",", "BTC,", " BTC", "BTC, ETH", "BTC;ETH", "<b>", &["A"; 101].join(",")] {
            assert_eq!(query(Some(bad), None), None, "{bad:?}");
        }
        for bad in ["0", "101", "-1", "+x", "", "1.5"] {
            assert_eq!(query(None, Some(bad)), None, "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn no_query_panics_and_none_asks_for_more_than_a_hundred(symbols in prop::option::of("[A-Za-z,. ]{0,300}|\\PC{0,40}"), limit in prop::option::of("[0-9+-]{0,4}")) {
            match query(symbols.as_deref(), limit.as_deref()) {
                Some(WantedPrices::Named(symbols)) => prop_assert!((1..=MOST).contains(&symbols.len())),
                Some(WantedPrices::First(limit)) => prop_assert!((1..=MOST).contains(&limit)),
                Some(WantedPrices::Usual) | None => {}
            }
        }
    }
}
