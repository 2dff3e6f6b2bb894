//! Read the market's mood: what is known on this node of headlines, the index and the price, put together.

use std::sync::Arc;

use coinlink_domain::market::sentiment::{self, Evidence, Sentiment};
use coinlink_ports::{market::CurrentPrices, shared::Clock};
use time::{Duration, OffsetDateTime};

use super::Bulletins;

/// Whoever asks within this time, counted from the epoch, is told the same.
const SAME_ANSWER: Duration = Duration::seconds(10);

/// Reads it from memory: it never waits.
#[derive(Clone)]
pub struct ReadSentiment {
    bulletins: Arc<Bulletins>,
    prices: Arc<dyn CurrentPrices>,
    clock: Arc<dyn Clock>,
}

impl ReadSentiment {
    /// Of what these know.
    pub fn new(bulletins: Arc<Bulletins>, prices: Arc<dyn CurrentPrices>, clock: Arc<dyn Clock>) -> Self {
        Self { bulletins, prices, clock }
    }

    /// `None` while none of its inputs was ever known.
    #[tracing::instrument(name = "market.read_sentiment", skip_all)]
    pub fn execute(&self) -> Option<Sentiment> {
        let now = self.clock.now();
        let step = moment(now);
        let evidence = [self.headlines(step), self.fear_greed(step), self.momentum(step)];
        let evidence: Vec<Evidence> = evidence.into_iter().flatten().collect();
        // It is not older than what it is made of.
        let newest = evidence.iter().map(|evidence| evidence.as_of.min(now)).max();
        sentiment::compose(evidence, newest.map_or(step, |newest| newest.max(step)))
    }

    fn headlines(&self, now: OffsetDateTime) -> Option<Evidence> {
        let news = self.bulletins.news()?;
        sentiment::of_headlines(&news.content, news.fetched_at, now)
    }

    fn fear_greed(&self, now: OffsetDateTime) -> Option<Evidence> {
        sentiment::of_fear_greed(&self.bulletins.fear_greed()?.content, now)
    }

    fn momentum(&self, now: OffsetDateTime) -> Option<Evidence> {
        let current = self.prices.current()?;
        let bitcoin = current.tick.item("BTC")?;
        let quote = &bitcoin.quote;
        sentiment::of_momentum(quote.change_24h?, quote.source, (quote.as_of, bitcoin.stale || current.stale), now)
    }
}

/// The last whole ten seconds.
fn moment(now: OffsetDateTime) -> OffsetDateTime {
    let over = now.unix_timestamp_nanos().rem_euclid(SAME_ANSWER.whole_nanoseconds());
    now - Duration::nanoseconds(i64::try_from(over).unwrap_or_default())
}
