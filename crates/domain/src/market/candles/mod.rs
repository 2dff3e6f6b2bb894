//! Price history: what prices did in a minute, an hour, a day.

mod candle;

pub use candle::{Candle, Interval};
