use std::sync::Arc;

use coinlink_domain::market::BulletinPeriods;
use coinlink_ports::{
    market::{CandleStore, CurrentPrices},
    shared::Clock,
};

use super::{AnalyzeText, Bulletins, ReadCandles, ReadMarketStats, ReadNews, ReadPrices, ReadSentiment, ReadTrending};

/// What the market's routes need from outside.
#[derive(Clone)]
pub struct MarketAdapters {
    /// What this node shows.
    pub prices: Arc<dyn CurrentPrices>,
    /// Price history.
    pub candles: Arc<dyn CandleStore>,
    /// How often bulletins are asked for.
    pub periods: BulletinPeriods,
    /// Whether headlines are asked for at all.
    pub asks_for_news: bool,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

/// What is asked of the market.
#[derive(Clone)]
pub struct MarketUseCases {
    /// What this node knows of what was fetched for the cluster.
    pub bulletins: Arc<Bulletins>,
    /// Headlines.
    pub read_news: Arc<ReadNews>,
    /// The market's figures.
    pub read_stats: Arc<ReadMarketStats>,
    /// What people search for.
    pub read_trending: Arc<ReadTrending>,
    /// Reads price history.
    pub candles: Arc<ReadCandles>,
    /// What this node shows.
    pub prices: Arc<dyn CurrentPrices>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// The market's mood.
    pub read_sentiment: ReadSentiment,
    /// The mood of a text.
    pub analyze_text: AnalyzeText,
    /// Lines of the newest tick.
    pub read_prices: ReadPrices,
}

impl MarketUseCases {
    /// All of them.
    pub fn new(adapters: MarketAdapters) -> Self {
        let MarketAdapters { prices, candles, periods, asks_for_news, clock } = adapters;
        let candles = Arc::new(ReadCandles::new(candles, Arc::clone(&prices), Arc::clone(&clock)));
        let bulletins = Arc::<Bulletins>::default();
        let know = || (Arc::clone(&bulletins), Arc::clone(&clock));
        let (known, at) = know();
        let read_news = Arc::new(ReadNews { bulletins: known, asked_for: asks_for_news, period: periods.news, clock: at });
        let (known, at) = know();
        let read_stats = Arc::new(ReadMarketStats { bulletins: known, period: periods.totals, clock: at });
        let (known, at) = know();
        let read_trending = Arc::new(ReadTrending { bulletins: known, period: periods.trending, clock: at });
        let (known, at) = know();
        let read_sentiment = ReadSentiment::new(known, Arc::clone(&prices), at);
        let read_prices = ReadPrices::new(Arc::clone(&prices));
        Self {
            bulletins,
            read_news,
            read_stats,
            read_trending,
            candles,
            prices,
            clock,
            read_sentiment,
            analyze_text: AnalyzeText,
            read_prices,
        }
    }
}
