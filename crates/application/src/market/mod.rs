//! Use cases of the market context.

mod analyze_text;
mod bulletins;
mod candles;
mod collect_quotes;
mod fill_history;
mod follow_bulletins;
mod follow_ticker;
mod lead_ticker;
mod read_bulletins;
mod read_prices;
mod read_sentiment;
mod recall_ticker;
mod refresh_bulletins;
mod use_cases;

pub use analyze_text::{AnalyzeText, AnalyzeTextError};
pub use bulletins::Bulletins;
pub use candles::{
    AskedCandles, CandlePage, CandleRetention, PruneCandles, ReadCandles, ReadCandlesError, RecordCandles, RecordPolicy,
    RollUpCandles,
};
pub use collect_quotes::{CallReport, CollectQuotes, Collected, Metering};
pub use fill_history::{FillHistory, FillHistoryParts, FillStep, HistoryDepth};
pub use follow_bulletins::FollowBulletins;
pub use follow_ticker::{FollowTicker, FollowerReport};
pub use lead_ticker::{LeadTicker, LeaderParts, LeaderPolicy, TickOutcome};
pub use read_bulletins::{ReadMarketStats, ReadNews, ReadTrending, ShownBulletin, ShownNews};
pub use read_prices::{ReadPrices, ReadPricesError, WantedPrices};
pub use read_sentiment::ReadSentiment;
pub use recall_ticker::RecallTicker;
pub use refresh_bulletins::{BulletinProviders, ProviderCall, RefreshBulletins, RefreshParts};
pub use use_cases::{MarketAdapters, MarketUseCases};
