//! Price history: what prices did in a minute, an hour, a day.

mod back_fill;
mod candle;
mod gaps;
mod minute_book;
mod normalise;
mod record;
mod roll_up;

pub use back_fill::{next_call, without};
pub use candle::{Candle, Interval};
pub use gaps::{GapFinder, Span};
pub use minute_book::MinuteBook;
pub use normalise::{CandleRow, Stamp, normalise};
pub use record::{CandleOrigin, CandleRecord};
pub use roll_up::roll_up;
