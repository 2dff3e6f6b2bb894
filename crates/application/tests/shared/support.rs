//! Virtual time, a gate that can fail and hang, and what was logged.

use std::{
    fmt::{self, Debug},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use coinlink_domain::shared::{rate_limit::Charge, sliding_window::WindowPolicy};
use coinlink_embedded::EmbeddedGate;
use coinlink_ports::shared::{Admission, Admitted, BusError, Clock, Pause, RequestGate, WindowState};
use time::{Duration, OffsetDateTime, macros::datetime};
use tokio::time::Instant;
use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};
use uuid::Uuid;

/// Tokio's paused clock: time jumps to the next timer whenever nothing can run.
pub(crate) struct VirtualTime(Instant);

impl VirtualTime {
    pub(crate) fn start() -> Arc<Self> {
        Arc::new(Self(Instant::now()))
    }
}

impl Clock for VirtualTime {
    fn now(&self) -> OffsetDateTime {
        datetime!(2026-01-01 0:00 UTC) + self.monotonic()
    }

    fn monotonic(&self) -> Duration {
        self.0.elapsed().try_into().unwrap()
    }
}

#[async_trait]
impl Pause for VirtualTime {
    async fn pause(&self, wait: Duration) {
        tokio::time::sleep(wait.try_into().unwrap_or_default()).await;
    }
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Mood {
    AnswersAfter(Duration),
    Fails,
    Hangs,
}

/// A gate as on another machine.
pub(crate) struct FarGate {
    gate: EmbeddedGate,
    clock: Arc<VirtualTime>,
    mood: Mutex<Mood>,
    asked: AtomicUsize,
}

impl FarGate {
    pub(crate) fn new(clock: &Arc<VirtualTime>) -> Arc<Self> {
        let (gate, mood) = (EmbeddedGate::new(clock.clone()), Mutex::new(Mood::AnswersAfter(Duration::MILLISECOND)));
        Arc::new(Self { gate, clock: clock.clone(), mood, asked: AtomicUsize::new(0) })
    }

    pub(crate) fn now_is(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    async fn answer(&self) -> Result<&EmbeddedGate, BusError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let mood = *self.mood.lock().unwrap();
        match mood {
            Mood::AnswersAfter(delay) => self.clock.pause(delay).await,
            Mood::Fails => return Err(BusError("connection refused".into())),
            Mood::Hangs => std::future::pending().await,
        }
        Ok(&self.gate)
    }
}

#[async_trait]
impl RequestGate for FarGate {
    async fn admit(&self, admission: &Admission) -> Result<Admitted, BusError> {
        self.answer().await?.admit(admission).await
    }

    async fn peek(&self, charges: &[(Charge, WindowPolicy)]) -> Result<Vec<WindowState>, BusError> {
        self.answer().await?.peek(charges).await
    }

    async fn revoke(&self, sessions: &[Uuid], keep: Duration) -> Result<(), BusError> {
        self.answer().await?.revoke(sessions, keep).await
    }
}

/// Notes the level and text of everything that is logged.
#[derive(Clone, Default)]
pub(crate) struct Lines(Arc<Mutex<Vec<(Level, String)>>>);

impl Lines {
    pub(crate) fn all(&self) -> Vec<(Level, String)> {
        self.0.lock().unwrap().clone()
    }
}

struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = fmt::write(&mut self.0, format_args!("{field}={value:?} "));
    }
}

impl Subscriber for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::INFO
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut text = Text(String::new());
        event.record(&mut text);
        self.0.lock().unwrap().push((*event.metadata().level(), text.0));
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}
