//! Price history: what ticks were, kept, pruned and read.

mod prune;
mod read;
mod record;
mod roll_up;

pub use prune::{CandleRetention, PruneCandles};
pub use read::{AskedCandles, CandlePage, ReadCandles, ReadCandlesError};
pub use record::{RecordCandles, RecordPolicy};
pub use roll_up::RollUpCandles;
