//! Fakes, builders, contract suites and private servers for tests. Never part of the product.

pub mod assistant;
pub mod identity;
pub mod market;
pub mod notifications;
pub mod operations;
pub mod servers;
pub mod shared;
pub mod upstream_stub;
