//! Log lines: JSON for machines in `serve`, readable in `dev`.

use std::io::{IsTerminal as _, stdout};

use tracing_appender::non_blocking::{NonBlocking, WorkerGuard};
use tracing_subscriber::EnvFilter;

use super::json_lines::JsonLines;
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
    if close { level.to_owned() } else { format!("actix_http::h1=off,{level}") }
}

/// Starts logging to standard output. Lines are written by a thread of their own, and dropped rather than waited for when
/// whoever reads them is too slow: a full pipe must not stop requests.
pub fn start(settings: &Log) -> Result<LogGuard, LogError> {
    let filter = EnvFilter::try_new(filter(&settings.level))?;
    let (writer, guard) = NonBlocking::new(stdout());
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
fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let location = panic.location().map(ToString::to_string);
        let message = panic.payload_as_str().unwrap_or("a panic without a message");
        tracing::error!(location = location.as_deref(), panic = message, "panicked");
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_bytes_are_shown_only_to_whoever_looks_closely() {
        assert_eq!(filter("info"), "actix_http::h1=off,info");
        assert_eq!(filter("warn,coinlink=info"), "actix_http::h1=off,warn,coinlink=info");
        for level in ["debug", "TRACE", "info,actix_http=warn"] {
            assert_eq!(filter(level), level);
        }
    }
}
