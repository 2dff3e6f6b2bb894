//! Failures that somebody should look at, sent to Sentry where `SENTRY_DSN` is set: answers of 5xx, but for those to probes, and panics.
//!
//! An event is made here, field by field: where it happened, of what kind it is, the ids to find its log lines by, and the words of
//! its cause after [`scrub`]. Headers, bodies, addresses of requests and of people never get into one. Events wait in a short queue for a thread of their own; what
//! does not fit is dropped.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
    error::Error,
    panic::Location,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::{Duration, Instant},
};

use reqwest::redirect::Policy;
use secrecy::{ExposeSecret as _, SecretString};
use sentry::{
    Client, ClientOptions, Level, Transport, TransportFactory, TransportOptions,
    protocol::{Event, Exception},
    transports::ReqwestHttpTransportOptions,
};

use super::{RequestContext, scrub::scrub};

/// Of one kind, this many events are sent in a minute: an outage is one thing to look at, not a million.
const OF_A_KIND: u32 = 10;
const MINUTE: Duration = Duration::from_mins(1);
/// A Sentry that takes longer has lost the event.
const SEND_WITHIN: Duration = Duration::from_secs(5);
/// What waits at the end is sent within this, or lost.
const FLUSH_WITHIN: Duration = Duration::from_secs(2);

static REPORTS: OnceLock<Reports> = OnceLock::new();

/// Reports cannot be sent.
#[derive(Debug, thiserror::Error)]
pub enum ReportsError {
    /// The setting is no DSN.
    #[error("SENTRY_DSN is not of the form https://KEY@HOST/PROJECT")]
    Dsn,
    /// There is no TLS.
    #[error("no TLS client could be built for SENTRY_DSN")]
    Client,
}

struct Reports {
    client: Client,
    told: Mutex<HashMap<Kind, (Instant, u32)>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Kind {
    what: Cow<'static, str>,
    place: String,
}

/// Sends what waits when dropped; to be kept until the end of `main`.
#[must_use]
pub struct ReportsGuard(());

impl Drop for ReportsGuard {
    fn drop(&mut self) {
        if let Some(reports) = REPORTS.get() {
            reports.client.close(Some(FLUSH_WITHIN));
        }
    }
}

/// Begins to report to `dsn`, once a process.
pub fn begin(dsn: &SecretString, environment: &str) -> Result<ReportsGuard, ReportsError> {
    let dsn = dsn.expose_secret().parse().map_err(|_| ReportsError::Dsn)?;
    // The key must not follow a redirect to another host.
    let http =
        reqwest::Client::builder().timeout(SEND_WITHIN).redirect(Policy::none()).build().map_err(|_| ReportsError::Client)?;
    let mut options = ClientOptions::new()
        .release(concat!("coinlink@", env!("CARGO_PKG_VERSION")))
        .environment(environment.to_owned())
        .default_integrations(false)
        .send_default_pii(false)
        .transport(Http(http));
    options.dsn = Some(dsn);
    // A second one would be of another test in this process: the first goes on.
    let _ = REPORTS.set(Reports { client: Client::with_options(options), told: Mutex::default() });
    Ok(ReportsGuard(()))
}

struct Http(reqwest::Client);

impl TransportFactory for Http {
    fn create_transport_with_options(&self, options: TransportOptions) -> Arc<dyn Transport> {
        Arc::new(ReqwestHttpTransportOptions::from(options).with_client(self.0.clone()).build())
    }
}

/// A request was answered with 5xx.
pub(crate) fn answered(method: &'static str, route: &'static str, status: u16, code: &'static str, cause: Option<&dyn Error>) {
    let Some(reports) = REPORTS.get() else { return };
    let place = format!("{method} {route}");
    if reports.may_tell(Kind { what: code.into(), place: place.clone() }) {
        let words = cause.map_or_else(|| format!("answered {status}"), |cause| scrub(&cause.to_string()));
        let tags = [("method", method.to_owned()), ("route", route.to_owned()), ("status", status.to_string())];
        reports.tell(Level::Error, code, words, place, tags);
    }
}

/// Something panicked.
pub(super) fn panicked(message: &str, location: Option<&Location<'_>>) {
    let Some(reports) = REPORTS.get() else { return };
    let place = location.map_or_else(|| "unknown".to_owned(), ToString::to_string);
    if reports.may_tell(Kind { what: "panic".into(), place: place.clone() }) {
        reports.tell(Level::Fatal, "panic", scrub(message), place.clone(), [("location", place)]);
    }
}

impl Reports {
    fn may_tell(&self, kind: Kind) -> bool {
        let now = Instant::now();
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.retain(|_, (since, _)| now.duration_since(*since) < MINUTE);
        let (_, count) = told.entry(kind).or_insert((now, 0));
        *count += 1;
        *count <= OF_A_KIND
    }

    fn tell<const N: usize>(&self, level: Level, kind: &str, words: String, place: String, tags: [(&str, String); N]) {
        let mut tags: BTreeMap<String, String> = tags.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        RequestContext::try_with(|request| {
            tags.insert("trace_id".to_owned(), request.trace_id.simple().to_string());
            tags.insert("span_id".to_owned(), format!("{:016x}", request.span_id));
        });
        self.client.capture_event(
            Event {
                level,
                fingerprint: vec![kind.to_owned().into(), place.clone().into()].into(),
                transaction: Some(place),
                exception: vec![Exception { ty: kind.to_owned(), value: Some(words), ..Exception::default() }].into(),
                tags,
                ..Event::default()
            },
            None,
        );
    }
}
