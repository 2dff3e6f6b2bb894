//! Which provider is asked when, on virtual time.

use std::sync::Arc;

use crate::support::{DOWN, FixedDice, ScriptedProvider, Step, TIME_OUT, VirtualTime, answers, answers_after};
use async_trait::async_trait;
use coinlink_application::market::{CollectQuotes, Collected, Metering};
use coinlink_domain::{
    market::{Source, SourcePolicy, Sourcing},
    shared::{
        breaker::BreakerPolicy,
        quota::{QuotaPolicy, QuotaUse, QuotaVerdict},
        upstream_failure::FailureClass,
    },
};
use coinlink_ports::{
    market::{PriceProvider, QuotaLedger},
    shared::{BusError, Clock as _, Pause as _},
};
use time::{Duration, OffsetDateTime};
use tokio::sync::Mutex;

#[derive(Default)]
struct Ledger(Mutex<QuotaUse>);

#[async_trait]
impl QuotaLedger for Ledger {
    async fn spend(&self, _: Source, policy: QuotaPolicy, _: OffsetDateTime) -> Result<QuotaVerdict, BusError> {
        let mut used = self.0.lock().await;
        let verdict = policy.judge(*used);
        if verdict != QuotaVerdict::Exhausted {
            used.month += 1;
        }
        Ok(verdict)
    }
}

struct Rig {
    clock: Arc<VirtualTime>,
    providers: [Arc<ScriptedProvider>; 3],
    collect: CollectQuotes,
}

fn rig(order: [Source; 3], scripts: [Step; 3], metering: Metering) -> Rig {
    let clock = VirtualTime::start();
    let mut scripts = scripts.into_iter();
    let providers = order.map(|source| ScriptedProvider::new(source, &clock, scripts.next()));
    let policies = order.map(|source| SourcePolicy {
        source,
        period: Duration::seconds(if source == Source::CoinGecko { 60 } else { 5 }),
        breaker: BreakerPolicy::default(),
    });
    let collect = CollectQuotes {
        providers: providers.iter().map(|provider| Arc::clone(provider) as Arc<dyn PriceProvider>).collect(),
        sourcing: Sourcing::new(&policies),
        metering,
        ledger: Arc::new(Ledger::default()),
        clock: clock.clone(),
        pause: clock.clone(),
        dice: Arc::new(FixedDice),
    };
    Rig { clock, providers, collect }
}

const ORDER: [Source; 3] = [Source::CoinGecko, Source::Coinbase, Source::Kraken];

impl Rig {
    fn usual(scripts: [Step; 3]) -> Self {
        rig(ORDER, scripts, vec![])
    }

    async fn tick(&mut self) -> Collected {
        self.collect.execute(&[]).await
    }

    /// One tick, then the wait for the next.
    async fn whole_tick(&mut self) -> Collected {
        let started = self.clock.monotonic();
        let collected = self.tick().await;
        self.clock.pause(Duration::seconds(5) - (self.clock.monotonic() - started)).await;
        collected
    }

    fn calls(&self) -> [usize; 3] {
        self.providers.each_ref().map(|provider| provider.calls())
    }
}

fn source(collected: &Collected) -> Option<Source> {
    collected.batch.as_ref().map(|batch| batch.source)
}

#[tokio::test(start_paused = true)]
async fn ten_minutes_of_ticks_cost_ten_calls_to_the_cached_provider_and_none_to_the_others() {
    let mut rig = Rig::usual([answers(100), answers(101), answers(102)]);
    for _ in 0..120 {
        rig.whole_tick().await;
    }
    assert_eq!(rig.calls(), [10, 0, 0]);
}

#[tokio::test(start_paused = true)]
async fn a_first_time_out_still_gives_a_fresh_list_in_the_same_tick_whatever_the_order() {
    for order in [
        [Source::CoinGecko, Source::Coinbase, Source::Kraken],
        [Source::CoinGecko, Source::Kraken, Source::Coinbase],
        [Source::Coinbase, Source::CoinGecko, Source::Kraken],
        [Source::Kraken, Source::Coinbase, Source::CoinGecko],
    ] {
        let mut rig = rig(order, [TIME_OUT, answers(101), answers(102)], vec![]);
        let collected = rig.tick().await;
        assert_eq!(source(&collected), Some(order[1]));
        assert!(rig.clock.monotonic() <= Duration::seconds(4), "{}", rig.clock.monotonic());
    }
}

#[tokio::test(start_paused = true)]
async fn when_two_time_out_the_third_answers_within_the_deadline() {
    let mut rig = Rig::usual([TIME_OUT, TIME_OUT, answers(102)]);
    assert_eq!(source(&rig.tick().await), Some(Source::Kraken));
    assert!(rig.clock.monotonic() <= Duration::seconds(4));
}

#[tokio::test(start_paused = true)]
async fn it_is_told_when_an_answer_was_there_though_a_preferred_provider_was_waited_for() {
    let mut rig = Rig::usual([TIME_OUT, answers_after(100, 101), answers(102)]);
    let began = rig.clock.monotonic();
    let collected = rig.tick().await;
    assert_eq!(source(&collected), Some(Source::Coinbase));
    assert_eq!(collected.received, Some(began + Duration::milliseconds(900)));
    assert_eq!(rig.clock.monotonic() - began, Duration::seconds(3));
}

#[tokio::test(start_paused = true)]
async fn a_slow_preferred_answer_beats_a_quick_fallback() {
    let mut rig = Rig::usual([answers_after(1_500, 100), answers(101), answers(102)]);
    assert_eq!(source(&rig.tick().await), Some(Source::CoinGecko));
    assert_eq!(rig.calls()[1], 1, "the fallback was asked beside it");
}

#[tokio::test(start_paused = true)]
async fn a_connection_refused_is_tried_once_more_and_the_budget_bounds_it() {
    let mut rig = Rig::usual([DOWN, answers(101), answers(102)]);
    rig.whole_tick().await;
    assert_eq!(rig.calls()[0], 2, "one call and its retry");
    for _ in 0..4 {
        rig.whole_tick().await;
    }
    assert_eq!(rig.calls()[0], 6, "no retry is left for the next four");
}

#[tokio::test(start_paused = true)]
async fn a_quota_answer_is_never_repeated() {
    let quota = Step(Duration::milliseconds(5), Err(FailureClass::Quota { retry_after: None }));
    let mut rig = Rig::usual([quota, answers(101), answers(102)]);
    rig.tick().await;
    assert_eq!(rig.calls()[0], 1);
}

#[tokio::test(start_paused = true)]
async fn five_failures_open_the_breaker_and_one_probe_comes_every_thirty_then_sixty_seconds() {
    let mut rig = Rig::usual([TIME_OUT, answers(101), answers(102)]);
    for _ in 0..5 {
        rig.whole_tick().await;
    }
    assert_eq!(rig.calls()[0], 5);
    for _ in 0..5 {
        rig.whole_tick().await;
    }
    assert_eq!(rig.calls()[0], 5, "open");
    for _ in 0..12 {
        rig.whole_tick().await;
    }
    assert_eq!(rig.calls()[0], 6, "one probe after 30 s; the next only after 60 more");
}

#[tokio::test(start_paused = true)]
async fn a_recovered_provider_takes_over_on_its_second_good_answer() {
    let mut rig = Rig::usual([TIME_OUT, answers(101), answers(102)]);
    rig.whole_tick().await;
    rig.providers[0].now_does(answers(100));
    let mut shown = Vec::new();
    for _ in 0..14 {
        shown.extend(source(&rig.whole_tick().await));
    }
    let switch = shown.iter().position(|&source| source == Source::CoinGecko).unwrap();
    assert!(shown[..switch].iter().all(|&source| source == Source::Coinbase));
    assert_eq!(rig.calls()[0], 3, "the failure, the first good answer, and the second a period later");
}

#[tokio::test(start_paused = true)]
async fn with_every_provider_down_there_is_no_list_and_the_tick_is_not_held_up() {
    let mut rig = Rig::usual([TIME_OUT, TIME_OUT, TIME_OUT]);
    let collected = rig.tick().await;
    assert_eq!(collected.batch, None);
    assert_eq!(collected.calls.len(), 3);
    assert!(rig.clock.monotonic() <= Duration::seconds(4) + Duration::milliseconds(10));
}

#[tokio::test(start_paused = true)]
async fn a_budget_of_a_hundred_is_never_overrun() {
    let metering = vec![(Source::CoinGecko, QuotaPolicy { per_minute: None, per_month: Some(100) })];
    let mut rig = rig(ORDER, [TIME_OUT, answers(101), answers(102)], metering);
    rig.providers[0].now_does(answers(100));
    for _ in 0..12 * 60 * 8 {
        let collected = rig.whole_tick().await;
        assert!(collected.calls.iter().all(|call| call.result.is_ok()));
    }
    assert_eq!(rig.calls()[0], 100);
    assert!(rig.calls()[1] > 0, "the fallback went on");
}
