//! OpenTelemetry traces by OTLP, where an endpoint is set. Without one there is no layer, and spans cost what they cost the log.
//!
//! What is sent is bounded and cleaned in [`outgoing`]; which requests are traced is said in [`sampler`], and [`wanted`] makes no spans
//! of the others.

mod ids;
mod of_request;
mod outgoing;
mod sampler;
mod wanted;

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock},
    thread,
    time::Duration,
};

use opentelemetry::{KeyValue, trace::TracerProvider as _};
use opentelemetry_otlp::{Protocol, RetryPolicy, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::{
    Resource,
    trace::{BatchConfigBuilder, BatchSpanProcessor, SdkTracer, SdkTracerProvider},
};
use reqwest::{blocking::Client, redirect::Policy};
use secrecy::ExposeSecret as _;
use tracing::Subscriber;
use tracing_subscriber::{Layer, registry::LookupSpan};

use self::{
    ids::RequestIds,
    outgoing::{Bounded, Losses, Outgoing},
    sampler::ByParent,
    wanted::Wanted,
};
use crate::config::Observability;

pub(crate) use of_request::RequestSpan;

/// Spans that wait for the collector; what comes beyond them is dropped and counted. A span is about a kilobyte.
const WAITING: usize = 16_384;
/// Spans of one call to the collector.
const AT_ONCE: usize = 512;
/// How long a span waits for others to be sent with.
const DELAY: Duration = Duration::from_secs(1);
/// A collector that takes longer has lost what it was sent.
const SEND_WITHIN: Duration = Duration::from_secs(5);
/// What is left at the end is sent within this, or lost.
const FLUSH_WITHIN: Duration = Duration::from_secs(2);

/// What is told of this process's traces.
static LOSSES: OnceLock<Arc<Losses>> = OnceLock::new();

/// How sending goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sending {
    /// No endpoint is set.
    Off,
    /// Nothing was sent yet.
    NotYet,
    /// The collector took what it was sent last.
    Works,
    /// It did not.
    Fails,
}

/// How sending traces goes in this process.
pub(crate) fn sending() -> Sending {
    match LOSSES.get().map(|losses| losses.last_were_taken()) {
        None => Sending::Off,
        Some(None) => Sending::NotYet,
        Some(Some(true)) => Sending::Works,
        Some(Some(false)) => Sending::Fails,
    }
}

/// Traces cannot be sent.
#[derive(Debug, thiserror::Error)]
pub enum TracesError {
    /// The exporter does not take the settings.
    #[error(transparent)]
    Exporter(#[from] opentelemetry_otlp::ExporterBuildError),
    /// There is no TLS.
    #[error("no TLS client could be built for OTEL_EXPORTER_OTLP_ENDPOINT")]
    Client,
}

/// Sends what is still buffered when dropped; to be kept until the end of `main`.
pub(super) struct Traces {
    provider: SdkTracerProvider,
    sampler: ByParent,
}

impl Traces {
    /// Sends to the endpoint of the settings; `None` where they name none. The collector need not be there yet.
    pub(super) fn begin(settings: &Observability, environment: &str) -> Result<Option<Self>, TracesError> {
        if settings.otlp_endpoint.is_empty() {
            return Ok(None);
        }
        let exporter = SpanExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .with_http_client(client()?)
            .with_endpoint(traces_url(&settings.otlp_endpoint))
            .with_headers(settings.otlp_headers.as_ref().map(|text| headers(text.expose_secret())).unwrap_or_default())
            .with_timeout(SEND_WITHIN)
            // The next call comes a second later, with what has come meanwhile.
            .with_retry_policy(RetryPolicy::disabled())
            .build()?;
        let losses = Arc::new(Losses::default());
        // A second one would be of another test in this process: the first goes on.
        let _ = LOSSES.set(Arc::clone(&losses));
        let config = BatchConfigBuilder::default()
            .with_max_queue_size(WAITING)
            .with_max_export_batch_size(AT_ONCE)
            .with_scheduled_delay(DELAY)
            .build();
        let batches = BatchSpanProcessor::builder(Outgoing::new(exporter, Arc::clone(&losses))).with_batch_config(config).build();
        let resource = Resource::builder()
            .with_service_name("coinlink")
            .with_attributes([
                KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
                KeyValue::new("deployment.environment.name", environment.to_owned()),
            ])
            .build();
        let sampler = ByParent::with_ratio(settings.trace_ratio);
        let provider = SdkTracerProvider::builder()
            .with_span_processor(Bounded::new(batches, WAITING, losses))
            .with_id_generator(RequestIds)
            .with_sampler(sampler)
            .with_resource(resource)
            .build();
        Ok(Some(Self { provider, sampler }))
    }

    /// Makes spans of what `tracing` calls so.
    pub(super) fn layer<S: Subscriber + for<'a> LookupSpan<'a>>(&self) -> impl Layer<S> + use<S> {
        let tracer: SdkTracer = self.provider.tracer("coinlink");
        let spans = tracing_opentelemetry::layer()
            .with_tracer(tracer)
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_level(false)
            .with_tracked_inactivity(false)
            .with_context_activation(false)
            .with_filter(Wanted { sampler: self.sampler });
        wanted::requests().and_then(spans)
    }
}

impl Drop for Traces {
    fn drop(&mut self) {
        // What could not be sent in time is told of by `Outgoing`.
        let _ = self.provider.shutdown_with_timeout(FLUSH_WITHIN);
    }
}

/// Made on a thread of its own, as it must not be made within a runtime. Headers that name an account must not follow a redirect to another host.
fn client() -> Result<Client, TracesError> {
    let made = thread::spawn(|| Client::builder().timeout(SEND_WITHIN).redirect(Policy::none()).build()).join();
    made.ok().and_then(Result::ok).ok_or(TracesError::Client)
}

/// The endpoint is the base of all signals, as the specification has it; one that names that of traces is taken at its word.
fn traces_url(endpoint: &str) -> String {
    let base = endpoint.trim_end_matches('/');
    format!("{}/v1/traces", base.strip_suffix("/v1/traces").unwrap_or(base))
}

/// `name=value,name=value`.
fn headers(text: &str) -> HashMap<String, String> {
    let pairs = text.split(',').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_endpoint_is_the_base_of_all_signals() {
        for endpoint in ["http://collector:4318", "http://collector:4318/"] {
            assert_eq!(traces_url(endpoint), "http://collector:4318/v1/traces");
        }
        assert_eq!(traces_url("https://otlp.example.org/otlp"), "https://otlp.example.org/otlp/v1/traces");
        assert_eq!(traces_url("http://collector:4318/v1/traces"), "http://collector:4318/v1/traces", "as some write it");
    }

    #[test]
    fn headers_are_pairs_and_a_value_may_hold_an_equals_sign() {
        let read = headers("Authorization=Basic abc==, x-scope=7,none");
        assert_eq!((read.len(), &*read["Authorization"], &*read["x-scope"]), (2, "Basic abc==", "7"));
    }
}
