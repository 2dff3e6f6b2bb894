//! CoinLink's use cases: load, decide, record, tell. One file each.

pub mod assistant;
pub mod identity;
pub mod market;
pub mod notifications;
pub mod operations;
pub mod shared;
