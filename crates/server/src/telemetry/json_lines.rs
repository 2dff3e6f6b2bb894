//! One JSON object a log line, flat, with the ids of the request it belongs to.
//!
//! `tracing_subscriber`'s own JSON format takes ids from spans, and a span a request costs several times what a line does;
//! here they are read from the task.

use std::{cell::RefCell, fmt, io::Write as _};

use serde::Serialize;
use time::{OffsetDateTime, format_description::FormatItem, macros::format_description};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    fmt::{FmtContext, FormatEvent, FormatFields, format::Writer},
    registry::LookupSpan,
};

use super::trace_context::{RequestContext, RequestId};

const TIMESTAMP: &[FormatItem<'static>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]Z");

/// The format.
#[derive(Debug, Clone, Copy)]
pub(super) struct JsonLines;

impl<S, N> FormatEvent<S, N> for JsonLines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        thread_local! {
            static LINE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
        }
        LINE.with(|line| {
            // A value that logs while it is being logged finds the buffer taken and gets its own.
            let mut own = Vec::new();
            let mut shared = line.try_borrow_mut().ok();
            let line = shared.as_deref_mut().unwrap_or(&mut own);
            line.clear();
            let span = context.lookup_current().map(|span| span.metadata().name());
            write_line(line, event, span, OffsetDateTime::now_utc());
            writer.write_str(std::str::from_utf8(line).map_err(|_| fmt::Error)?)
        })
    }
}

fn write_line(line: &mut Vec<u8>, event: &Event<'_>, span: Option<&'static str>, now: OffsetDateTime) {
    let metadata = event.metadata();
    line.extend_from_slice(b"{\"timestamp\":\"");
    // Writing to a Vec does not fail, and the format needs nothing a UTC moment lacks.
    let _ = now.format_into(line, TIMESTAMP);
    line.extend_from_slice(b"\",\"level\":\"");
    line.extend_from_slice(metadata.level().as_str().as_bytes());
    line.push(b'"');
    let mut fields = Fields { line };
    fields.put("target", metadata.target());
    event.record(&mut fields);
    RequestContext::try_with(|request| {
        match &request.request_id {
            RequestId::Given(id) => fields.put("request_id", id),
            RequestId::Made(id) => fields.put("request_id", id.hyphenated().encode_lower(&mut [0; 36])),
        }
        fields.put("trace_id", request.trace_id.simple().encode_lower(&mut [0; 32]));
        fields.key("span_id");
        let _ = write!(fields.line, "\"{:016x}\"", request.span_id);
    });
    if let Some(span) = span {
        fields.put("span", span);
    }
    line.extend_from_slice(b"}\n");
}

struct Fields<'a> {
    line: &'a mut Vec<u8>,
}

impl Fields<'_> {
    fn key(&mut self, name: &str) {
        self.line.push(b',');
        self.value(name);
        self.line.push(b':');
    }

    fn value<T: Serialize + ?Sized>(&mut self, value: &T) {
        // Plain values into a Vec: nothing here fails.
        let _ = serde_json::to_writer(&mut *self.line, value);
    }

    fn put<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) {
        self.key(name);
        self.value(value);
    }
}

impl Visit for Fields<'_> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field.name(), &value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field.name(), &value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field.name(), &value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field.name(), &value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field.name(), value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field.name(), &format_args!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Sink(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn logged(work: impl FnOnce()) -> serde_json::Value {
        let sink = Sink::default();
        let made = sink.clone();
        let subscriber = tracing_subscriber::fmt().event_format(JsonLines).with_writer(move || made.clone()).finish();
        tracing::subscriber::with_default(subscriber, work);
        let text = String::from_utf8(sink.0.lock().unwrap().clone()).unwrap();
        assert!(text.ends_with("}\n") && text.lines().count() == 1, "{text}");
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn a_line_is_flat_and_carries_the_ids_of_its_request() {
        let context = RequestContext::of(Some(b"mine"), Some(b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"));
        let line =
            logged(|| context.sync_scope(|| tracing::warn!(status = 503, latency_ms = 1.5, route = "/health", "answered")));
        assert_eq!((&line["level"], &line["message"], &line["status"]), (&"WARN".into(), &"answered".into(), &503.into()));
        assert_eq!((&line["latency_ms"], &line["route"]), (&1.5.into(), &"/health".into()));
        assert_eq!((&line["request_id"], &line["trace_id"]), (&"mine".into(), &"4bf92f3577b34da6a3ce929d0e0e4736".into()));
        assert_eq!(line["span_id"].as_str().unwrap().len(), 16);
        assert!(line["timestamp"].as_str().unwrap().ends_with('Z') && line["target"].is_string());
    }

    #[test]
    fn a_panic_is_a_line_with_its_place_and_the_ids_of_its_request() {
        let context = RequestContext::of(Some(b"mine"), Some(b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"));
        let usual = std::panic::take_hook();
        crate::telemetry::logs::log_panics();
        let line = logged(|| {
            assert!(
                std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| context.sync_scope(|| panic!("a shard is gone"))))
                    .is_err()
            );
        });
        std::panic::set_hook(usual);
        assert_eq!(
            (&line["level"], &line["message"], &line["panic"]),
            (&"ERROR".into(), &"panicked".into(), &"a shard is gone".into())
        );
        assert!(line["location"].as_str().unwrap().contains("json_lines.rs:"), "{line}");
        assert_eq!((&line["request_id"], &line["trace_id"]), (&"mine".into(), &"4bf92f3577b34da6a3ce929d0e0e4736".into()));
    }

    #[test]
    fn text_cannot_break_out_of_its_line() {
        let evil = "a\"b\\c\nd\u{0}\u{1b}[31m";
        let line = logged(|| tracing::info!(evil, debug = ?evil, "{evil}"));
        assert_eq!((&line["evil"], &line["message"]), (&evil.into(), &evil.into()));
        assert!(line.get("request_id").is_none());
    }
}
