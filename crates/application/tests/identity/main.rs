//! Identity's use cases, on a store in memory and a clock that stands still.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod accounts;
mod administration;
mod api_keys;
mod faults;
mod guessing;
mod links;
mod passwords;
mod refreshing;
mod revocations;
mod second_factors;
mod signing_in;
mod support;
mod wallets;
