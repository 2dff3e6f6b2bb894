//! Fakes, builders and contract suites of the market context. The leases, ticks and budgets of a cluster in one process
//! are `coinlink-embedded`'s, which hold the same contracts as the ones on Redis; [`Cut`] makes any of them fail.

pub mod bulletin_board_contract;
pub mod bus_contract;
pub mod candles_contract;
pub mod history_gaps_contract;
pub mod last_known_contract;
pub mod lease_contract;
pub mod quota_contract;

mod audience;
mod builders;
mod bulletins;
mod live;
mod memory_candles;
mod memory_history_gaps;
mod memory_last_known_prices;
mod outage;
mod prices;
mod scripted_candles;
mod shown_prices;

pub use audience::RecordingAudience;
pub use builders::{NOON, a_batch, a_failure, a_full_tick, a_quote, a_ranked_quote, a_tick, symbols};
pub use bulletin_board_contract::BoardNodes;
pub use bulletins::{Scripted, ScriptedOverview, a_mood, fetched, some_news, some_totals, some_trending};
pub use bus_contract::{HISTORY_KEPT, TickerNode};
pub use coinlink_embedded::{EmbeddedBulletins, EmbeddedBus, EmbeddedLease, EmbeddedQuota};
pub use lease_contract::LeaseNodes;
pub use live::MemoryLiveQuotes;
pub use memory_candles::MemoryCandles;
pub use memory_history_gaps::MemoryHistoryGaps;
pub use memory_last_known_prices::MemoryLastKnownPrices;
pub use outage::{Cut, Outage};
pub use prices::ScriptedPrices;
pub use scripted_candles::ScriptedCandles;
pub use shown_prices::ShownPrices;
