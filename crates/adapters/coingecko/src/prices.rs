use std::{num::NonZeroU32, sync::Arc};

use async_trait::async_trait;
use coinlink_domain::{
    market::{Quote, QuoteBatch, Source, Symbol},
    shared::upstream_failure::UpstreamFailure,
};
use coinlink_ports::{market::PriceProvider, shared::Clock};
use coinlink_upstream::{InvalidSettings, Upstream};

use crate::{CoinGeckoSettings, errors, row::Row};

/// CoinGecko's list by market capitalisation: one call for all of it.
pub struct CoinGeckoPrices {
    upstream: Upstream,
    per_page: String,
}

impl CoinGeckoPrices {
    pub fn new(settings: &CoinGeckoSettings, clock: Arc<dyn Clock>) -> Result<Self, InvalidSettings> {
        Ok(Self { upstream: Upstream::new(settings.upstream(), clock)?, per_page: settings.per_page().to_string() })
    }
}

#[async_trait]
impl PriceProvider for CoinGeckoPrices {
    fn source(&self) -> Source {
        Source::CoinGecko
    }

    async fn fetch(&self, _symbols: &[Symbol]) -> Result<QuoteBatch, UpstreamFailure> {
        let query = [
            ("vs_currency", "usd"),
            ("order", "market_cap_desc"),
            ("per_page", &self.per_page),
            ("page", "1"),
            // Without it small prices come rounded.
            ("precision", "full"),
        ];
        let body = self.upstream.get(&["coins", "markets"], &query).await?;
        let rows: Vec<Row> = match body.rows() {
            Ok(rows) => rows,
            Err(unreadable) => return Err(errors::read(body.bytes()).map_or(unreadable, |told| self.upstream.refused(&told))),
        };
        let received = self.upstream.now();
        let mut quotes: Vec<Quote> = rows.into_iter().filter_map(|row| row.into_quote(received)).collect();
        // Several assets share a ticker symbol; the best ranked is meant.
        quotes.sort_by_key(|quote| quote.rank.map_or(u32::MAX, NonZeroU32::get));
        QuoteBatch::collect(Source::CoinGecko, quotes).ok_or_else(|| body.unusable("no usable price in the answer"))
    }
}
