use async_trait::async_trait;
use coinlink_domain::shared::{rate_limit::Charge, sliding_window::WindowPolicy};
use time::Duration;
use uuid::Uuid;

use super::BusError;

/// What a request asks of the gate.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Admission {
    /// What it is counted as, and the limit of each. In order: where one is full, those after it are not counted.
    pub charges: Vec<(Charge, WindowPolicy)>,
    /// The session it says it belongs to.
    pub session: Option<Uuid>,
}

/// How full one window is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowState {
    /// Requests it still takes.
    pub remaining: u32,
    /// Until its oldest request leaves it, so that it takes one more; the whole window where it is empty. At most the window.
    pub next_free_in: Duration,
}

/// What the gate answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admitted {
    /// How full each window is after this request, in the order of [`Admission::charges`]; those after a full one are missing.
    pub windows: Vec<WindowState>,
    /// Whether the last of `windows` was full, so that the request is refused.
    pub limited: bool,
    /// Whether the session is known to be over.
    pub revoked: bool,
}

/// Counts requests in sliding windows and knows which sessions were ended, for all nodes together. What counts is the gate's
/// own clock.
#[async_trait]
pub trait RequestGate: Send + Sync {
    /// Counts one request and looks its session up, in one step.
    async fn admit(&self, admission: &Admission) -> Result<Admitted, BusError>;

    /// How full windows are, without counting; as many answers as `charges`.
    async fn peek(&self, charges: &[(Charge, WindowPolicy)]) -> Result<Vec<WindowState>, BusError>;

    /// Remembers for `keep` that these sessions are over.
    async fn revoke(&self, sessions: &[Uuid], keep: Duration) -> Result<(), BusError>;
}
