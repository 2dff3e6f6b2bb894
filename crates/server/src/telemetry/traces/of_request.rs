//! The span of a request: the root of what happens here for it.

use opentelemetry::{
    Context,
    trace::{SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState},
};
use tracing::{Span, field::Empty};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use super::{ids::with_ids_of, wanted::REQUEST};
use crate::telemetry::RequestContext;

/// A request's span, named once its route is known.
#[derive(Clone)]
pub(crate) struct RequestSpan {
    span: Span,
    sent: bool,
}

impl RequestSpan {
    /// Begins it with the ids of `context`, under the caller's span where there is one. Costs next to nothing where nobody looks.
    pub(crate) fn begin(context: &RequestContext, method: &'static str) -> Self {
        with_ids_of(context, || {
            let span = tracing::debug_span!(
                target: REQUEST,
                parent: None,
                "request",
                otel.kind = "server",
                otel.status_code = Empty,
                http.request.method = method,
                http.route = Empty,
                http.response.status_code = Empty,
            );
            if span.is_disabled() {
                return Self { span, sent: false };
            }
            if let Some(caller) = context.caller {
                let flags = if caller.sampled { TraceFlags::SAMPLED } else { TraceFlags::default() };
                let (trace, parent) = (TraceId::from(context.trace_id.as_u128()), SpanId::from(caller.span_id));
                let caller = SpanContext::new(trace, parent, flags, true, TraceState::default());
                // Refused where only the log looks at spans.
                let _ = span.set_parent(Context::new().with_remote_span_context(caller));
            }
            // It starts when its context is asked for.
            let sent = span.context().span().span_context().is_sampled();
            Self { span, sent }
        })
    }

    /// What it is to be part of.
    pub(crate) const fn span(&self) -> &Span {
        &self.span
    }

    /// Tells how it was answered.
    pub(crate) fn answered(&self, method: &'static str, route: &'static str, status: u16) {
        if self.span.is_disabled() {
            return;
        }
        if self.sent {
            self.span.context().span().update_name(format!("{method} {route}"));
        }
        self.span.record("http.route", route);
        self.span.record("http.response.status_code", i64::from(status));
        if status >= 500 {
            self.span.record("otel.status_code", "ERROR");
        }
    }
}
