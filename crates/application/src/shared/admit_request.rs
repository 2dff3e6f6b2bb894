//! Admit a request: count it with all nodes together, or by this node alone while they cannot count together. Never open, and
//! never a wait of more than 100 ms.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use coinlink_domain::shared::{
    breaker::{Admission as Passage, Breaker, BreakerPolicy},
    rate_limit::{Charge, RateClass, RateLimits},
    sliding_window::WindowPolicy,
};
use coinlink_ports::shared::{Admission, Admitted, BusError, Clock, Pause, RequestGate, WindowState};
use futures_util::future::{Either, select};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

/// A shared gate that takes longer is as good as gone.
const ANSWER_WITHIN: Duration = Duration::milliseconds(100);

/// The first failure is enough, since this node can do without; then one request in this time tries the shared gate. Longer
/// than an answer may take, so that there is never more than one that tries.
const TRY_AGAIN: BreakerPolicy = BreakerPolicy { max_failures: 1, cool_downs: [Duration::milliseconds(250); 3] };

/// What became of a request at the gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GateOutcome {
    /// How full each window is after it, with the limit that was applied. Those after a full one are missing.
    pub windows: Vec<(Charge, WindowPolicy, WindowState)>,
    /// Whether the last of `windows` was full, so that the request is refused.
    pub limited: bool,
    /// Whether its session is known to be over.
    pub revoked: bool,
    /// Whether this node counted alone, by its own stricter limits.
    pub alone: bool,
}

/// The gate that every request passes.
pub struct AdmitRequest {
    shared: Arc<dyn RequestGate>,
    alone: Arc<dyn RequestGate>,
    limits: RateLimits,
    limits_alone: RateLimits,
    clock: Arc<dyn Clock>,
    pause: Arc<dyn Pause>,
    breaker: Mutex<Breaker>,
    /// Whether the breaker is anything but closed, so that a request that finds all well takes no lock.
    is_alone: AtomicBool,
}

impl AdmitRequest {
    /// Counts with `shared` by `limits`; where that does not answer, with `alone` (in this process) by stricter ones.
    pub fn new(
        shared: Arc<dyn RequestGate>,
        alone: Arc<dyn RequestGate>,
        limits: RateLimits,
        clock: Arc<dyn Clock>,
        pause: Arc<dyn Pause>,
    ) -> Self {
        let limits_alone = limits.on_one_node_alone();
        Self { shared, alone, limits, limits_alone, clock, pause, breaker: Mutex::default(), is_alone: AtomicBool::new(false) }
    }

    /// The limit of a class, while all nodes count together.
    pub const fn limit_of(&self, class: RateClass) -> WindowPolicy {
        self.limits.of(class)
    }

    /// Whether this node counts alone at the moment.
    pub fn is_alone(&self) -> bool {
        self.is_alone.load(Ordering::Acquire)
    }

    /// Counts one request and looks its session up. While alone, the gate knows of no session that ended.
    #[tracing::instrument(level = "debug", skip_all, name = "admit_request")]
    pub async fn execute(&self, charges: &[Charge], session: Option<Uuid>) -> GateOutcome {
        if self.asks_the_shared_gate() {
            let admission = Admission { charges: limited_by(&self.limits, charges), session };
            if let Some(admitted) = self.heard(self.shared.admit(&admission)).await {
                if !admitted.limited {
                    self.note(&admission).await;
                }
                return outcome(&admission, admitted, false);
            }
        }
        let admission = Admission { charges: limited_by(&self.limits_alone, charges), session };
        let admitted = self.alone.admit(&admission).await;
        outcome(&admission, admitted.unwrap_or_else(|_| refusal(&admission)), true)
    }

    /// Counts here too what all nodes let in, so that a node that is alone from one moment to the next does not begin with empty
    /// windows. In this process there is nothing that could fail, and nothing to wait for.
    async fn note(&self, admission: &Admission) {
        let _ = self.alone.admit(&Admission { charges: admission.charges.clone(), session: None }).await;
    }

    /// How full the windows are, without counting.
    #[tracing::instrument(level = "debug", skip_all, name = "peek_at_windows")]
    pub async fn peek(&self, charges: &[Charge]) -> Vec<(Charge, WindowPolicy, WindowState)> {
        if self.asks_the_shared_gate() {
            let charges = limited_by(&self.limits, charges);
            if let Some(states) = self.heard(self.shared.peek(&charges)).await {
                return with_states(&charges, states);
            }
        }
        let charges = limited_by(&self.limits_alone, charges);
        let states = self.alone.peek(&charges).await;
        let states = states.unwrap_or_else(|_| charges.iter().map(|&(_, policy)| full(policy)).collect());
        with_states(&charges, states)
    }

    /// Whether the shared gate is well, or this request is the one that finds out.
    fn asks_the_shared_gate(&self) -> bool {
        !self.is_alone() || !matches!(self.breaker().admit(self.now(), TRY_AGAIN), Passage::Refuse { .. })
    }

    /// What the shared gate answers in time, and what that says about it.
    async fn heard<T>(&self, call: impl Future<Output = Result<T, BusError>> + Unpin) -> Option<T> {
        match self.in_time(call).await {
            Ok(answer) => {
                if self.is_alone() {
                    self.record(true);
                }
                Some(answer)
            }
            Err(error) => {
                if self.record(false) {
                    tracing::warn!(error = error.0, "the shared gate does not answer: requests are limited by this node alone");
                }
                None
            }
        }
    }

    async fn in_time<T>(&self, call: impl Future<Output = Result<T, BusError>> + Unpin) -> Result<T, BusError> {
        match select(call, self.pause.pause(ANSWER_WITHIN)).await {
            Either::Left((answer, _)) => answer,
            Either::Right(_) => Err(BusError(format!("no answer within {ANSWER_WITHIN}"))),
        }
    }

    /// Whether this node now counts alone and did not before.
    fn record(&self, succeeded: bool) -> bool {
        let mut breaker = self.breaker();
        breaker.record(succeeded, self.now(), TRY_AGAIN);
        let is_alone = !matches!(*breaker, Breaker::Closed { .. });
        let was_alone = self.is_alone.swap(is_alone, Ordering::AcqRel);
        if was_alone && !is_alone {
            tracing::info!("the shared gate answers: requests are limited by all nodes together again");
        }
        is_alone && !was_alone
    }

    fn breaker(&self) -> MutexGuard<'_, Breaker> {
        // What a panicking holder left behind is whole: every change is one assignment.
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The monotonic clock, as a breaker wants it: setting the wall clock neither opens nor closes it.
    fn now(&self) -> OffsetDateTime {
        OffsetDateTime::UNIX_EPOCH.saturating_add(self.clock.monotonic())
    }
}

fn limited_by(limits: &RateLimits, charges: &[Charge]) -> Vec<(Charge, WindowPolicy)> {
    charges.iter().map(|&charge| (charge, limits.of(charge.class))).collect()
}

fn with_states(charges: &[(Charge, WindowPolicy)], states: Vec<WindowState>) -> Vec<(Charge, WindowPolicy, WindowState)> {
    charges.iter().zip(states).map(|(&(charge, policy), state)| (charge, policy, state)).collect()
}

fn outcome(admission: &Admission, admitted: Admitted, alone: bool) -> GateOutcome {
    let Admitted { windows, limited, revoked } = admitted;
    GateOutcome { windows: with_states(&admission.charges, windows), limited, revoked, alone }
}

const fn full(policy: WindowPolicy) -> WindowState {
    WindowState { remaining: 0, next_free_in: policy.window }
}

/// Where nobody can count, what would have to be counted is refused.
fn refusal(admission: &Admission) -> Admitted {
    let windows: Vec<_> = admission.charges.first().map(|&(_, policy)| full(policy)).into_iter().collect();
    Admitted { limited: !windows.is_empty(), windows, revoked: false }
}
