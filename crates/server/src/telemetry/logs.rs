//! Log lines: JSON for machines in `serve`, readable in `dev`.

use std::io::{IsTerminal as _, stdout};

use tracing_appender::non_blocking::{NonBlocking, WorkerGuard};
use tracing_subscriber::{EnvFilter, Layer as _, layer::SubscriberExt as _};

use super::{error_reports, json_lines::JsonLines, traces::Traces};
use crate::config::{Log, LogFormat};

/// Writes out what is still buffered when dropped; to be kept until the end of `main`.
#[must_use]
pub struct LogGuard(#[expect(dead_code, reason = "kept for its drop")] WorkerGuard);

/// Logging could not start.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The level is none.
    #[error("LOG_LEVEL is not understood: {0}")]
    Level(#[from] tracing_subscriber::filter::ParseError),
    /// Somebody in this process logs already.
    #[error("logging was started twice")]
    Started,
}

/// Bytes that are no HTTP are answered and closed; as error lines anybody could write them at will. Whoever looks closely, or
/// asks for them, sees them.
fn filter(level: &str) -> String {
    let close = ["debug", "trace", "actix"].iter().any(|word| level.to_ascii_lowercase().contains(word));
    // A span for each statement is for traces: the log would only pay for it.
    if close { level.to_owned() } else { format!("actix_http::h1=off,sea_orm::database=off,{level}") }
}

/// Starts logging to standard output. Lines are written by a thread of their own, and dropped rather than waited for when
/// whoever reads them is too slow: a full pipe must not stop requests.
pub fn start(settings: &Log) -> Result<LogGuard, LogError> {
    start_beside(settings, None)
}

/// [`start`], with spans for traces too. The log keeps its own level: what is only for traces is in no line.
pub(super) fn start_beside(settings: &Log, traces: Option<&Traces>) -> Result<LogGuard, LogError> {
    let filter = EnvFilter::try_new(filter(&settings.level))?;
    let (writer, guard) = NonBlocking::new(stdout());
    if let Some(traces) = traces {
        let lines = tracing_subscriber::fmt::layer().with_writer(writer);
        let lines = if settings.format == LogFormat::Json {
            lines.event_format(JsonLines).boxed()
        } else {
            lines.compact().with_ansi(stdout().is_terminal()).boxed()
        };
        let both = tracing_subscriber::registry().with(lines.with_filter(filter)).with(traces.layer());
        tracing::subscriber::set_global_default(both).map_err(|_| LogError::Started)?;
        log_panics();
        return Ok(LogGuard(guard));
    }
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer);
    let started = if settings.format == LogFormat::Json {
        tracing::subscriber::set_global_default(builder.event_format(JsonLines).finish())
    } else {
        tracing::subscriber::set_global_default(builder.compact().with_ansi(stdout().is_terminal()).finish())
    };
    started.map_err(|_| LogError::Started)?;
    log_panics();
    Ok(LogGuard(guard))
}

/// Panics become log lines with the ids of their request; without this they are loose text on standard error.
pub fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let location = panic.location().map(ToString::to_string);
        let message = panic.payload_as_str().unwrap_or("a panic without a message");
        tracing::error!(location = location.as_deref(), panic = message, "panicked");
        error_reports::panicked(message, panic.location());
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_bytes_are_shown_only_to_whoever_looks_closely() {
        let off = "actix_http::h1=off,sea_orm::database=off";
        assert_eq!(filter("info"), format!("{off},info"));
        assert_eq!(filter("warn,coinlink=info"), format!("{off},warn,coinlink=info"));
        for level in ["debug", "TRACE", "info,actix_http=warn"] {
            assert_eq!(filter(level), level);
        }
    }
}
