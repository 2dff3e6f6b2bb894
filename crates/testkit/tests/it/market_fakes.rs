//! The fakes do what tests of use cases take for granted.

use std::sync::Arc;

use coinlink_domain::{
    market::Source,
    shared::{quota::QuotaPolicy, upstream_failure::FailureClass},
};
use coinlink_ports::{
    market::{PriceProvider, PublishError, QuotaLedger},
    shared::Clock,
};
use coinlink_testkit::{
    market::{
        Cut, EmbeddedBus, EmbeddedLease, EmbeddedQuota, HISTORY_KEPT, NOON, Outage, ScriptedPrices, TickerNode, a_batch,
        a_failure, a_quote, a_tick, symbols,
    },
    shared::{ManualPause, StoppedClock},
};
use time::Duration;

fn node(outage: &Outage) -> TickerNode {
    let lease = EmbeddedLease::new(Arc::new(StoppedClock::at(NOON)));
    let bus = Arc::new(EmbeddedBus::new(&lease, HISTORY_KEPT));
    let cut = Arc::new(Cut::new(Arc::clone(&bus) as _, outage));
    TickerNode { bus: cut, lease: Arc::new(Cut::new(Arc::new(lease), outage)), cache: bus }
}

coinlink_testkit::ticker_bus_contract!(node(&Outage::default()));

#[tokio::test]
async fn an_outage_refuses_everything_ends_subscriptions_and_is_over_when_told() {
    let outage = Outage::default();
    let node = node(&outage);
    let quota = Cut::new(Arc::new(EmbeddedQuota::default()), &outage);
    let mut follower = node.bus.follow().await.unwrap();
    outage.begin();
    assert!(follower.next(Duration::DAY).await.is_err());
    assert!(matches!(node.bus.publish(&a_tick(7, 1)).await, Err(PublishError::Unavailable(_))));
    assert!(node.lease.acquire(Duration::SECOND).await.is_err());
    assert!(quota.spend(Source::Kraken, QuotaPolicy::default(), NOON).await.is_err());
    assert!(node.bus.follow().await.is_err());
    outage.end();
    assert_eq!(node.bus.snapshot().await.unwrap(), None, "what was refused was not done");
    assert_eq!(node.bus.publish(&a_tick(7, 1)).await.unwrap(), 1);
}

#[tokio::test]
async fn a_lost_answer_is_an_error_of_something_that_was_done() {
    let outage = Outage::default();
    let node = node(&outage);
    outage.lose_answers();
    assert!(matches!(node.bus.publish(&a_tick(7, 1)).await, Err(PublishError::Unavailable(_))));
    outage.end();
    assert!(matches!(node.bus.publish(&a_tick(7, 1)).await, Err(PublishError::NotNewer)));
}

#[tokio::test]
async fn scripted_prices_answer_in_turn_and_then_stay_with_the_last_answer() {
    let clock = Arc::new(StoppedClock::at(NOON));
    let pause = Arc::new(ManualPause::advancing(clock.clone()));
    let failure = Err(a_failure(FailureClass::Data));
    let answer = Ok(a_batch(Source::Kraken, [a_quote("BTC", "64000.5")]));
    let prices = ScriptedPrices::new(Source::Kraken, [failure.clone(), answer.clone()]).delayed(pause.clone(), Duration::SECOND);
    let asked = symbols(["BTC"]);
    for expected in [failure, answer.clone(), answer] {
        assert_eq!(prices.fetch(&asked).await, expected);
    }
    assert_eq!((prices.calls(), prices.asked()), (3, vec![asked; 3]));
    assert_eq!(pause.waits(), [Duration::SECOND; 3]);
    assert_eq!(clock.now(), NOON + Duration::seconds(3));
}
