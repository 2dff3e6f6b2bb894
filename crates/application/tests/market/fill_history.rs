//! Filling price history from providers.

use std::{collections::BTreeMap, sync::Arc};

use coinlink_application::market::{FillHistory, FillHistoryParts, FillStep, HistoryDepth};
use coinlink_domain::{
    market::{
        Price, Source, Symbol, TickItem,
        candles::{CandleOrigin, CandleRecord, Interval, Span},
    },
    shared::{quota::QuotaPolicy, upstream_failure::FailureClass},
};
use coinlink_ports::market::{CandleProvider, CandleQuery, CandleStore, Keep};
use coinlink_testkit::{
    market::{EmbeddedQuota, MemoryCandles, MemoryHistoryGaps, NOON, ScriptedCandles, ShownPrices, a_quote, a_tick},
    shared::StoppedClock,
};
use time::Duration;

fn price(usd: i64) -> Price {
    a_quote("BTC", &usd.to_string()).price
}

fn hours(from: i64, to: i64) -> Span {
    Span { from: NOON + Duration::hours(from), to: NOON + Duration::hours(to) }
}

struct Filling {
    providers: Vec<Arc<ScriptedCandles>>,
    store: Arc<MemoryCandles>,
    gaps: Arc<MemoryHistoryGaps>,
    clock: Arc<StoppedClock>,
    metered: Option<QuotaPolicy>,
    assets: Vec<&'static str>,
}

impl Filling {
    fn from(providers: Vec<ScriptedCandles>) -> Self {
        Self {
            providers: providers.into_iter().map(Arc::new).collect(),
            store: Arc::default(),
            gaps: Arc::default(),
            clock: Arc::new(StoppedClock::at(NOON)),
            metered: None,
            assets: vec!["BTC", "ETH"],
        }
    }

    /// A node that leads from now on.
    fn leader(&self, depth: &[(Interval, Duration)]) -> FillHistory {
        let prices = ShownPrices::default();
        let mut tick = a_tick(1, 1);
        tick.items = self.assets.iter().map(|symbol| TickItem { quote: a_quote(symbol, "1"), stale: false }).collect();
        prices.show(tick);
        FillHistory::new(FillHistoryParts {
            providers: self.providers.iter().map(|provider| Arc::clone(provider) as Arc<dyn CandleProvider>).collect(),
            metering: self.metered.into_iter().map(|policy| (Source::Coinbase, policy)).collect(),
            ledger: Arc::new(EmbeddedQuota::default()),
            store: Arc::clone(&self.store) as _,
            gaps: Arc::clone(&self.gaps) as _,
            prices: Arc::new(prices),
            clock: Arc::clone(&self.clock) as _,
            depth: HistoryDepth(depth.to_vec()),
        })
    }

    async fn candles(&self, symbol: &str, interval: Interval) -> Vec<CandleRecord> {
        let query = CandleQuery {
            symbol: Symbol::try_new(symbol).unwrap(),
            interval,
            span: hours(-24 * 400, 24),
            limit: 10_000,
            keep: Keep::Oldest,
            now: NOON,
        };
        self.store.read(&query).await.unwrap()
    }
}

/// Steps until there is nothing more to ask. What is missing then, and how many calls it took.
async fn run(leader: &mut FillHistory) -> (BTreeMap<Interval, u64>, usize) {
    for calls in 0..1_000 {
        match leader.execute().await.unwrap() {
            FillStep::Asked { .. } => {}
            FillStep::Done(missing) => return (missing, calls),
            FillStep::Resting(rest) => panic!("rests for {rest} after {calls} calls"),
        }
    }
    panic!("no end in sight");
}

const TWO_DAYS: [(Interval, Duration); 1] = [(Interval::Hour, Duration::hours(48))];

#[tokio::test]
async fn whatever_is_missing_is_fetched_in_the_providers_windows_the_newest_first() {
    let filling = Filling::from(vec![ScriptedCandles::new(Source::Coinbase, 20, price(7))]);
    let (missing, calls) = run(&mut filling.leader(&TWO_DAYS)).await;
    assert_eq!((missing[&Interval::Hour], calls), (0, 6), "48 hours of two assets, 20 a call");
    assert_eq!(filling.candles("ETH", Interval::Hour).await.len(), 48);
    let asked = filling.providers[0].calls();
    assert_eq!(asked[0], (Symbol::btc(), Interval::Hour, hours(-20, 0)), "up to the hour that is not over");
    assert_eq!(asked[2].2, hours(-48, -40));
}

#[tokio::test]
async fn another_leader_goes_on_where_the_last_one_stopped() {
    let filling = Filling::from(vec![ScriptedCandles::new(Source::Coinbase, 20, price(7))]);
    let mut first = filling.leader(&TWO_DAYS);
    for _ in 0..2 {
        let _ = first.execute().await.unwrap();
    }
    let (_, calls) = run(&mut filling.leader(&TWO_DAYS)).await;
    assert_eq!(calls, 4);
    assert_eq!(run(&mut filling.leader(&TWO_DAYS)).await.1, 0, "nothing is fetched twice");
}

#[tokio::test]
async fn what_nobody_has_is_reported_and_asked_for_again_after_a_week() {
    let empty = hours(-30, -27);
    let all_but = |source| ScriptedCandles::new(source, 100, price(7)).without(empty);
    let filling = Filling::from(vec![all_but(Source::Coinbase), all_but(Source::Kraken)]);
    let (missing, calls) = run(&mut filling.leader(&TWO_DAYS)).await;
    assert_eq!((missing[&Interval::Hour], calls), (6, 4), "three hours of each asset, each provider asked once");
    assert_eq!(run(&mut filling.leader(&TWO_DAYS)).await, (BTreeMap::from([(Interval::Hour, 6)]), 0));
    filling.clock.advance(Duration::days(7) + Duration::SECOND);
    let (_, calls) = run(&mut filling.leader(&[(Interval::Hour, Duration::days(9))])).await;
    assert!(filling.providers[1].calls().iter().rev().take(calls).any(|(_, _, span)| span.from <= empty.from));
}

#[tokio::test]
async fn a_less_preferred_provider_is_asked_for_what_the_better_one_lacks_and_the_candle_says_so() {
    let first = ScriptedCandles::new(Source::Coinbase, 100, price(7)).not_listing(Symbol::btc()).without(hours(-5, -3));
    let filling = Filling::from(vec![first, ScriptedCandles::new(Source::Kraken, 100, price(9))]);
    let (missing, _) = run(&mut filling.leader(&TWO_DAYS)).await;
    assert_eq!(missing[&Interval::Hour], 0);
    let origins = |records: &[CandleRecord], source| {
        records.iter().filter(|record| record.origin == CandleOrigin::Provider(source)).count()
    };
    assert_eq!(origins(&filling.candles("BTC", Interval::Hour).await, Source::Kraken), 48);
    assert_eq!(origins(&filling.candles("ETH", Interval::Hour).await, Source::Kraken), 2);
    assert_eq!(filling.providers[0].calls().len(), 2, "what is not listed is not asked for window by window");
}

#[tokio::test]
async fn what_is_there_is_left_as_it_is() {
    let filling = Filling::from(vec![ScriptedCandles::new(Source::Coinbase, 100, price(7))]);
    let kept = coinlink_testkit::market::candles_contract::a_still_candle("BTC", NOON - Duration::hours(3), "5");
    filling.store.record(Interval::Hour, std::slice::from_ref(&kept)).await.unwrap();
    run(&mut filling.leader(&TWO_DAYS)).await;
    assert!(filling.candles("BTC", Interval::Hour).await.contains(&kept));
}

#[tokio::test]
async fn a_provider_that_fails_is_left_alone_and_nothing_is_taken_for_empty() {
    let filling = Filling::from(vec![ScriptedCandles::new(Source::Coinbase, 100, price(7))]);
    let mut leader = filling.leader(&TWO_DAYS);
    let quota = FailureClass::Quota { retry_after: Some(Duration::minutes(5)) };
    for (class, rest) in [(FailureClass::Transient { retryable: true }, Duration::MINUTE), (quota, Duration::minutes(5))] {
        filling.providers[0].fail(class);
        assert!(matches!(leader.execute().await.unwrap(), FillStep::Asked { result: Err(_), .. }));
        let FillStep::Resting(wait) = leader.execute().await.unwrap() else { panic!("it is asked again at once") };
        assert_eq!(wait, rest);
        filling.clock.advance(rest);
    }
    assert_eq!(run(&mut leader).await.0[&Interval::Hour], 0);
}

#[tokio::test]
async fn a_provider_that_fails_again_and_again_is_gone_past_and_gets_its_turn_again() {
    let filling = Filling::from(vec![
        ScriptedCandles::new(Source::Coinbase, 1, price(7)),
        ScriptedCandles::new(Source::Kraken, 1, price(9)),
    ]);
    let mut leader = filling.leader(&TWO_DAYS);
    for _ in 0..2 {
        filling.providers[0].fail(FailureClass::Transient { retryable: false });
        assert!(matches!(leader.execute().await.unwrap(), FillStep::Asked { source: Source::Coinbase, result: Err(_) }));
        if filling.providers[0].calls().len() == 1 {
            assert!(matches!(leader.execute().await.unwrap(), FillStep::Resting(_)), "one failure is waited out");
            filling.clock.advance(Duration::MINUTE);
        }
    }
    assert!(matches!(leader.execute().await.unwrap(), FillStep::Asked { source: Source::Kraken, result: Ok(1) }));
    filling.clock.advance(Duration::minutes(2));
    assert!(matches!(leader.execute().await.unwrap(), FillStep::Asked { source: Source::Coinbase, result: Ok(1) }));
}

#[tokio::test]
async fn a_metered_provider_is_left_to_the_ticker_once_its_budget_runs_low() {
    let mut filling = Filling::from(vec![ScriptedCandles::new(Source::Coinbase, 1, price(7))]);
    filling.metered = Some(QuotaPolicy { per_minute: None, per_month: Some(20) });
    let mut leader = filling.leader(&TWO_DAYS);
    while matches!(leader.execute().await.unwrap(), FillStep::Asked { .. }) {}
    assert_eq!(filling.providers[0].calls().len(), 18, "nine tenths of it");
}

/// Ticks began in the middle of five minutes, of an hour and of a day: at 10:32.
#[tokio::test]
async fn longer_candles_that_ticks_made_of_a_part_of_their_minutes_are_made_anew() {
    let filling = Filling::from(vec![ScriptedCandles::new(Source::Coinbase, 10_000, price(7))]);
    let started = NOON - Duration::minutes(88);
    let half = coinlink_testkit::market::candles_contract::a_still_candle;
    for interval in Interval::ALL {
        filling.store.record(interval, &[half("BTC", interval.open_of(started), "9")]).await.unwrap();
    }
    let depth = [(Interval::Minute, Duration::DAY), (Interval::FiveMinutes, Duration::DAY), (Interval::Hour, Duration::days(2))];
    run(&mut filling.leader(&depth)).await;
    for interval in [Interval::FiveMinutes, Interval::Hour, Interval::Day] {
        let candles = filling.candles("BTC", interval).await;
        let mended = candles.iter().find(|record| record.candle.open_at == interval.open_of(started)).unwrap().candle;
        assert_eq!((mended.open, mended.high, mended.low), (price(7), price(9), price(7)), "{}", interval.name());
        assert_eq!(mended.closed, interval != Interval::Day);
    }
}

#[tokio::test]
async fn the_largest_assets_are_filled_whole_before_the_others() {
    let mut filling = Filling::from(vec![ScriptedCandles::new(Source::Coinbase, 10_000, price(7))]);
    filling.assets = vec!["BTC", "ETH", "SOL", "BNB", "XRP", "DOGE", "ADA"];
    run(&mut filling.leader(&[(Interval::Minute, Duration::HOUR), (Interval::Hour, Duration::DAY)])).await;
    let asked: Vec<String> =
        filling.providers[0].calls().iter().map(|(symbol, interval, _)| format!("{symbol} {}", interval.name())).collect();
    let largest = ["BTC 1h", "BTC 1m", "ETH 1h", "ETH 1m", "SOL 1h", "SOL 1m", "BNB 1h", "BNB 1m", "XRP 1h", "XRP 1m"];
    assert_eq!(asked, [&largest[..], &["DOGE 1h", "ADA 1h", "DOGE 1m", "ADA 1m"]].concat());
}
