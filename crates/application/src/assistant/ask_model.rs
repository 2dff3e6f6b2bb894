//! Ask a language model, and wait no longer than a person would.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use coinlink_domain::{
    assistant::{LONGEST_WRITTEN, whole_sentences},
    shared::{
        breaker::{Admission, Breaker, BreakerPolicy},
        upstream_failure::{FailureClass, UpstreamFailure},
    },
};
use coinlink_ports::{
    assistant::{AnswerPieces, Assistant, ModelRequest},
    shared::{Clock, Pause},
};
use futures_util::{
    FutureExt as _,
    future::{Either, select},
};
use time::{Duration, OffsetDateTime};

/// The first piece of an answer is there by then, or there is none.
const FIRST_WITHIN: Duration = Duration::seconds(3);
/// An answer is whole by then, or cut.
const WHOLE_WITHIN: Duration = Duration::seconds(20);
/// How long a model that was asked too often is left alone where it names no time, and at most where it does.
const QUIET: Duration = Duration::seconds(30);
const LONGEST_QUIET: Duration = Duration::minutes(10);
/// How long a model is left alone that our settings do not fit.
const MISCONFIGURED: Duration = Duration::minutes(5);

/// A model, and how it was of late.
pub(super) struct AskModel {
    model: Arc<dyn Assistant>,
    clock: Arc<dyn Clock>,
    pause: Arc<dyn Pause>,
    health: Mutex<Health>,
}

#[derive(Default)]
struct Health {
    breaker: Breaker,
    /// It asked to be left alone until then.
    quiet_until: Option<OffsetDateTime>,
}

/// How an answer ended that began.
enum Ended {
    Whole,
    /// It broke off, took too long, or became too long.
    Cut(Option<UpstreamFailure>),
}

type Alarm<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

impl AskModel {
    pub(super) fn new(model: Arc<dyn Assistant>, clock: Arc<dyn Clock>, pause: Arc<dyn Pause>) -> Self {
        Self { model, clock, pause, health: Mutex::default() }
    }

    pub(super) fn name(&self) -> &str {
        self.model.model()
    }

    /// What the model wrote, in whole sentences; `None` where it wrote none, or is left alone.
    pub(super) async fn write(&self, request: &ModelRequest) -> Option<String> {
        if !self.admit() {
            return None;
        }
        match self.read(request).await {
            Ok((text, Ended::Whole)) => {
                self.report(None);
                Some(text)
            }
            Ok((text, Ended::Cut(failure))) => {
                self.report(failure.as_ref());
                whole_sentences(&text, LONGEST_WRITTEN)
            }
            Err(failure) => {
                self.report(Some(&failure));
                None
            }
        }
    }

    async fn read(&self, request: &ModelRequest) -> Result<(String, Ended), UpstreamFailure> {
        let late = |what: &str| UpstreamFailure::new(FailureClass::Transient { retryable: false }, what);
        let mut whole: Alarm<'_> = Box::pin(self.pause.pause(WHOLE_WITHIN));
        // Time counts from here on, not from when it is first waited for.
        let _ = (&mut whole).now_or_never();
        let first = Box::pin(async {
            let mut pieces = self.model.answer(request).await?;
            let first = pieces.next().await;
            Ok::<_, UpstreamFailure>((pieces, first))
        });
        let (mut pieces, first) = match select(first, self.pause.pause(FIRST_WITHIN)).await {
            Either::Left((begun, _)) => begun?,
            Either::Right(_) => return Err(late("no first word within its time")),
        };
        let mut text = first.transpose()?.unwrap_or_default();
        let mut length = text.chars().count();
        loop {
            if length > LONGEST_WRITTEN {
                return Ok((text, Ended::Cut(None)));
            }
            match self.next(&mut pieces, &mut whole).await {
                Some(Some(Ok(piece))) => {
                    length += piece.chars().count();
                    text.push_str(&piece);
                }
                Some(Some(Err(failure))) => return Ok((text, Ended::Cut(Some(failure)))),
                Some(None) => return Ok((text, Ended::Whole)),
                None => return Ok((text, Ended::Cut(Some(late("not whole within its time"))))),
            }
        }
    }

    /// The next piece; `None` when the time is over.
    async fn next(
        &self,
        pieces: &mut Box<dyn AnswerPieces>,
        whole: &mut Alarm<'_>,
    ) -> Option<Option<Result<String, UpstreamFailure>>> {
        match select(pieces.next(), whole).await {
            Either::Left((piece, _)) => Some(piece),
            Either::Right(_) => None,
        }
    }

    fn health(&self) -> MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn admit(&self) -> bool {
        let now = self.clock.now();
        let mut health = self.health();
        if health.quiet_until.is_some_and(|until| now < until) {
            return false;
        }
        !matches!(health.breaker.admit(now, BreakerPolicy::default()), Admission::Refuse { .. })
    }

    /// Notes how a call ended.
    fn report(&self, failure: Option<&UpstreamFailure>) {
        let now = self.clock.now();
        let mut health = self.health();
        let class = failure.map(|failure| failure.class);
        match class {
            Some(FailureClass::Quota { retry_after }) => {
                health.quiet_until = Some(now + retry_after.unwrap_or(QUIET).clamp(Duration::ZERO, LONGEST_QUIET));
            }
            Some(FailureClass::Config) => health.quiet_until = Some(now + MISCONFIGURED),
            _ => {}
        }
        let failed = matches!(class, Some(FailureClass::Transient { .. }));
        health.breaker.record(!failed, now, BreakerPolicy::default());
        drop(health);
        if let Some(failure) = failure {
            tracing::warn!(model = self.name(), class = failure.class.label(), %failure, "the language model failed");
        }
    }
}
