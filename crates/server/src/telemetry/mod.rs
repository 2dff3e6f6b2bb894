//! What operators see: log lines, metrics, traces and reports of errors.

pub mod error_reports;
mod json_lines;
pub mod logs;
pub mod measurements;
pub mod metrics;
mod scrub;
pub mod trace_context;
pub(crate) mod traces;

pub use metrics::Metrics;
pub use trace_context::RequestContext;

use crate::config::Settings;

/// Kept until the end of `main`: what is still buffered is written out and sent when it is dropped.
#[must_use]
pub struct Telemetry {
    // In this order: what the others have to say at the end is still logged.
    _traces: Option<traces::Traces>,
    _reports: Option<error_reports::ReportsGuard>,
    _logs: logs::LogGuard,
}

/// It could not start.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The log.
    #[error(transparent)]
    Log(#[from] logs::LogError),
    /// Traces.
    #[error("OTEL_EXPORTER_OTLP_ENDPOINT cannot be used: {0}")]
    Traces(#[from] traces::TracesError),
    /// Reports.
    #[error(transparent)]
    Reports(#[from] error_reports::ReportsError),
}

/// Starts what a server tells its operators by itself. Before any runtime: each has a thread of its own.
pub fn start(settings: &Settings) -> Result<Telemetry, TelemetryError> {
    let traces = traces::Traces::begin(&settings.observability, &settings.environment)?;
    let logs = logs::start_beside(&settings.log, traces.as_ref())?;
    let dsn = settings.observability.sentry_dsn.as_ref();
    let reports = dsn.map(|dsn| error_reports::begin(dsn, &settings.environment)).transpose()?;
    Ok(Telemetry { _traces: traces, _reports: reports, _logs: logs })
}
