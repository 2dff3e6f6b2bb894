//! What leaves for the collector: bounded, and cleaned of all that is not meant for it.

use std::{
    borrow::Cow,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use opentelemetry::{Context, Key, KeyValue, StringValue, Value};
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{BatchSpanProcessor, Span, SpanData, SpanExporter, SpanProcessor},
};

use crate::telemetry::scrub::scrub;

/// Attributes that are sent, with the names that they are sent under: those of OpenTelemetry's semantic conventions, and ours. Any
/// other stays here, so that a field that somebody adds for the log tells nobody else.
const SENT: [(&str, &str); 17] = [
    ("http.request.method", "http.request.method"),
    ("http.route", "http.route"),
    ("http.response.status_code", "http.response.status_code"),
    ("db.system", "db.system.name"),
    ("db.operation", "db.operation.name"),
    ("db.statement", "db.query.text"),
    ("outcome", "coinlink.outcome"),
    ("provider", "coinlink.provider"),
    ("job", "coinlink.job"),
    ("epoch", "coinlink.epoch"),
    ("seq", "coinlink.seq"),
    ("symbol", "coinlink.symbol"),
    ("interval", "coinlink.interval"),
    ("intent", "coinlink.intent"),
    ("model", "coinlink.model"),
    ("channel", "coinlink.channel"),
    ("template", "coinlink.template"),
];
/// A statement that writes a thousand rows is longer, and says no more.
const LONGEST: usize = 1_024;

/// What waits and what was lost.
#[derive(Debug, Default)]
pub(super) struct Losses {
    waiting: AtomicUsize,
    lost: AtomicU64,
    failing: AtomicBool,
    sent: AtomicBool,
    too_many: AtomicBool,
}

impl Losses {
    /// What became of the last traces that were sent; `None` while none were.
    pub(super) fn last_were_taken(&self) -> Option<bool> {
        if self.failing.load(Ordering::Relaxed) { Some(false) } else { self.sent.load(Ordering::Relaxed).then_some(true) }
    }

    /// Says that spans are being lost, and later how many were, not every time in between; that there are too many, once.
    fn tell(&self, sent: &OTelSdkResult) {
        if let Err(reason) = sent {
            if !self.failing.swap(true, Ordering::Relaxed) {
                // Of the cause, what was scrubbed: an address may hold a password.
                let reason = scrub(&reason.to_string());
                tracing::warn!(reason, "traces cannot be sent: spans are lost until the collector answers");
            }
        } else {
            self.sent.store(true, Ordering::Relaxed);
            let lost = self.lost.swap(0, Ordering::Relaxed);
            if self.failing.swap(false, Ordering::Relaxed) {
                tracing::warn!(lost, "traces are sent again; some spans were lost");
            } else if lost > 0 && !self.too_many.swap(true, Ordering::Relaxed) {
                tracing::warn!(lost, "more spans come than can be sent, and some are lost: lower OTEL_TRACES_SAMPLER_ARG");
            }
        }
    }
}

/// Takes no more spans than may wait. Whoever ends a span waits for nothing.
#[derive(Debug)]
pub(super) struct Bounded {
    batches: BatchSpanProcessor,
    most: usize,
    losses: Arc<Losses>,
}

impl Bounded {
    pub(super) const fn new(batches: BatchSpanProcessor, most: usize, losses: Arc<Losses>) -> Self {
        Self { batches, most, losses }
    }
}

impl SpanProcessor for Bounded {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.batches.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        if self.losses.waiting.fetch_add(1, Ordering::Relaxed) < self.most {
            self.batches.on_end(span);
        } else {
            self.losses.waiting.fetch_sub(1, Ordering::Relaxed);
            self.losses.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.batches.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.batches.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.batches.set_resource(resource);
    }
}

/// Cleans spans on their way to `exporter`, on the thread that sends them.
#[derive(Debug)]
pub(super) struct Outgoing<E> {
    exporter: E,
    losses: Arc<Losses>,
}

impl<E> Outgoing<E> {
    pub(super) const fn new(exporter: E, losses: Arc<Losses>) -> Self {
        Self { exporter, losses }
    }
}

impl<E: SpanExporter> SpanExporter for Outgoing<E> {
    async fn export(&self, mut batch: Vec<SpanData>) -> OTelSdkResult {
        let count = batch.len();
        batch.iter_mut().for_each(clean);
        let sent = self.exporter.export(batch).await;
        self.losses.waiting.fetch_sub(count, Ordering::Relaxed);
        if sent.is_err() {
            self.losses.lost.fetch_add(count as u64, Ordering::Relaxed);
        }
        self.losses.tell(&sent);
        sent
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

fn clean(span: &mut SpanData) {
    let attributes = std::mem::take(&mut span.attributes);
    span.attributes = attributes.into_iter().filter_map(as_sent).collect();
    if let Some(call) = span.name.strip_prefix("sea_orm.") {
        span.name = format!("SQL {}", statement(call, &span.attributes)).into();
    }
}

fn as_sent(KeyValue { key, value, .. }: KeyValue) -> Option<KeyValue> {
    let (_, name) = SENT.iter().find(|(ours, _)| *ours == key.as_str())?;
    Some(KeyValue::new(Key::from_static_str(name), cut(value)))
}

fn cut(value: Value) -> Value {
    match &value {
        Value::String(text) if text.as_str().len() > LONGEST => {
            let text = text.as_str();
            Value::String(StringValue::from(text[..text.floor_char_boundary(LONGEST)].to_owned()))
        }
        _ => value,
    }
}

/// `BEGIN`, `COMMIT` and `ROLLBACK` by the call that makes them, anything else by its first word.
fn statement<'a>(call: &str, attributes: &'a [KeyValue]) -> Cow<'a, str> {
    if ["begin", "commit", "rollback"].contains(&call) {
        return call.to_ascii_uppercase().into();
    }
    let operation = attributes.iter().find(|attribute| attribute.key.as_str() == "db.operation.name");
    operation.map_or(Cow::Borrowed("EXECUTE"), |operation| operation.value.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use opentelemetry_sdk::error::OTelSdkError;

    #[test]
    fn what_is_not_known_to_be_harmless_stays_here() {
        for secret in ["password", "exception.message", "error", "http.request.header.cookie", "url.query", "email"] {
            assert_eq!(as_sent(KeyValue::new(secret, "x")), None, "{secret}");
        }
        assert_eq!(as_sent(KeyValue::new("db.system", "postgresql")), Some(KeyValue::new("db.system.name", "postgresql")));
    }

    #[test]
    fn what_became_of_the_last_traces_is_known_once_some_were_sent() {
        let losses = Losses::default();
        assert_eq!(losses.last_were_taken(), None);
        for (sent, taken) in
            [(Err(OTelSdkError::AlreadyShutdown), false), (Ok(()), true), (Err(OTelSdkError::AlreadyShutdown), false)]
        {
            losses.tell(&sent);
            assert_eq!(losses.last_were_taken(), Some(taken));
        }
    }

    #[test]
    fn a_long_statement_is_cut_between_letters() {
        let Value::String(text) = cut(Value::from("ä".repeat(LONGEST))) else { panic!("text stays text") };
        assert_eq!(text.as_str().len(), LONGEST);
        let Value::String(text) = cut(Value::from(format!("x{}", "ä".repeat(LONGEST)))) else { panic!("text stays text") };
        assert_eq!(text.as_str().len(), LONGEST - 1);
        assert_eq!(cut(Value::from(7_i64)), Value::from(7_i64));
    }

    #[test]
    fn a_statement_is_called_by_what_it_does() {
        let select = [KeyValue::new("db.operation.name", "SELECT")];
        assert_eq!(statement("query_one", &select), "SELECT");
        assert_eq!(statement("begin", &[]), "BEGIN");
        assert_eq!(statement("execute_unprepared", &[]), "EXECUTE");
    }
}
