//! Coinbase Exchange's public socket: the `ticker_batch` channel, kept connected for as long as anybody watches.

mod book;
mod feed;
mod frames;
mod listing;
mod session;

pub use feed::{CoinbaseLiveFeed, LiveSettings};
