//! Rules of the assistant that answers questions about the market.

mod conversation;

pub use conversation::{Speaker, Turn};
