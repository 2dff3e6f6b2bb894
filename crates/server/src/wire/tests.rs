use super::*;
use coinlink_domain::market::{Percent, Price, Quote, Source, Symbol, TickId};
use serde_json::{Value, json};
use std::num::NonZeroU32;
use time::macros::datetime;

const AS_OF: OffsetDateTime = datetime!(2026-01-01 0:00:00.5 UTC);
const AT: OffsetDateTime = datetime!(2026-01-01 0:00:02 UTC);

fn item(symbol: &str, price: &str, rank: Option<u32>) -> TickItem {
    let price = Price::try_new(price.parse().unwrap()).unwrap();
    let quote = Quote::bare(Symbol::try_new(symbol).unwrap(), price, Source::CoinGecko, AS_OF);
    TickItem { quote: Quote { rank: rank.and_then(NonZeroU32::new), ..quote }, stale: false }
}

fn tick(items: Vec<TickItem>) -> Tick {
    Tick {
        id: TickId { epoch: 1_767_225_600_000, seq: 7 },
        timestamp: AT,
        source: Some(Source::CoinGecko),
        as_of: Some(AS_OF),
        stale: false,
        held: None,
        items: items.into(),
    }
}

fn update(tick: &Tick) -> String {
    let shown = Shown { tick, at: AT, stale: tick.stale, replay: 0 };
    String::from_utf8(shown.update(&data(tick, |_| true))).unwrap()
}

/// The golden frame: existing clients depend on every byte of these names and types; additions are fine.
#[test]
fn the_update_frame_is_what_the_front_end_reads() {
    let mut btc = item("BTC", "64000.50", Some(1));
    btc.quote.change_24h = Some(Percent::new("-1.25".parse().unwrap()));
    assert_eq!(
        update(&tick(vec![btc])),
        r#"{"type":"crypto_ticker_update","data":[{"symbol":"BTC","price":64000.5,"change_24h":-1.25,"rank":1,"source":"coingecko","as_of":"2026-01-01T00:00:00.500000Z","stale":false}],"timestamp":"2026-01-01T00:00:02.000000Z","stale":false,"source":"coingecko","as_of":"2026-01-01T00:00:00.500000Z","age_ms":1500,"epoch":1767225600000,"seq":7}"#
    );
}

#[test]
fn moments_have_six_digits_of_a_second_whatever_they_are_and_sort_as_texts() {
    let moments = [
        datetime!(2026-01-01 0:00:00 UTC),
        datetime!(2026-01-01 0:00:00.000_000_999 UTC),
        datetime!(2026-01-01 0:00:00.039_670_554 UTC),
        datetime!(2026-01-01 0:00:00.1 UTC),
        datetime!(2026-01-01 1:00:00.999_999_999 +1),
        datetime!(2026-01-01 0:00:01 UTC),
    ];
    let texts = moments.map(rfc3339);
    let digits = ["00.000000", "00.000000", "00.039670", "00.100000", "00.999999", "01.000000"];
    assert_eq!(texts, digits.map(|second| format!("2026-01-01T00:00:{second}Z")));
    assert!(texts.is_sorted());
}

#[test]
fn the_smallest_price_is_a_number_with_every_digit() {
    let frame = update(&tick(vec![item("PEPE", "0.00000000007821066970851871", Some(1))]));
    assert!(frame.contains(r#""price":0.00000000007821066970851871,"#), "{frame}");
}

#[test]
fn ranks_are_on_every_line_or_on_none() {
    let frame = update(&tick(vec![item("BTC", "1", Some(1)), item("X", "1", None)]));
    assert!(!frame.contains("rank"), "{frame}");
}

#[test]
fn nothing_known_is_an_empty_list_without_a_source() {
    let nothing = Tick { source: None, as_of: None, stale: true, ..tick(vec![]) };
    let frame: Value = serde_json::from_str(&update(&nothing)).unwrap();
    assert_eq!(frame["data"], json!([]));
    assert_eq!((&frame["stale"], &frame["source"], &frame["age_ms"]), (&json!(true), &Value::Null, &Value::Null));
}

#[test]
fn a_delta_names_its_base_and_only_what_changed() {
    let earlier = tick(vec![item("BTC", "1", Some(1)), item("ETH", "2", Some(2)), item("OLD", "3", Some(3))]);
    let later =
        Tick { id: TickId { seq: 8, ..earlier.id }, ..tick(vec![item("BTC", "1", Some(1)), item("ETH", "2.5", Some(2))]) };
    let shown = Shown { tick: &later, at: AT, stale: false, replay: 0 };
    let delta: Value = serde_json::from_slice(&shown.delta(&earlier, |_| true)).unwrap();
    assert_eq!(delta["type"], "crypto_ticker_delta");
    assert_eq!(delta["base"], json!({ "epoch": earlier.id.epoch, "seq": 7 }));
    assert_eq!(delta["removed"], json!(["OLD"]));
    assert_eq!(delta["data"].as_array().unwrap().iter().map(|line| &line["symbol"]).collect::<Vec<_>>(), ["ETH"]);
}

#[test]
fn a_view_of_ten_out_of_two_hundred_and_fifty_costs_a_fifth_or_less() {
    let symbols: Vec<String> = (0..250).map(|n| format!("S{n}")).collect();
    let lines = symbols.iter().zip(1..).map(|(symbol, rank)| item(symbol, "123.456789", Some(rank)));
    let tick = tick(lines.collect());
    let shown = Shown { tick: &tick, at: AT, stale: false, replay: 0 };
    let full = shown.update(&data(&tick, |_| true)).len();
    let view = shown.update(&data(&tick, |symbol| symbols[..10].iter().any(|wanted| wanted == symbol))).len();
    assert!(view * 5 <= full, "{view} of {full} bytes");
}

#[test]
fn a_replay_says_so_and_keeps_the_data_byte_for_byte() {
    let tick = tick(vec![item("BTC", "1", Some(1))]);
    let list = data(&tick, |_| true);
    let later = AT + Duration::seconds(5);
    let update = String::from_utf8(Shown { tick: &tick, at: later, stale: true, replay: 2 }.update(&list)).unwrap();
    let frame: Value = serde_json::from_str(&update).unwrap();
    assert_eq!((&frame["stale"], &frame["replay"], &frame["age_ms"]), (&json!(true), &json!(2), &json!(6500)));
    assert!(update.contains(&format!("\"data\":{},", list.get())), "{update}");
}

#[test]
fn the_price_of_bitcoin_is_absent_until_it_is_known() {
    let shown = |tick: &Tick| Shown { tick, at: AT, stale: false, replay: 0 }.bitcoin();
    assert_eq!(shown(&tick(vec![item("ETH", "1", None)])), None);
    let body: Value = serde_json::from_slice(&shown(&tick(vec![item("BTC", "64000.5", None)])).unwrap()).unwrap();
    assert_eq!(body["data"]["price"], json!(64000.5));
    assert_eq!(body["data"]["age_ms"], json!(1500));
}
