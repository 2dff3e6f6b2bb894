//! What the assistant brings up by itself.

use std::sync::Arc;

use coinlink_domain::assistant::{Prompt, Scene, prompts};
use coinlink_ports::shared::Clock;
use time::OffsetDateTime;

use crate::market::MarketUseCases;

/// Brings up what goes on in the market, as this node knows it.
pub struct Prompts {
    pub(super) market: MarketUseCases,
    pub(super) clock: Arc<dyn Clock>,
    /// When this node began: what it says is no older than itself.
    pub(super) since: OffsetDateTime,
}

impl Prompts {
    /// At least [`coinlink_domain::assistant::FEWEST_PROMPTS`], the most important first. From memory. They are the same as long
    /// as neither what is known nor the minute changes.
    pub fn current(&self) -> Arc<[Prompt]> {
        let now = self.clock.now().truncate_to_minute().max(self.since);
        let shown = self.market.prices.current();
        let bulletins = &self.market.bulletins;
        let (news, mood) = (bulletins.news(), bulletins.fear_greed());
        let (totals, trending) = (bulletins.totals(), bulletins.trending());
        let scene = Scene {
            prices: shown.as_ref().map(|shown| (&*shown.tick, shown.stale)),
            news: news.as_ref().map(|news| &news.content),
            fear_greed: mood.as_ref().map(|mood| &mood.content),
            totals: totals.as_ref().map(|totals| &totals.content),
            trending: trending.as_ref().map(|trending| &trending.content),
            now,
        };
        prompts(&scene).into()
    }
}
