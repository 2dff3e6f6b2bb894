//! `/products` and `/products/{id}/stats` of Coinbase Exchange, and its socket's frames.

use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{State, candles, http::Recorded, market::Asset};

/// What Coinbase Exchange never lists against the dollar: the dollar's own coin, and another exchange's.
const NEVER: [&str; 2] = ["USDC", "BNB"];

pub(super) fn lists(state: &State, symbol: &str) -> bool {
    !NEVER.contains(&symbol) && !state.unlisted.contains(symbol) && state.market.find(symbol).is_some()
}

pub(super) fn answer(state: &State, request: &Recorded) -> (u16, String) {
    match request.path.strip_prefix("/coinbase/products") {
        Some("" | "/") => (200, products(state)),
        Some(rest) if rest.ends_with("/candles") => {
            let symbol = rest.strip_prefix('/').and_then(|rest| rest.strip_suffix("-USD/candles"));
            let asset = symbol.filter(|symbol| lists(state, symbol)).and_then(|symbol| state.market.find(symbol));
            asset.map_or_else(not_found, |asset| candles::coinbase(asset, request))
        }
        Some(rest) => {
            let symbol = rest.strip_prefix('/').and_then(|rest| rest.strip_suffix("-USD/stats"));
            let asset = symbol.filter(|symbol| lists(state, symbol)).and_then(|symbol| state.market.find(symbol));
            asset.map_or_else(not_found, |asset| (200, stats(asset)))
        }
        None => not_found(),
    }
}

fn not_found() -> (u16, String) {
    (404, r#"{"message":"NotFound"}"#.to_owned())
}

fn products(state: &State) -> String {
    let listed = state.market.assets.iter().filter(|asset| lists(state, &asset.symbol));
    let mut rows: Vec<_> = listed.map(|asset| product(&asset.symbol, "USD", "online", false)).collect();
    rows.push(product("BTC", "EUR", "online", false));
    rows.push(product("OLD", "USD", "delisted", true));
    format!("[{}]", rows.join(","))
}

fn product(base: &str, quote: &str, status: &str, disabled: bool) -> String {
    format!(
        r#"{{"id":"{base}-{quote}","base_currency":"{base}","quote_currency":"{quote}","quote_increment":"0.01","base_increment":"0.00000001","display_name":"{base}-{quote}","min_market_funds":"1","margin_enabled":false,"post_only":false,"limit_only":false,"cancel_only":false,"status":"{status}","status_message":"","trading_disabled":{disabled},"fx_stablecoin":false,"max_slippage_percentage":"0.02000000","auction_mode":false,"high_bid_limit_percentage":""}}"#
    )
}

fn stats(asset: &Asset) -> String {
    format!(
        r#"{{"open":"{}","high":"{}","low":"{}","last":"{}","volume":"2480.5","volume_30day":"88123.00112233","rfq_volume_24hour":"21.5","rfq_volume_30day":"541.022"}}"#,
        asset.scaled(98),
        asset.scaled(102),
        asset.scaled(97),
        asset.plain()
    )
}

/// A `ticker` frame, stamped now.
pub(super) fn ticker(asset: &Asset, sequence: u64) -> String {
    let at = OffsetDateTime::now_utc().format(&Rfc3339).unwrap_or_default();
    let price = asset.plain();
    format!(
        r#"{{"type":"ticker","sequence":{sequence},"product_id":"{}-USD","price":"{price}","open_24h":"{}","volume_24h":"2480.5","low_24h":"{}","high_24h":"{}","volume_30d":"88123.00112233","best_bid":"{price}","best_bid_size":"0.1","best_ask":"{price}","best_ask_size":"0.2","side":"buy","time":"{at}","trade_id":{},"last_size":"0.00012"}}"#,
        asset.symbol,
        asset.scaled(98),
        asset.scaled(97),
        asset.scaled(102),
        sequence / 2,
    )
}
