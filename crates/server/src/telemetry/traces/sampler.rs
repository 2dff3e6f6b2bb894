//! Which traces are sent.

use opentelemetry::{
    Context, KeyValue,
    trace::{Link, SpanContext, SpanKind, TraceContextExt as _, TraceId, TraceState},
};
use opentelemetry_sdk::trace::{SamplingDecision, SamplingResult, ShouldSample};

use crate::telemetry::trace_context::CallerSpan;

/// Of an id, as many bits as W3C Trace Context (level 2) has random; the others may say when it was made.
const RANDOM: u64 = (1 << 56) - 1;

/// What belongs to a trace is sent when that is: the caller's word counts, as `traceparent` has it. Of new traces a share is sent,
/// the same ones on each node.
#[derive(Debug, Clone, Copy)]
pub(super) struct ByParent {
    below: u64,
}

impl ByParent {
    /// Sends this share of new traces, from 0 to 1.
    pub(super) fn with_ratio(ratio: f64) -> Self {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "0 to 2^56")]
        let below = (ratio.clamp(0.0, 1.0) * (RANDOM + 1) as f64) as u64;
        Self { below }
    }

    /// Whether a request is sent: its caller's word counts, where there is one.
    pub(super) fn sends(self, caller: Option<CallerSpan>, trace: TraceId) -> bool {
        caller.map_or_else(|| self.takes(trace), |caller| caller.sampled)
    }

    fn takes(self, trace: TraceId) -> bool {
        let low = u128::from_be_bytes(trace.to_bytes()) & u128::from(RANDOM);
        low < u128::from(self.below)
    }
}

impl ShouldSample for ByParent {
    fn should_sample(
        &self,
        parent: Option<&Context>,
        trace: TraceId,
        _name: &str,
        kind: &SpanKind,
        _attributes: &[KeyValue],
        _links: &[Link],
    ) -> SamplingResult {
        let parent = parent.map(|context| context.span().span_context().clone()).filter(SpanContext::is_valid);
        let sent = match &parent {
            Some(parent) => parent.is_sampled(),
            // A look at a queue, and a call of upkeep that belongs to nothing: they repeat a few times a second, for ever.
            None if [SpanKind::Client, SpanKind::Consumer].contains(kind) => false,
            None => self.takes(trace),
        };
        SamplingResult {
            decision: if sent { SamplingDecision::RecordAndSample } else { SamplingDecision::Drop },
            attributes: Vec::new(),
            trace_state: parent.map_or_else(TraceState::default, |parent| parent.trace_state().clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::trace_context::new_id;
    use opentelemetry::trace::{SpanContext, SpanId, TraceFlags};

    fn decides(sampler: ByParent, parent: Option<TraceFlags>, trace: TraceId, kind: &SpanKind) -> bool {
        let context = parent.map(|flags| {
            let parent = SpanContext::new(trace, SpanId::from(7), flags, true, TraceState::default());
            Context::new().with_remote_span_context(parent)
        });
        let result = sampler.should_sample(context.as_ref(), trace, "x", kind, &[], &[]);
        result.decision == SamplingDecision::RecordAndSample
    }

    #[test]
    fn the_callers_word_counts_whatever_the_ratio() {
        let trace = TraceId::from(new_id().as_u128());
        for ratio in [0.0, 0.5, 1.0] {
            let sampler = ByParent::with_ratio(ratio);
            assert!(decides(sampler, Some(TraceFlags::SAMPLED), trace, &SpanKind::Server));
            assert!(!decides(sampler, Some(TraceFlags::default()), trace, &SpanKind::Server));
        }
    }

    #[test]
    fn of_new_traces_the_share_that_was_asked_for_is_sent_though_ids_begin_with_the_time() {
        for (ratio, expected) in [(0.0, 0..=0), (0.1, 850..=1150), (0.5, 4800..=5200), (1.0, 10_000..=10_000)] {
            let sampler = ByParent::with_ratio(ratio);
            let sent = (0..10_000).filter(|_| sampler.takes(TraceId::from(new_id().as_u128()))).count();
            assert!(expected.contains(&sent), "{ratio}: {sent}");
        }
    }

    #[test]
    fn a_call_that_belongs_to_nothing_and_a_look_at_a_queue_are_no_traces() {
        let trace = TraceId::from(new_id().as_u128());
        for kind in [SpanKind::Client, SpanKind::Consumer] {
            assert!(!decides(ByParent::with_ratio(1.0), None, trace, &kind));
        }
        assert!(decides(ByParent::with_ratio(1.0), None, trace, &SpanKind::Internal));
    }
}
