use coinlink_domain::market::{MarketTotals, Percent, Source};
use coinlink_upstream::{ExactDecimal, lenient};
use serde::Deserialize;
use time::OffsetDateTime;

/// `/global`, as far as it is used.
#[derive(Debug, Deserialize)]
pub(crate) struct Global {
    pub(crate) data: Figures,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Figures {
    #[serde(default, deserialize_with = "lenient")]
    active_cryptocurrencies: Option<u32>,
    #[serde(default, deserialize_with = "lenient")]
    total_market_cap: Option<InUsd>,
    #[serde(default, deserialize_with = "lenient")]
    total_volume: Option<InUsd>,
    #[serde(default, deserialize_with = "lenient")]
    market_cap_percentage: Option<Shares>,
    #[serde(default, deserialize_with = "lenient")]
    updated_at: Option<i64>,
}

#[derive(Debug, Deserialize)]
struct InUsd {
    #[serde(default)]
    usd: ExactDecimal,
}

#[derive(Debug, Deserialize)]
struct Shares {
    #[serde(default)]
    btc: ExactDecimal,
}

impl Figures {
    /// `None` where a figure is missing, or is none that a market can have.
    pub(crate) fn into_totals(self, received: OffsetDateTime) -> Option<MarketTotals> {
        // An unknown market capitalisation is told as 0.
        let positive = |amount: ExactDecimal| amount.amount().filter(|amount| !amount.is_zero());
        let share = self.market_cap_percentage?.btc.amount().filter(|share| *share <= 100.into())?;
        let told = self.updated_at.and_then(|at| OffsetDateTime::from_unix_timestamp(at).ok());
        Some(MarketTotals {
            market_cap: positive(self.total_market_cap?.usd)?,
            volume_24h: positive(self.total_volume?.usd)?,
            bitcoin_dominance: Percent::new(share),
            active_assets: self.active_cryptocurrencies.filter(|assets| *assets > 0)?,
            // A moment still to come would never grow old, and one before there were block chains is a mistake.
            as_of: told.filter(|at| at.year() >= 2009).map_or(received, |at| at.min(received)),
            source: Source::CoinGecko,
        })
    }
}
