//! The simulated feed, from outside.

use std::sync::Arc;

use coinlink_domain::market::{DEFAULT_UNIVERSE, QuoteBatch, Source};
use coinlink_ports::market::PriceProvider;
use coinlink_simulated::SimulatedPrices;
use coinlink_testkit::shared::StoppedClock;
use time::{Duration, OffsetDateTime, macros::datetime};

async fn batch(at: OffsetDateTime) -> QuoteBatch {
    SimulatedPrices::new(Arc::new(StoppedClock::at(at))).fetch(&[]).await.expect("simulated prices")
}

#[tokio::test]
async fn every_price_is_marked_as_simulated_and_dated_by_its_step() {
    let batch = batch(datetime!(2026-01-01 0:00:07.5 UTC)).await;
    assert_eq!(batch.source, Source::Simulated);
    assert_eq!(batch.as_of, datetime!(2026-01-01 0:00:05 UTC));
    assert!(batch.quotes.iter().all(|quote| quote.source == Source::Simulated && quote.as_of == batch.as_of));
}

#[tokio::test]
async fn the_whole_universe_is_ranked_without_gaps() {
    let batch = batch(datetime!(2026-01-01 0:00 UTC)).await;
    let ranks: Vec<_> = batch.quotes.iter().map(|quote| quote.rank.unwrap().get()).collect();
    assert_eq!(ranks, (1..=52).collect::<Vec<_>>());
    assert!(DEFAULT_UNIVERSE.iter().all(|wanted| batch.quotes.iter().any(|quote| quote.symbol.as_str() == *wanted)));
    assert_eq!(batch.quotes[0].symbol.as_str(), "BTC");
}

#[tokio::test]
async fn the_same_moment_gives_the_same_prices_and_the_next_step_others() {
    let now = datetime!(2026-01-01 0:00 UTC);
    assert_eq!(batch(now).await, batch(now + Duration::seconds(4)).await);
    let (before, after) = (batch(now).await, batch(now + Duration::seconds(5)).await);
    let moved = before.quotes.iter().zip(&after.quotes).filter(|(before, after)| before.price != after.price).count();
    assert!(moved > 26, "{moved} of 52 moved");
}

#[tokio::test]
async fn the_days_figures_agree_with_the_days_prices() {
    let now = datetime!(2026-01-01 0:00 UTC);
    let (yesterday, today) = (batch(now - Duration::DAY).await, batch(now).await);
    for (old, new) in yesterday.quotes.iter().zip(&today.quotes) {
        assert_eq!(new.change_24h, new.price.change_since(old.price));
        assert!(new.low_24h.unwrap() <= new.price.min(old.price) && new.high_24h.unwrap() >= new.price.max(old.price));
    }
}
