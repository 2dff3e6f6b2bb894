//! The Fear & Greed index of alternative.me, once a day.
//!
//! Facts: <https://alternative.me/crypto/fear-and-greed-index/#api>. Every number is a string.

mod index;
mod mood;

pub use mood::{AlternativeMe, AlternativeMeSettings};
