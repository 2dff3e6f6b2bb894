//! A request's ids are made before its span is, for its log lines and its answer: its span gets the same ones.

use std::cell::Cell;

use opentelemetry::trace::{SpanId, TraceId};
use opentelemetry_sdk::trace::IdGenerator;

use crate::telemetry::{
    RequestContext,
    trace_context::{new_id, random_u64},
};

thread_local! {
    static MEANT: Cell<Option<(TraceId, SpanId)>> = const { Cell::new(None) };
}

/// Runs `begin`, which starts one span on this thread: it gets the ids of `context`.
pub(super) fn with_ids_of<T>(context: &RequestContext, begin: impl FnOnce() -> T) -> T {
    MEANT.set(Some((TraceId::from(context.trace_id.as_u128()), SpanId::from(context.span_id))));
    let span = begin();
    MEANT.set(None);
    span
}

/// The ids that are meant, and otherwise new ones of the kind that requests have.
#[derive(Debug, Clone, Copy)]
pub(super) struct RequestIds;

impl IdGenerator for RequestIds {
    fn new_trace_id(&self) -> TraceId {
        MEANT.get().map_or_else(|| TraceId::from(new_id().as_u128()), |(trace, _)| trace)
    }

    fn new_span_id(&self) -> SpanId {
        MEANT.get().map_or_else(|| SpanId::from(random_u64().max(1)), |(_, span)| span)
    }
}
