//! Who counts a request, and how long that may take.

use std::sync::Arc;

use coinlink_application::shared::{AdmitRequest, GateOutcome};
use coinlink_domain::shared::rate_limit::{Charge, PromptQuota, RateClass, RateLimits, RateSubject, WINDOW};
use coinlink_ports::shared::{Clock as _, Pause as _};
use time::Duration;
use tracing::Level;
use uuid::Uuid;

use crate::support::{FarGate, Lines, Mood, VirtualTime};

const LIMITS: RateLimits = RateLimits {
    anonymous: 100,
    authenticated: 120,
    api_key: 600,
    credentials: 9,
    session: 60,
    chat: 20,
    price: 10,
    prompts: PromptQuota::OFF,
};
const SESSION: Uuid = Uuid::from_u128(1);
const ANSWER_WITHIN: Duration = Duration::milliseconds(100);
/// Waits on tokio's timer end on the next millisecond.
const TICK: Duration = Duration::MILLISECOND;
const SOON: Mood = Mood::AnswersAfter(Duration::MILLISECOND);

const fn charge(class: RateClass) -> Charge {
    Charge { class, subject: RateSubject::User(Uuid::from_u128(7)) }
}

const PRICE: Charge = charge(RateClass::Price);
const CREDENTIALS: Charge = charge(RateClass::Credentials);

struct Node {
    clock: Arc<VirtualTime>,
    shared: Arc<FarGate>,
    alone: Arc<FarGate>,
    gate: Arc<AdmitRequest>,
}

impl Node {
    fn new() -> Self {
        let clock = VirtualTime::start();
        let (shared, alone) = (FarGate::new(&clock), FarGate::new(&clock));
        alone.now_is(Mood::AnswersAfter(Duration::ZERO));
        let gate = AdmitRequest::new(shared.clone(), alone.clone(), LIMITS, clock.clone(), clock.clone());
        Self { clock, shared, alone, gate: Arc::new(gate) }
    }

    async fn request(&self) -> GateOutcome {
        self.timed().await.0
    }

    /// The outcome, and how long it took.
    async fn timed(&self) -> (GateOutcome, Duration) {
        let start = self.clock.monotonic();
        let outcome = self.gate.execute(&[PRICE], Some(SESSION)).await;
        (outcome, self.clock.monotonic() - start)
    }

    async fn later(&self, milliseconds: i64) {
        self.clock.pause(Duration::milliseconds(milliseconds)).await;
    }
}

fn remaining(outcome: &GateOutcome) -> u32 {
    outcome.windows.last().unwrap().2.remaining
}

#[tokio::test(start_paused = true)]
async fn while_the_shared_gate_answers_it_alone_counts_by_the_full_limits() {
    let node = Node::new();
    for left in (0..10).rev() {
        let outcome = node.request().await;
        assert!(!outcome.limited && !outcome.alone && !outcome.revoked);
        let (charged, policy, state) = outcome.windows[0];
        assert_eq!((charged, policy.limit, policy.window, state.remaining), (PRICE, 10, WINDOW, left));
    }
    assert!(node.request().await.limited);
    assert!(!node.gate.is_alone());
    assert_eq!((node.shared.asked(), node.alone.asked()), (11, 10), "what was let in is noted here");
}

#[tokio::test(start_paused = true)]
async fn a_node_that_is_alone_from_one_moment_to_the_next_lets_in_no_more_than_it_would_have() {
    for before in [0, 3, 5, 8, 10] {
        let node = Node::new();
        for _ in 0..before {
            assert!(!node.request().await.limited);
        }
        node.shared.now_is(Mood::Fails);
        let mut more = 0;
        while !node.request().await.limited {
            more += 1;
        }
        // Alone it counts to five.
        assert_eq!(more, 5_usize.saturating_sub(before), "after {before}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_full_window_leaves_those_after_it_out_of_the_outcome() {
    let node = Node::new();
    for _ in 0..9 {
        node.gate.execute(&[CREDENTIALS, PRICE], None).await;
    }
    let refused = node.gate.execute(&[PRICE, CREDENTIALS, charge(RateClass::Chat)], None).await;
    assert!(refused.limited);
    assert_eq!(refused.windows.iter().map(|window| window.0).collect::<Vec<_>>(), [PRICE, CREDENTIALS]);
}

#[tokio::test(start_paused = true)]
async fn the_request_that_finds_the_shared_gate_gone_is_counted_alone_and_by_the_stricter_limits() {
    for mood in [Mood::Fails, Mood::Hangs] {
        let node = Node::new();
        node.shared.now_is(mood);
        let mut let_in = 0;
        for left in (0..3).rev() {
            let outcome = node.gate.execute(&[CREDENTIALS], None).await;
            assert!(outcome.alone && !outcome.limited, "{outcome:?}");
            assert_eq!((outcome.windows[0].1.limit, remaining(&outcome)), (3, left));
            let_in += 1;
        }
        for _ in 0..500 {
            let outcome = node.gate.execute(&[CREDENTIALS], None).await;
            let_in += u32::from(!outcome.limited);
            node.later(10).await;
        }
        assert_eq!(let_in, 3, "nothing is open, however often the shared gate is tried in between");
        assert!(node.gate.is_alone());
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_just_in_time_counts_and_one_too_late_does_not() {
    let node = Node::new();
    node.shared.now_is(Mood::AnswersAfter(ANSWER_WITHIN - TICK));
    assert!(!node.request().await.alone);
    node.shared.now_is(Mood::AnswersAfter(ANSWER_WITHIN * 2));
    let (outcome, took) = node.timed().await;
    assert!(outcome.alone);
    assert!(took <= ANSWER_WITHIN + TICK, "{took}");
}

#[tokio::test(start_paused = true)]
async fn a_hanging_gate_costs_one_request_in_250_ms_a_wait_and_no_wait_is_longer_than_100_ms() {
    let node = Arc::new(Node::new());
    node.shared.now_is(Mood::Hangs);
    node.request().await;
    assert_eq!(node.shared.asked(), 1);
    let mut requests = Vec::new();
    for _ in 0..2_000 {
        let node = node.clone();
        requests.push(tokio::spawn(async move { (node.clock.monotonic(), node.timed().await) }));
        node_tick().await;
    }
    let mut waited = Vec::new();
    for request in requests {
        let (at, (outcome, took)) = request.await.unwrap();
        assert!(outcome.alone);
        assert!(took <= ANSWER_WITHIN + TICK, "{took}");
        if took > TICK * 2 {
            waited.push(at);
        }
    }
    assert!((5..=8).contains(&waited.len()), "in two seconds {} had to wait", waited.len());
    assert!(waited.windows(2).all(|pair| pair[1] - pair[0] >= Duration::milliseconds(250)), "{waited:?}");
    assert_eq!(node.shared.asked(), 1 + waited.len());
}

async fn node_tick() {
    tokio::time::sleep(std::time::Duration::from_millis(1)).await;
}

#[tokio::test(start_paused = true)]
async fn of_those_who_come_when_it_may_be_tried_again_one_tries_it() {
    let node = Arc::new(Node::new());
    node.shared.now_is(Mood::Fails);
    node.request().await;
    node.shared.now_is(Mood::Hangs);
    node.later(250).await;
    let requests: Vec<_> = (0..50)
        .map(|_| {
            let node = node.clone();
            tokio::spawn(async move { node.request().await })
        })
        .collect();
    for request in requests {
        assert!(request.await.unwrap().alone);
    }
    assert_eq!(node.shared.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_first_answer_brings_every_request_back_to_the_shared_gate() {
    let node = Node::new();
    node.shared.now_is(Mood::Fails);
    assert!(node.request().await.alone);
    node.shared.now_is(SOON);
    node.later(249).await;
    assert!(node.request().await.alone, "not tried yet");
    node.later(1).await;
    let back = node.request().await;
    assert!(!back.alone && remaining(&back) == 9, "{back:?}");
    assert!(!node.gate.is_alone());
    assert!(!node.request().await.alone);
    assert_eq!(node.shared.asked(), 3);
}

#[tokio::test(start_paused = true)]
async fn who_goes_away_while_trying_the_shared_gate_leaves_that_to_another_a_little_later() {
    let node = Node::new();
    node.shared.now_is(Mood::Hangs);
    node.request().await;
    node.later(250).await;
    let gone = tokio::time::timeout(std::time::Duration::from_millis(10), node.request()).await;
    assert!(gone.is_err(), "it was waiting");
    node.shared.now_is(SOON);
    assert!(node.request().await.alone, "the one that left is still waited for");
    node.later(250).await;
    assert!(!node.request().await.alone);
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_two_lines_in_the_log_however_many_requests_it_met() {
    let lines = Lines::default();
    let _guard = tracing::subscriber::set_default(lines.clone());
    let node = Arc::new(Node::new());
    for outage in 1..=2 {
        node.shared.now_is(Mood::Fails);
        let at_once: Vec<_> = (0..20)
            .map(|_| {
                let node = node.clone();
                tokio::spawn(async move { node.request().await })
            })
            .collect();
        for request in at_once {
            request.await.unwrap();
        }
        for _ in 0..200 {
            node.request().await;
            node.later(20).await;
        }
        assert_eq!(lines.all().len(), outage * 2 - 1);
        node.shared.now_is(SOON);
        node.later(500).await;
        for _ in 0..20 {
            node.request().await;
        }
        let levels: Vec<_> = lines.all().iter().map(|(level, _)| *level).collect();
        assert_eq!(levels, [Level::WARN, Level::INFO].repeat(outage));
    }
    assert!(lines.all()[0].1.contains("connection refused"), "{:?}", lines.all());
}

#[tokio::test(start_paused = true)]
async fn looking_counts_nothing_and_falls_back_in_time_too() {
    let node = Node::new();
    node.request().await;
    for _ in 0..3 {
        let looked = node.gate.peek(&[PRICE, CREDENTIALS]).await;
        let figures: Vec<_> = looked.iter().map(|(charged, policy, state)| (*charged, policy.limit, state.remaining)).collect();
        assert_eq!(figures, [(PRICE, 10, 9), (CREDENTIALS, 9, 9)]);
    }
    node.shared.now_is(Mood::Hangs);
    let start = node.clock.monotonic();
    let looked = node.gate.peek(&[PRICE]).await;
    assert_eq!((looked[0].1.limit, looked[0].2.remaining), (5, 4), "what this node let in");
    assert!(node.clock.monotonic() - start <= ANSWER_WITHIN + TICK * 2);
    assert!(node.gate.is_alone(), "the next request need not wait for the same");
    node.later(250).await;
    node.shared.now_is(SOON);
    assert_eq!(node.gate.peek(&[PRICE]).await[0].2.remaining, 9);
    assert!(!node.gate.is_alone());
}

#[tokio::test(start_paused = true)]
async fn where_nobody_can_count_what_would_be_counted_is_refused() {
    let node = Node::new();
    node.shared.now_is(Mood::Fails);
    node.alone.now_is(Mood::Fails);
    let refused = node.gate.execute(&[PRICE, CREDENTIALS], None).await;
    assert!(refused.limited && refused.alone);
    assert_eq!((refused.windows.len(), remaining(&refused), refused.windows[0].2.next_free_in), (1, 0, WINDOW));
    assert!(!node.gate.execute(&[], Some(SESSION)).await.limited, "there is nothing to count");
    let looked = node.gate.peek(&[PRICE, CREDENTIALS]).await;
    assert!(looked.len() == 2 && looked.iter().all(|(_, _, state)| state.remaining == 0));
}
