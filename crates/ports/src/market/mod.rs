//! Ports of the market context.

mod bus;
mod current_prices;
mod lease;
mod prices;
mod quota;
mod store;

pub use bus::{PublishError, TickAudience, TickFollower, TickerBus};
pub use current_prices::{CurrentPrices, CurrentTick};
pub use lease::{LeaderLease, Lease};
pub use prices::{LiveFeedHealth, LiveQuotes, PriceProvider};
pub use quota::QuotaLedger;
pub use store::LastKnownPrices;
