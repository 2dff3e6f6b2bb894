//! Past prices, in each provider's own table: every row holds the asset's price of now, so that a test knows what to find.

use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{State, http::Recorded, market::Asset};

fn whole_seconds(text: &str) -> Option<i64> {
    OffsetDateTime::parse(&text.replace("%3A", ":"), &Rfc3339).map(OffsetDateTime::unix_timestamp).ok()
}

/// When rows of `length` seconds open, from `from` to before `to` and not after now.
fn openings(length: i64, from: i64, to: i64) -> impl DoubleEndedIterator<Item = i64> {
    let first = from.div_euclid(length) + i64::from(from.rem_euclid(length) > 0);
    let end = to.min(OffsetDateTime::now_utc().unix_timestamp() + 1);
    (first..end.div_euclid(length) + i64::from(end.rem_euclid(length) > 0)).map(move |n| n * length)
}

fn table(rows: impl Iterator<Item = String>) -> String {
    format!("[{}]", rows.collect::<Vec<_>>().join(","))
}

/// `/products/{id}/candles`: low and high before open and close, newest first, at most 300.
pub(super) fn coinbase(asset: &Asset, request: &Recorded) -> (u16, String) {
    let length = request.query("granularity").and_then(|text| text.parse().ok()).unwrap_or(60_i64);
    let bound = |name| request.query(name).and_then(whole_seconds);
    let (Some(start), Some(end)) = (bound("start"), bound("end")) else {
        return (400, r#"{"message":"start and end are needed"}"#.to_owned());
    };
    let opened: Vec<i64> = openings(length, start, end + 1).collect();
    if opened.len() > 300 {
        return (400, r#"{"message":"granularity too small for the requested time range"}"#.to_owned());
    }
    let (price, high, low) = (asset.plain(), asset.scaled(102), asset.scaled(97));
    let row = |at: &i64| format!("[{at},{low},{high},{price},{price},12.5]");
    (200, table(opened.iter().rev().map(row)))
}

/// `/OHLC`: the last 720 rows after `since`, oldest first, the last one still open.
pub(super) fn kraken(state: &State, request: &Recorded, name: impl Fn(&str) -> String) -> (u16, String) {
    let pair = request.query("pair").unwrap_or_default();
    let code = pair.strip_suffix("USD").unwrap_or_default();
    let symbol = match code {
        "XBT" => "BTC",
        "XDG" => "DOGE",
        code => code,
    };
    let Some(asset) = state.market.find(symbol) else {
        return (200, r#"{"error":["EQuery:Unknown asset pair"]}"#.to_owned());
    };
    let length = 60 * request.query("interval").and_then(|text| text.parse().ok()).unwrap_or(1_i64);
    let since = request.query("since").and_then(|text| text.parse().ok()).unwrap_or(0_i64);
    let now = OffsetDateTime::now_utc().unix_timestamp();
    let opened = openings(length, (since + 1).max(now - 719 * length), now + 1);
    let (price, high, low) = (asset.plain(), asset.scaled(102), asset.scaled(97));
    let row = |at: i64| format!(r#"[{at},"{price}","{high}","{low}","{price}","{price}","3.25",7]"#);
    (200, format!(r#"{{"error":[],"result":{{"{}":{},"last":{now}}}}}"#, name(symbol), table(opened.map(row))))
}

/// `/coins/{id}/ohlc`: rows of half an hour for a day, of four hours for more, stamped at their close, without volume.
pub(super) fn coingecko(asset: &Asset, request: &Recorded) -> (u16, String) {
    let days = request.query("days").and_then(|text| text.parse().ok()).unwrap_or(1_i64);
    let length = if days <= 2 { 1_800 } else { 14_400 };
    let now = OffsetDateTime::now_utc().unix_timestamp();
    let (price, high, low) = (asset.plain(), asset.scaled(102), asset.scaled(97));
    let row = |at: i64| format!("[{},{price},{high},{low},{price}]", (at + length) * 1_000);
    (200, table(openings(length, now - days * 86_400, now - length + 1).map(row)))
}

/// `/api/v3/klines`: oldest first, at most `limit`, twelve columns.
pub(super) fn binance(state: &State, request: &Recorded) -> (u16, String) {
    let symbol = request.query("symbol").and_then(|market| market.strip_suffix("USDT")).unwrap_or_default();
    let Some(asset) = state.market.find(symbol) else {
        return (400, r#"{"code":-1121,"msg":"Invalid symbol."}"#.to_owned());
    };
    let number = |name| request.query(name).and_then(|text| text.parse::<i64>().ok());
    let length = match request.query("interval") {
        Some("1m") => 60,
        Some("5m") => 300,
        Some("1h") => 3_600,
        _ => 86_400,
    };
    let (from, to) = (number("startTime").unwrap_or(0) / 1_000, number("endTime").unwrap_or(0) / 1_000 + 1);
    let (price, high, low) = (asset.plain(), asset.scaled(102), asset.scaled(97));
    let row = |at: i64| {
        let (opened, closes) = (at * 1_000, (at + length) * 1_000 - 1);
        format!(r#"[{opened},"{price}","{high}","{low}","{price}","1.75",{closes},"1",1,"1","1","0"]"#)
    };
    let most = number("limit").and_then(|limit| usize::try_from(limit).ok()).unwrap_or(500).min(1_000);
    (200, table(openings(length, from, to).take(most).map(row)))
}
