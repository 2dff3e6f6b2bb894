//! Use cases of the market context.

mod bulletins;
mod collect_quotes;
mod follow_ticker;
mod lead_ticker;
mod use_cases;

pub use bulletins::Bulletins;
pub use collect_quotes::{CallReport, CollectQuotes, Collected, Metering};
pub use follow_ticker::{FollowTicker, FollowerReport};
pub use lead_ticker::{LeadTicker, LeaderParts, LeaderPolicy, TickOutcome};
pub use use_cases::{MarketAdapters, MarketUseCases};
