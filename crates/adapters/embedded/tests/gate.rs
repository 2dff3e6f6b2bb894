//! The request gate in this process: the contract, and what only holds here.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::{
    collections::HashSet,
    net::{IpAddr, Ipv6Addr},
    sync::Arc,
    time::Instant,
};

use coinlink_domain::shared::{
    rate_limit::{Charge, RateClass, RateSubject, WINDOW},
    sliding_window::WindowPolicy,
};
use coinlink_embedded::{EmbeddedGate, SystemClock};
use coinlink_ports::shared::{Admission, RequestGate};
use coinlink_testkit::{
    market::NOON,
    shared::{GateNodes, ManualPause, StoppedClock},
};
use time::Duration;
use uuid::Uuid;

const POLICY: WindowPolicy = WindowPolicy { limit: 2, window: WINDOW };

fn nodes() -> GateNodes {
    let clock = Arc::new(StoppedClock::at(NOON));
    let gate = Arc::new(EmbeddedGate::new(clock.clone()));
    GateNodes { one: gate.clone(), other: gate, pause: Arc::new(ManualPause::advancing(clock.clone())), clock }
}

coinlink_testkit::request_gate_contract!(nodes());

fn client(number: u64) -> Charge {
    let address = IpAddr::V6(Ipv6Addr::from_bits(u128::from(number) << 64));
    Charge { class: RateClass::Anonymous, subject: RateSubject::Address(address) }
}

async fn is_let_in(gate: &EmbeddedGate, client: Charge) -> bool {
    !gate.admit(&Admission { charges: vec![(client, POLICY)], session: None }).await.unwrap().limited
}

#[tokio::test]
async fn a_million_addresses_one_after_another_leave_no_more_than_those_of_a_window_or_two() {
    let clock = Arc::new(StoppedClock::at(NOON));
    let gate = EmbeddedGate::new(clock.clone());
    let mut most = 0;
    for number in 0..1_000_000 {
        assert!(is_let_in(&gate, client(number)).await);
        // 10 000 in each window.
        clock.advance(WINDOW / 10_000);
        if number % 1_000 == 0 {
            most = most.max(gate.subjects());
        }
    }
    assert!((10_000..30_000).contains(&most), "{most} subjects in memory");
}

#[tokio::test]
async fn more_addresses_than_fit_into_memory_within_a_window_push_out_the_oldest() {
    let clock = Arc::new(StoppedClock::at(NOON));
    let gate = EmbeddedGate::new(clock.clone());
    let (early, late) = (client(u64::MAX), client(u64::MAX - 1));
    assert!(is_let_in(&gate, early).await && is_let_in(&gate, early).await && !is_let_in(&gate, early).await);
    for number in 0..300_000 {
        if number == 270_000 {
            assert!(is_let_in(&gate, late).await && is_let_in(&gate, late).await);
        }
        assert!(is_let_in(&gate, client(number)).await, "a newcomer is always counted, never refused");
        assert!(gate_is_bounded(&gate, number));
        clock.advance(Duration::microseconds(50));
    }
    assert!(!is_let_in(&gate, late).await, "who came lately is still counted");
    assert!(is_let_in(&gate, early).await, "who was pushed out gets a new window");
}

fn gate_is_bounded(gate: &EmbeddedGate, number: u64) -> bool {
    !number.is_multiple_of(5_000) || gate.subjects() <= EmbeddedGate::MOST_SUBJECTS
}

#[tokio::test]
async fn an_idle_gate_is_swept_by_the_next_who_come() {
    let clock = Arc::new(StoppedClock::at(NOON));
    let gate = EmbeddedGate::new(clock.clone());
    for number in 0..50_000 {
        is_let_in(&gate, client(number)).await;
    }
    assert_eq!(gate.subjects(), 50_000);
    clock.advance(WINDOW);
    for number in 0..1_000 {
        is_let_in(&gate, client(1_000_000 + number)).await;
    }
    assert_eq!(gate.subjects(), 1_000);
}

#[tokio::test]
async fn setting_the_wall_clock_neither_empties_nor_stretches_a_window_nor_ends_a_mark() {
    let clock = Arc::new(StoppedClock::at(NOON));
    let gate = EmbeddedGate::new(clock.clone());
    let session = Uuid::from_u128(1);
    gate.revoke(&[session], WINDOW).await.unwrap();
    assert!(is_let_in(&gate, client(1)).await && is_let_in(&gate, client(1)).await);
    for set_to in [NOON + Duration::DAY, NOON - Duration::DAY] {
        clock.set(set_to);
        assert!(!is_let_in(&gate, client(1)).await);
        assert!(gate.admit(&Admission { charges: Vec::new(), session: Some(session) }).await.unwrap().revoked);
    }
    clock.advance(WINDOW);
    assert!(is_let_in(&gate, client(1)).await);
    assert!(!gate.admit(&Admission { charges: Vec::new(), session: Some(session) }).await.unwrap().revoked);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn threads_at_once_never_get_more_than_the_limit_in_any_window() {
    let gate = Arc::new(EmbeddedGate::new(Arc::new(SystemClock::default())));
    let policy = WindowPolicy { limit: 50, window: Duration::milliseconds(100) };
    let start = Instant::now();
    let callers: Vec<_> = (0..16)
        .map(|_| {
            let gate = gate.clone();
            tokio::spawn(async move {
                let mut counted = Vec::new();
                while start.elapsed().as_millis() < 600 {
                    let sent = start.elapsed();
                    let admission = Admission { charges: vec![(client(1), policy)], session: None };
                    if !gate.admit(&admission).await.unwrap().limited {
                        counted.push((sent, start.elapsed()));
                    }
                    tokio::task::yield_now().await;
                }
                counted
            })
        })
        .collect();
    let mut counted = Vec::new();
    for caller in callers {
        counted.extend(caller.await.unwrap());
    }
    for &(first, _) in &counted {
        let inside = counted.iter().filter(|&&(sent, answered)| sent >= first && answered < first + policy.window).count();
        assert!(inside <= 50, "{inside} within a window from {first:?}");
    }
    assert!(counted.len() >= 200, "{}", counted.len());
}

#[tokio::test]
async fn lapsed_marks_do_not_pile_up_in_the_way_of_newer_ones() {
    let clock = Arc::new(StoppedClock::at(NOON));
    let gate = EmbeddedGate::new(clock.clone());
    let mut still = HashSet::new();
    for round in 0..50_u128 {
        let sessions: Vec<_> = (0..1_000).map(|number| Uuid::from_u128(round * 1_000 + number)).collect();
        gate.revoke(&sessions, WINDOW * 2).await.unwrap();
        still.extend(sessions);
        assert!(gate.ended_sessions() <= 6_500, "{}", gate.ended_sessions());
        if round >= 2 {
            still.retain(|session| session.as_u128() >= (round - 1) * 1_000);
        }
        for &session in still.iter().step_by(97) {
            assert!(gate.admit(&Admission { charges: Vec::new(), session: Some(session) }).await.unwrap().revoked);
        }
        clock.advance(WINDOW);
    }
}
