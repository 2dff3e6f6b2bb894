//! The market's use cases, on virtual time.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod collect_quotes;
mod follow_ticker;
mod lead_ticker;
mod support;
