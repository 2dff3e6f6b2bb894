//! Vocabulary that every context may use.

pub mod audit;
pub mod backoff;
pub mod breaker;
pub mod hex;
pub mod mail;
pub mod money;
pub mod quota;
pub mod rate_limit;
pub mod reason;
pub mod retry_after;
pub mod retry_budget;
pub mod sealed;
pub mod sliding_window;
pub mod token_bucket;
pub mod upstream_failure;
pub mod user_id;
