use std::sync::Arc;

use async_trait::async_trait;
use coinlink_domain::{
    market::{MarketTotals, Source, Trending, TrendingAsset},
    shared::upstream_failure::UpstreamFailure,
};
use coinlink_ports::{market::OverviewProvider, shared::Clock};
use coinlink_upstream::{Body, InvalidSettings, Upstream, rows};
use serde::de::DeserializeOwned;

use crate::{
    CoinGeckoSettings, errors,
    global::Global,
    wanted::{Coins, Wanted},
};

/// More than CoinGecko's free plans tell of.
const MOST_WANTED: usize = 50;

/// What CoinGecko says of the whole market: a call for its figures, one for what people search for.
pub struct CoinGeckoOverview {
    upstream: Upstream,
}

impl CoinGeckoOverview {
    pub fn new(settings: &CoinGeckoSettings, clock: Arc<dyn Clock>) -> Result<Self, InvalidSettings> {
        Ok(Self { upstream: Upstream::new(settings.upstream(), clock)? })
    }

    fn read<T: DeserializeOwned>(&self, body: &Body) -> Result<T, UpstreamFailure> {
        body.json().map_err(|unreadable| errors::read(body.bytes()).map_or(unreadable, |told| self.upstream.refused(&told)))
    }
}

#[async_trait]
impl OverviewProvider for CoinGeckoOverview {
    async fn totals(&self) -> Result<MarketTotals, UpstreamFailure> {
        let body = self.upstream.get(&["global"], &[]).await?;
        let global: Global = self.read(&body)?;
        global.data.into_totals(self.upstream.now()).ok_or_else(|| body.unusable("a figure of the market is missing"))
    }

    async fn trending(&self) -> Result<Trending, UpstreamFailure> {
        let body = self.upstream.get(&["search", "trending"], &[]).await?;
        let coins: Coins = self.read(&body)?;
        let rows: Vec<Wanted> = rows(coins.coins.get().as_bytes()).map_err(|_| body.unusable("the searches are no list"))?;
        let assets: Arc<[TrendingAsset]> = rows.into_iter().filter_map(Wanted::into_asset).take(MOST_WANTED).collect();
        if assets.is_empty() {
            return Err(body.unusable("no usable asset in the answer"));
        }
        Ok(Trending { assets, source: Source::CoinGecko })
    }
}
