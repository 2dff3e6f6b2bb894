use std::{num::NonZeroU32, sync::Arc};

use coinlink_domain::market::{Quote, Source, Symbol};
use coinlink_upstream::{ExactDecimal, instant, lenient};
use serde::Deserialize;
use time::OffsetDateTime;

/// One asset of `/coins/markets`, as far as it is used.
#[derive(Debug, Deserialize)]
pub(crate) struct Row {
    symbol: String,
    #[serde(default, deserialize_with = "lenient")]
    name: Option<Arc<str>>,
    #[serde(default, deserialize_with = "lenient")]
    market_cap_rank: Option<NonZeroU32>,
    #[serde(default)]
    current_price: ExactDecimal,
    #[serde(default)]
    price_change_percentage_24h: ExactDecimal,
    #[serde(default)]
    high_24h: ExactDecimal,
    #[serde(default)]
    low_24h: ExactDecimal,
    #[serde(default)]
    total_volume: ExactDecimal,
    #[serde(default)]
    market_cap: ExactDecimal,
    #[serde(default, deserialize_with = "lenient")]
    last_updated: Option<String>,
}

impl Row {
    /// `None` where there is no usable price or symbol.
    pub(crate) fn into_quote(self, received: OffsetDateTime) -> Option<Quote> {
        // A moment still to come would never grow old.
        let as_of = self.last_updated.as_deref().and_then(instant).map_or(received, |at| at.min(received));
        Some(Quote {
            symbol: Symbol::try_new(&self.symbol).ok()?,
            name: self.name,
            rank: self.market_cap_rank,
            price: self.current_price.price()?,
            change_24h: self.price_change_percentage_24h.percent(),
            high_24h: self.high_24h.price(),
            low_24h: self.low_24h.price(),
            volume_24h: self.total_volume.amount(),
            // An unknown market capitalisation is told as 0.
            market_cap: self.market_cap.amount().filter(|cap| !cap.is_zero()),
            source: Source::CoinGecko,
            as_of,
        })
    }
}
