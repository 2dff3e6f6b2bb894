//! A request's ids are made before its span is, for its log lines and its answer: its span gets the same ones.

use std::cell::Cell;

use opentelemetry::trace::{SpanId, TraceId};
use opentelemetry_sdk::trace::IdGenerator;

use crate::telemetry::{
    RequestContext,
    trace_context::{CallerSpan, new_id, random_u64},
};

thread_local! {
    static MEANT: Cell<Option<Meant>> = const { Cell::new(None) };
}

/// The place in a trace that a span is to have.
#[derive(Debug, Clone, Copy)]
pub(super) struct Meant {
    pub(super) trace: TraceId,
    span: SpanId,
    pub(super) caller: Option<CallerSpan>,
}

/// Runs `begin`, which starts one span on this thread: it gets the ids of `context`.
pub(super) fn with_ids_of<T>(context: &RequestContext, begin: impl FnOnce() -> T) -> T {
    let (trace, span) = (TraceId::from(context.trace_id.as_u128()), SpanId::from(context.span_id));
    MEANT.set(Some(Meant { trace, span, caller: context.caller }));
    let span = begin();
    MEANT.set(None);
    span
}

/// What the span is to be that begins now, where somebody said so.
pub(super) fn meant() -> Option<Meant> {
    MEANT.get()
}

/// The ids that are meant, and otherwise new ones of the kind that requests have.
#[derive(Debug, Clone, Copy)]
pub(super) struct RequestIds;

impl IdGenerator for RequestIds {
    fn new_trace_id(&self) -> TraceId {
        meant().map_or_else(|| TraceId::from(new_id().as_u128()), |meant| meant.trace)
    }

    fn new_span_id(&self) -> SpanId {
        meant().map_or_else(|| SpanId::from(random_u64().max(1)), |meant| meant.span)
    }
}
