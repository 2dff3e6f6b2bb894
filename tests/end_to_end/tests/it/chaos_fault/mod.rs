//! The table of faults that CoinLink survives: each is made to happen to the real binary on servers of its own, and what was measured is
//! written down (`docs/runbooks/chaos-results.md`). `just chaos` runs all of it; `tests/run` what other tests do not show already.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod clock;
mod database;
mod disk;
mod kills;
mod leader_killed;
mod partition;
mod redis_away;
mod redis_full;
mod results;
mod scene;
mod terminated;
mod watch;
