//! What operators see: log lines and metrics.

mod json_lines;
pub mod logs;
pub mod metrics;
pub mod trace_context;

pub use metrics::Metrics;
pub use trace_context::RequestContext;
