//! The socket as the front end uses it, and as strangers try it.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{
    Visit,
    sockets_line::{Line, Opened, open},
};

const OPENS: &str = "the socket opens";
const ORIGIN: &str = "foreign pages get no socket";
const LIST: &str = "the list of prices";
const FRESH: &str = "prices are fresh";
const NEXT: &str = "the next tick comes";
const PONG: &str = "a ping is answered at once";
const PUBLIC: &str = "nobody's socket gets nothing private";
const FRONT_END: &str = "nothing that breaks the front end";
const SIGN_IN: &str = "a socket takes a good token, and no other";
const TOO_LARGE: &str = "a message that is too large closes it with 1009";
const UPDATE: &str = "crypto_ticker_update";
const PROXY: &str = "the proxy has to pass WebSocket upgrades on (Upgrade, Connection, HTTP/1.1) and keep them open";
const RELEASE: &str = "this release does not hold its promise: run its tests, and roll back";
/// What only the user may get.
const PRIVATE: [&str; 5] = ["notification", "price_alert", "chat_agent_message", "authenticated", "auth.expiring"];
/// The front end closes a socket whose pong is late by more.
const PONG_WITHIN: Duration = Duration::from_secs(5);
const FIRST_WITHIN: Duration = Duration::from_secs(5);
/// Older prices are no live ones: the alert's bound too.
const OLDEST_MS: u64 = 120_000;

pub(super) async fn check(visit: &mut Visit<'_>) {
    let mut line = match open(&visit.client, None).await {
        Ok(Opened::Open(line)) => line,
        Ok(Opened::Refused(status, _)) => {
            return visit.report.fail(OPENS, format!("the handshake is answered {status} in place of 101"), PROXY);
        }
        Err(trouble) => return visit.report.trouble(OPENS, &trouble),
    };
    visit.report.ok(OPENS, "101");
    foreign(visit).await;
    let greeting = line.until(FIRST_WITHIN, |frame| frame["type"] == UPDATE).await;
    greeted(visit, &line);
    match greeting {
        Some(at) => list(visit, &line.frames[at].clone()),
        None => visit.report.fail(LIST, "none came within 5 s", PROXY),
    }
    ping(visit, &mut line).await;
    if greeting.is_some() {
        next(visit, &mut line).await;
    }
    told_to_nobody(visit, &line);
    signed_in(visit, &mut line).await;
    too_large(visit, &mut line).await;
    line.leave().await;
}

async fn foreign(visit: &mut Visit<'_>) {
    match open(&visit.client, Some("https://coinlink-verify.invalid")).await {
        Ok(Opened::Refused(status, _)) => visit.report.must(status == 403, ORIGIN, format!("refused with {status}"), PROXY),
        Ok(Opened::Open(line)) => {
            line.leave().await;
            visit.report.fail(
                ORIGIN,
                "a page of a foreign origin gets one",
                "the proxy has to leave Origin as it is; name exact origins",
            );
        }
        Err(trouble) => visit.report.trouble(ORIGIN, &trouble),
    }
}

fn greeted(visit: &mut Visit<'_>, line: &Line) {
    const CHECK: &str = "the socket says who it is for";
    let nobodys = |frame: &&Value| frame["data"]["authenticated"] == false && frame["data"]["user_id"].is_null();
    let seen = if line.of("connected").next().is_some() { "connected, signed in as nobody" } else { "no `connected` came" };
    visit.report.must(line.of("connected").any(|frame| nobodys(&frame)), CHECK, seen, RELEASE);
}

/// What is wrong with a list, as the front end would meet it.
fn faults(frame: &Value) -> Vec<String> {
    let lines = frame["data"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut faults = Vec::new();
    let mut symbols = BTreeSet::new();
    for line in lines {
        let symbol = line["symbol"].as_str().unwrap_or_default();
        if symbol.is_empty() || !symbols.insert(symbol) {
            faults.push(format!("symbol {symbol:?} is empty or there twice"));
        }
        if line["price"].as_f64().is_none_or(|price| price <= 0.0) {
            faults.push(format!("{symbol} has no price above zero that is a number"));
        }
        if !(line["change_24h"].is_number() || line["change_24h"].is_null()) {
            faults.push(format!("change_24h of {symbol} is no number"));
        }
    }
    let ranked = lines.iter().filter(|line| line["rank"].is_number()).count();
    if ranked != 0 && ranked != lines.len() {
        faults.push("some lines have a rank and some have none".to_owned());
    }
    if !frame["timestamp"].is_string() || !frame["stale"].is_boolean() {
        faults.push("timestamp or stale is missing".to_owned());
    }
    faults
}

fn list(visit: &mut Visit<'_>, frame: &Value) {
    let (faults, count) = (faults(frame), frame["data"].as_array().map_or(0, Vec::len));
    let seen = if faults.is_empty() { format!("{count} lines, at once") } else { faults.join("; ") };
    if faults.is_empty() && count == 0 {
        visit.report.others(LIST, seen, "no price was ever known: see whether the providers can be reached (docs/providers.md)");
    } else {
        visit.report.must(faults.is_empty(), LIST, seen, RELEASE);
    }
    fresh(visit, frame, count);
}

fn fresh(visit: &mut Visit<'_>, frame: &Value, count: usize) {
    let (source, age) = (frame["source"].as_str().unwrap_or("nobody"), frame["age_ms"].as_u64());
    let seen = format!(
        "of {source}, {} old",
        age.map_or("unknown".to_owned(), |age| format!("{:.0} s", Duration::from_millis(age).as_secs_f64()))
    );
    let advice = "the ticker is stale: see whether the providers can be reached and which node leads (coinlink_leader)";
    if frame["stale"] != false || count == 0 || age.is_none_or(|age| age > OLDEST_MS) {
        visit.report.others(FRESH, format!("{seen}: the ticker is stale"), advice);
    } else if source == "simulated" {
        visit.report.warn(FRESH, format!("{seen}: made up"), "run without --feed simulated");
    } else {
        visit.report.ok(FRESH, seen);
    }
}

async fn ping(visit: &mut Visit<'_>, line: &mut Line) {
    let asked = Instant::now();
    line.say(json!({"type": "ping"}).to_string()).await;
    let pong = line.until(PONG_WITHIN, |frame| frame["type"] == "pong").await;
    let seen = if pong.is_some() { format!("after {} ms", asked.elapsed().as_millis()) } else { "no pong within 5 s".to_owned() };
    visit.report.must(pong.is_some(), PONG, seen, PROXY);
}

async fn next(visit: &mut Visit<'_>, line: &mut Line) {
    let place = |frame: &Value| (frame["epoch"].as_u64().unwrap_or_default(), frame["seq"].as_u64().unwrap_or_default());
    let interval = line.of("connected").find_map(|frame| frame["data"]["tick_interval_ms"].as_u64()).unwrap_or(5000).min(60_000);
    let within = Duration::from_millis(2 * interval + 2000);
    let before = line.of(UPDATE).map(place).max().unwrap_or_default();
    let came = line.until(within, |frame| frame["type"] == UPDATE).await;
    let advice = "nobody publishes ticks, or something holds frames back: see which node leads (coinlink_leader)";
    match came.map(|at| line.frames[at].clone()) {
        None => visit.report.fail(NEXT, format!("none within {within:?}"), advice),
        // Nobody leads: where providers do not answer, the leader tells old prices in new ticks. Without any price there is nothing to tell.
        Some(frame) if !frame["replay"].is_null() && knows_prices(&frame) => {
            visit.report.fail(NEXT, "it repeats an older one: the ticker is stale", advice);
        }
        Some(frame) if !frame["replay"].is_null() || frame["stale"] == true => {
            visit.report.others(NEXT, "its prices are old: the ticker is stale", advice);
        }
        Some(frame) => {
            let seen = format!("epoch {}, number {}", place(&frame).0, place(&frame).1);
            visit.report.must(place(&frame) > before, NEXT, seen, "ticks go backwards: two systems share one Redis?");
        }
    }
}

fn knows_prices(frame: &Value) -> bool {
    frame["data"].as_array().is_some_and(|lines| !lines.is_empty())
}

fn told_to_nobody(visit: &mut Visit<'_>, line: &Line) {
    let private: Vec<_> = PRIVATE.iter().filter(|kind| line.of(kind).next().is_some()).collect();
    let seen =
        if private.is_empty() { format!("{} frames, none private", line.frames.len()) } else { format!("{private:?} came") };
    visit.report.must(private.is_empty(), PUBLIC, seen, RELEASE);
    let mut broken = Vec::new();
    if line.of("bitcoin_update").next().is_some() {
        broken.push("bitcoin_update, at which the page falls over".to_owned());
    }
    if line.frames.iter().any(|frame| frame.get("error").is_some() || frame.get("target").is_some()) {
        broken.push("a frame with a key that it drops".to_owned());
    }
    if line.strange > 0 {
        broken.push(format!("{} messages that are no JSON with a type", line.strange));
    }
    let prompts = line.of("prompt_feed").filter_map(|frame| frame["data"].as_array()).map(Vec::len).max();
    if prompts.unwrap_or_default() < 12 {
        broken.push(format!("{} prompts in place of 12", prompts.unwrap_or_default()));
    }
    let seen = if broken.is_empty() { "no bitcoin_update, no dropped keys, 12 prompts".to_owned() } else { broken.join("; ") };
    visit.report.must(broken.is_empty(), FRONT_END, seen, RELEASE);
}

async fn signed_in(visit: &mut Visit<'_>, line: &mut Line) {
    let access = match visit.access().await {
        Ok(access) => access,
        Err(why) => return visit.report.skip(SIGN_IN, why),
    };
    line.say(json!({"type": "authenticate", "token": "no.good.token"}).to_string()).await;
    let refused = line.until(FIRST_WITHIN, |frame| frame["data"]["error_code"] == "invalid_token").await;
    line.say(json!({"type": "authenticate", "token": access}).to_string()).await;
    let taken = line.until(FIRST_WITHIN, |frame| frame["type"] == "authenticated").await;
    let seen = match (refused, taken) {
        (None, _) => "a bad token is not refused",
        (_, None) => "a good token is not taken",
        _ => "both as they must be",
    };
    visit.report.must(refused.is_some() && taken.is_some(), SIGN_IN, seen, RELEASE);
}

async fn too_large(visit: &mut Visit<'_>, line: &mut Line) {
    let most =
        line.of("connected").find_map(|frame| frame["data"]["limits"]["message_bytes"].as_u64()).unwrap_or(4096).min(1 << 20);
    line.say("x".repeat(usize::try_from(most).unwrap_or(4096) + 1)).await;
    line.until(FIRST_WITHIN, |_| false).await;
    let seen = line.closed.map_or("it stays open".to_owned(), |code| format!("closed with {code}"));
    visit.report.must(
        line.closed == Some(1009),
        TOO_LARGE,
        seen,
        "something before the server reads or holds frames: pass them on",
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_that_would_break_the_front_end_is_told_from_a_good_one() {
        let line =
            |symbol: &str, price: Value, rank: Value| json!({"symbol": symbol, "price": price, "change_24h": null, "rank": rank});
        let frame = |lines: Vec<Value>| json!({"data": lines, "timestamp": "t", "stale": false});
        assert!(faults(&frame(vec![line("BTC", json!(1.5), json!(1)), line("ETH", json!(2), json!(2))])).is_empty());
        for (lines, fault) in [
            (vec![line("BTC", json!("1.5"), json!(1))], "price"),
            (vec![line("BTC", json!(0), json!(1))], "price"),
            (vec![line("BTC", json!(1), json!(1)), line("BTC", json!(1), json!(2))], "twice"),
            (vec![line("BTC", json!(1), json!(1)), line("ETH", json!(1), json!(null))], "rank"),
        ] {
            let found = faults(&frame(lines));
            assert!(found.iter().any(|text| text.contains(fault)), "{found:?}");
        }
        assert!(!faults(&json!({"data": []})).is_empty());
    }
}
