//! `/coins/markets` as the demo and pro hosts answer it.

use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{State, candles, http::Recorded, market::Asset};

pub(super) fn answer(state: &State, request: &Recorded) -> (u16, String) {
    let id = request.path.strip_prefix("/coingecko/api/v3/coins/").and_then(|rest| rest.strip_suffix("-coin/ohlc"));
    if let Some(asset) = id.and_then(|id| state.market.find(&id.to_uppercase())) {
        return candles::coingecko(asset, request);
    }
    if request.path != "/coingecko/api/v3/coins/markets" {
        return (404, r#"{"error":"coin not found"}"#.to_owned());
    }
    let per_page = request.query("per_page").and_then(|count| count.parse().ok()).unwrap_or(100_usize).min(250);
    let at = state.frozen.unwrap_or_else(OffsetDateTime::now_utc).format(&Rfc3339).unwrap_or_default();
    let rows: Vec<_> = state.market.assets.iter().take(per_page).enumerate().map(|(i, asset)| row(i + 1, asset, &at)).collect();
    (200, format!("[{}]", rows.join(",")))
}

fn row(rank: usize, asset: &Asset, at: &str) -> String {
    let (symbol, price) = (asset.symbol.to_lowercase(), &asset.json);
    let (high, low) = (asset.scaled(102), asset.scaled(97));
    format!(
        r#"{{"id":"{symbol}-coin","symbol":"{symbol}","name":"{} coin","image":"https://coin-images.coingecko.com/coins/images/1/large/{symbol}.png","current_price":{price},"market_cap":{},"market_cap_rank":{rank},"fully_diluted_valuation":null,"total_volume":24135089331.42,"high_24h":{high},"low_24h":{low},"price_change_24h":-12.5,"price_change_percentage_24h":-1.23456,"market_cap_change_24h":1.0e9,"market_cap_change_percentage_24h":0.2,"circulating_supply":19700000.0,"total_supply":21000000.0,"max_supply":null,"ath":{high},"ath_change_percentage":-3.0,"ath_date":"2025-10-06T18:57:42.558Z","atl":{low},"atl_change_percentage":9.1e4,"atl_date":"2013-07-06T00:00:00.000Z","roi":null,"last_updated":"{at}"}}"#,
        asset.symbol,
        1_300_000_000_000_u64 / rank as u64,
    )
}
