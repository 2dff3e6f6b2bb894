//! Prices: quotes from several sources become one ticker.

mod bulletin_kind;
mod bulletins;
pub mod candles;
mod delta;
mod overlay;
mod price;
mod primers;
mod quote;
mod refreshing;
pub mod sentiment;
mod source;
mod sourcing;
mod symbol;
mod tick;
mod tick_log;
mod ticker;

pub use bulletin_kind::{AnyBulletin, BulletinKind, BulletinPeriods};
pub use bulletins::{Article, Bulletin, FearGreed, MarketTotals, News, NewsSource, Trending, TrendingAsset};
pub use delta::TickDelta;
pub use overlay::{Overlay, OverlayPolicy};
pub use price::{Percent, Price, PriceError};
pub use primers::primers;
pub use quote::{Quote, QuoteBatch};
pub use refreshing::{RefreshPolicy, Refreshing};
pub use source::Source;
pub use sourcing::{Attempt, SourcePolicy, Sourcing};
pub use symbol::{Symbol, SymbolError};
pub use tick::{Tick, TickId, TickItem};
pub use tick_log::{Accepted, Resumption, TickLog};
pub use ticker::{Listing, Ticker, TickerPolicy};

/// The symbols asked for before any provider has told its own list: what the existing front end shows.
pub const DEFAULT_UNIVERSE: [&str; 50] = [
    "BTC", "ETH", "SOL", "BNB", "XRP", "DOGE", "ADA", "AVAX", "TRX", "LINK", "DOT", "MATIC", "TON", "SHIB", "LTC", "UNI", "BCH",
    "XLM", "ATOM", "NEAR", "XMR", "OP", "ARB", "FIL", "APT", "HBAR", "CRO", "VET", "MKR", "KAS", "INJ", "RUNE", "GRT", "THETA",
    "FTM", "ALGO", "LDO", "IMX", "SUI", "SEI", "MANA", "SAND", "AXS", "AAVE", "EOS", "QNT", "FLOW", "CHZ", "RNDR", "SNX",
];
