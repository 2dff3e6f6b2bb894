//! Which spans are made for traces at all. A request that is not sent has no other than its own, and that one without anything of a
//! trace: what happens within it costs nothing.

use tracing::{Level, Metadata, Subscriber, level_filters::LevelFilter, subscriber::Interest};
use tracing_subscriber::{
    Layer,
    filter::filter_fn,
    layer::{Context, Filter},
    registry::LookupSpan,
};

use super::{ids, sampler::ByParent};

/// The target of requests' spans.
pub(super) const REQUEST: &str = "coinlink::request";

/// The filter of the layer that makes spans of traces.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    pub(super) sampler: ByParent,
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Filter<S> for Wanted {
    fn enabled(&self, metadata: &Metadata<'_>, context: &Context<'_, S>) -> bool {
        if metadata.target() == REQUEST {
            return ids::meant().is_none_or(|meant| self.sampler.sends(meant.caller, meant.trace));
        }
        // Within a span that is not wanted nothing is; what belongs to nothing is a job's, and the sampler's to decide.
        is_ours(metadata) && (context.current_span().id().is_none() || context.lookup_current().is_some())
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        if is_ours(metadata) { Interest::sometimes() } else { Interest::never() }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::DEBUG)
    }
}

/// Keeps requests' spans that are not sent, so that what happens within them is known to belong to them.
pub(super) fn requests<S: Subscriber + for<'a> LookupSpan<'a>>() -> impl Layer<S> {
    let is_request = |metadata: &Metadata<'_>| metadata.target() == REQUEST;
    Keep.with_filter(filter_fn(is_request).with_max_level_hint(LevelFilter::DEBUG))
}

struct Keep;

impl<S: Subscriber> Layer<S> for Keep {}

/// Spans of ours and of the database's library. Events are for the log: they may hold what no other system is to know.
fn is_ours(metadata: &Metadata<'_>) -> bool {
    let target = metadata.target();
    metadata.is_span() && *metadata.level() <= Level::DEBUG && (target.starts_with("coinlink") || target.starts_with("sea_orm"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::{RequestContext, traces::RequestSpan};
    use opentelemetry::{
        KeyValue,
        trace::{Link, SpanKind, TraceId, TracerProvider as _},
    };
    use opentelemetry_sdk::trace::{SamplingResult, SdkTracerProvider, ShouldSample};
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };
    use tracing_subscriber::layer::SubscriberExt as _;

    /// Counts the spans that are made, sent or not.
    #[derive(Debug, Clone)]
    struct Counted {
        sampler: ByParent,
        made: Arc<AtomicUsize>,
    }

    impl ShouldSample for Counted {
        fn should_sample(
            &self,
            parent: Option<&opentelemetry::Context>,
            trace: TraceId,
            name: &str,
            kind: &SpanKind,
            attributes: &[KeyValue],
            links: &[Link],
        ) -> SamplingResult {
            self.made.fetch_add(1, Ordering::Relaxed);
            self.sampler.should_sample(parent, trace, name, kind, attributes, links)
        }
    }

    /// How many spans of traces `work` makes, where this share of new traces is sent.
    fn made(share: f64, work: impl FnOnce()) -> usize {
        let (sampler, made) = (ByParent::with_ratio(share), Arc::new(AtomicUsize::new(0)));
        let provider = SdkTracerProvider::builder().with_sampler(Counted { sampler, made: Arc::clone(&made) }).build();
        let spans = tracing_opentelemetry::layer().with_tracer(provider.tracer("test")).with_filter(Wanted { sampler });
        tracing::subscriber::with_default(tracing_subscriber::registry().with(requests()).with(spans), work);
        made.load(Ordering::Relaxed)
    }

    fn use_case() {
        tracing::info_span!("market.read_prices")
            .in_scope(|| tracing::debug_span!("Redis admit", otel.kind = "client").in_scope(|| ()));
    }

    fn request(caller: Option<&[u8]>) {
        let span = RequestSpan::begin(&RequestContext::of(None, caller), "GET");
        span.span().in_scope(use_case);
        span.answered("GET", "/", 200);
    }

    #[test]
    fn a_request_that_is_not_sent_makes_no_span_and_one_that_is_makes_them_all() {
        assert_eq!(made(0.0, || request(None)), 0);
        assert_eq!(made(1.0, || request(None)), 3);
        assert_eq!(
            made(0.0, || request(Some(b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"))),
            3,
            "the caller's word"
        );
        assert_eq!(
            made(1.0, || request(Some(b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"))),
            0,
            "the caller's word"
        );
    }

    #[test]
    fn what_belongs_to_no_request_makes_its_spans() {
        assert_eq!(made(1.0, use_case), 2);
    }
}
