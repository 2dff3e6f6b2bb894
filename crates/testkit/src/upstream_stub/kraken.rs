//! `/Ticker` for every pair, under Kraken's own names.

use super::{State, candles, http::Recorded, market::Asset};

pub(super) fn answer(state: &State, request: &Recorded) -> (u16, String) {
    if request.path == "/kraken/0/public/OHLC" {
        return candles::kraken(state, request, name);
    }
    if request.path != "/kraken/0/public/Ticker" {
        return (200, r#"{"error":["EGeneral:Unknown method"]}"#.to_owned());
    }
    let pairs: Vec<_> = state.market.assets.iter().map(pair).collect();
    let foreign = r#""XXBTZEUR":{"a":["1","1","1"],"b":["1","1","1"],"c":["1","1"],"v":["1","1"],"p":["1","1"],"t":[1,1],"l":["1","1"],"h":["1","1"],"o":"1"}"#;
    (200, format!(r#"{{"error":[],"result":{{{foreign},{}}}}}"#, pairs.join(",")))
}

fn name(symbol: &str) -> String {
    match symbol {
        "BTC" => "XXBTZUSD".to_owned(),
        "DOGE" => "XDGUSD".to_owned(),
        "ETH" | "LTC" | "XRP" | "XLM" | "XMR" => format!("X{symbol}ZUSD"),
        "USDT" => "USDTZUSD".to_owned(),
        _ => format!("{symbol}USD"),
    }
}

fn pair(asset: &Asset) -> String {
    let (price, high, low) = (asset.plain(), asset.scaled(102), asset.scaled(97));
    let open = asset.scaled(99);
    format!(
        r#""{}":{{"a":["{price}","1","1.000"],"b":["{price}","2","2.000"],"c":["{price}","0.00345000"],"v":["901.20","2480.5"],"p":["{price}","{price}"],"t":[18022,48250],"l":["{open}","{low}"],"h":["{price}","{high}"],"o":"{open}"}}"#,
        name(&asset.symbol)
    )
}
