use crate::{http::ApiError, telemetry::Metrics};

/// Counts what came of an act: `ok`, or the code it is refused with.
pub(super) fn note<T, E: Into<ApiError>>(metrics: &Metrics, event: &'static str, done: Result<T, E>) -> Result<T, ApiError> {
    let done = done.map_err(Into::into);
    metrics.auth_event(event, done.as_ref().map_or_else(|error| error.code().code, |_| "ok"));
    done
}
