//! `/global` and `/search/trending` as CoinGecko's demo and pro hosts answer them.

use time::OffsetDateTime;

use super::http::Recorded;

pub(super) fn answer(request: &Recorded) -> (u16, String) {
    match request.path.as_str() {
        "/coingecko/api/v3/global" => (200, global()),
        "/coingecko/api/v3/search/trending" => (200, trending()),
        _ => (404, r#"{"error":"Incorrect path. Please check https://www.coingecko.com/api/"}"#.to_owned()),
    }
}

fn global() -> String {
    format!(
        r#"{{"data":{{"active_cryptocurrencies":17423,"upcoming_icos":0,"ongoing_icos":49,"ended_icos":3376,"markets":1326,"total_market_cap":{{"btc":39003738.08,"usd":2345678901234.567}},"total_volume":{{"btc":993675.22,"usd":98765432101.23}},"market_cap_percentage":{{"btc":56.1234567890123,"eth":17.7}},"market_cap_change_percentage_24h_usd":1.72,"volume_change_percentage_24h_usd":-3.2,"updated_at":{}}}}}"#,
        OffsetDateTime::now_utc().unix_timestamp()
    )
}

fn trending() -> String {
    let coins: Vec<_> = (0..15).map(coin).collect();
    format!(
        r#"{{"coins":[{}],"nfts":[{{"id":"a-collection","name":"A collection"}}],"categories":[{{"id":1,"name":"Layer 1"}}]}}"#,
        coins.join(",")
    )
}

fn coin(n: u32) -> String {
    format!(
        r#"{{"item":{{"id":"wanted-{n}","coin_id":{n},"name":"Wanted {n}","symbol":"wnt{n}","market_cap_rank":{},"thumb":"https://coin-images.coingecko.com/{n}.png","small":"s","large":"l","slug":"wanted-{n}","price_btc":1.2e-09,"score":{n},"data":{{"price":0.0000{}71066970851871,"price_btc":"0.0000000012","price_change_percentage_24h":{{"btc":1.0,"usd":{n}.25}},"market_cap":"$521,967,819","market_cap_btc":"8123.5","total_volume":"$37,188,100","total_volume_btc":"580.1","sparkline":"https://www.coingecko.com/coins/{n}/sparkline.svg","content":null}}}}}}"#,
        n + 40,
        n + 1,
    )
}
