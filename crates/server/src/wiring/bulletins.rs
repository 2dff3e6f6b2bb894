//! Who is asked for news, the market's mood, its figures and what people search for.

use std::sync::Arc;

use coinlink_alternative_me::{AlternativeMe, AlternativeMeSettings};
use coinlink_application::market::{BulletinProviders, Bulletins, FollowBulletins, RefreshBulletins, RefreshParts};
use coinlink_coingecko::CoinGeckoOverview;
use coinlink_domain::market::{BulletinPeriods, Source};
use coinlink_newsapi::{NewsApi, NewsApiSettings};
use tokio::task::JoinSet;

use super::{ContextParts, coingecko};
use crate::{
    cli::Feed,
    config::Settings,
    jobs::{Led, follow_bulletins, refresh_bulletins},
    serve::StartError,
    telemetry::Metrics,
};

/// How often bulletins are asked for, by the plan of the source of prices.
pub(super) fn periods(settings: &Settings) -> BulletinPeriods {
    BulletinPeriods::within(settings.coingecko.quota().per_month)
}

/// Whether headlines are asked for: with a key, and not in a made-up world.
pub(super) fn asks_for_news(parts: &ContextParts<'_>) -> bool {
    parts.feed == Feed::Live && parts.settings.news.api_key.is_some()
}

/// Fetching and following.
pub(super) struct BulletinJobs {
    refresh: RefreshBulletins,
    follow: FollowBulletins,
    metrics: Metrics,
}

impl BulletinJobs {
    pub(super) fn spawn(self, jobs: &mut JoinSet<()>, led: &Led) {
        jobs.spawn(refresh_bulletins(self.refresh, led.leading(), self.metrics));
        jobs.spawn(follow_bulletins(self.follow));
    }
}

/// Both, filling `known`.
pub(super) fn bulletins(parts: &ContextParts<'_>, known: &Arc<Bulletins>) -> Result<BulletinJobs, StartError> {
    let ContextParts { settings, shared, around, metrics, .. } = *parts;
    let refresh = RefreshBulletins::new(RefreshParts {
        providers: providers(parts)?,
        periods: periods(settings),
        board: Arc::clone(&shared.bulletins),
        ledger: Arc::clone(&shared.ledger),
        metering: vec![(Source::CoinGecko, settings.coingecko.quota())],
        known: Arc::clone(known),
        clock: Arc::clone(&around.clock),
        dice: Arc::clone(&around.dice),
    });
    let follow = FollowBulletins {
        board: Arc::clone(&shared.bulletins),
        known: Arc::clone(known),
        pause: Arc::clone(&around.pause),
        dice: Arc::clone(&around.dice),
    };
    Ok(BulletinJobs { refresh, follow, metrics: metrics.clone() })
}

/// In a made-up world nobody outside is asked.
fn providers(parts: &ContextParts<'_>) -> Result<BulletinProviders, StartError> {
    let ContextParts { settings, around, .. } = *parts;
    let clock = || Arc::clone(&around.clock);
    let mut providers = BulletinProviders::default();
    if parts.feed == Feed::Simulated {
        return Ok(providers);
    }
    if let Some(key) = settings.news.api_key.clone().filter(|_| asks_for_news(parts)) {
        let newsapi = NewsApiSettings { base_url: settings.news.base_url.clone(), ..NewsApiSettings::new(key) };
        providers.news = Some(Arc::new(NewsApi::new(newsapi, clock())?));
    }
    if settings.sentiment.enabled {
        let mood = AlternativeMeSettings { base_url: settings.sentiment.base_url.clone(), ..AlternativeMeSettings::default() };
        providers.mood = Some(Arc::new(AlternativeMe::new(mood, clock())?));
    }
    if settings.coingecko.overview {
        providers.overview = Some(Arc::new(CoinGeckoOverview::new(&coingecko(settings), clock())?));
    }
    Ok(providers)
}
