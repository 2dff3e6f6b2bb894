use std::{num::NonZeroU32, sync::Arc};

use async_trait::async_trait;
use coinlink_domain::{
    market::{Price, Quote, QuoteBatch, Source, Symbol},
    shared::upstream_failure::{FailureClass, UpstreamFailure},
};
use coinlink_ports::{market::PriceProvider, shared::Clock};
use time::OffsetDateTime;

use crate::{
    assets::{ASSETS, Asset},
    motion::{STEP_SECONDS, price},
};

const HOUR: i64 = 3_600;

/// Made-up prices. Has a universe of its own; never to be mixed with real ones.
pub struct SimulatedPrices {
    clock: Arc<dyn Clock>,
}

impl SimulatedPrices {
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock }
    }
}

#[async_trait]
impl PriceProvider for SimulatedPrices {
    fn source(&self) -> Source {
        Source::Simulated
    }

    async fn fetch(&self, _symbols: &[Symbol]) -> Result<QuoteBatch, UpstreamFailure> {
        let now = self.clock.now();
        let quotes = ASSETS.iter().zip(1..).filter_map(|(asset, rank)| quote(asset, rank, now));
        QuoteBatch::collect(Source::Simulated, quotes)
            .ok_or_else(|| UpstreamFailure::new(FailureClass::Data, "simulated: the clock is out of range"))
    }
}

fn quote(asset: &Asset, rank: u32, now: OffsetDateTime) -> Option<Quote> {
    let at = now.unix_timestamp().div_euclid(STEP_SECONDS) * STEP_SECONDS;
    let priced = |at| Price::try_new(price(asset, at)).ok();
    let last = priced(at)?;
    // The day's range, looked at once an hour.
    let range = || (0..=24).filter_map(|hours| priced(at - hours * HOUR));
    Some(Quote {
        name: Some(asset.name.into()),
        rank: NonZeroU32::new(rank),
        change_24h: priced(at - 24 * HOUR).and_then(|open| last.change_since(open)),
        high_24h: range().max(),
        low_24h: range().min(),
        ..Quote::bare(Symbol::try_new(asset.symbol).ok()?, last, Source::Simulated, OffsetDateTime::from_unix_timestamp(at).ok()?)
    })
}
