//! Ports of the market context.

mod bulletin_board;
mod bulletin_providers;
mod bus;
mod candle_provider;
mod candles;
mod current_prices;
mod history_gaps;
mod lease;
mod prices;
mod quota;
mod store;

pub use bulletin_board::BulletinBoard;
pub use bulletin_providers::{MoodProvider, NewsProvider, OverviewProvider};
pub use bus::{PublishError, TickAudience, TickFollower, TickerBus};
pub use candle_provider::{CandleProvider, HistoryWindow};
pub use candles::{CandleQuery, CandleStore, Keep, Pruned};
pub use current_prices::{CurrentPrices, CurrentTick};
pub use history_gaps::HistoryGaps;
pub use lease::{LeaderLease, Lease};
pub use prices::{LiveFeedHealth, LiveQuotes, PriceProvider};
pub use quota::QuotaLedger;
pub use store::LastKnownPrices;
