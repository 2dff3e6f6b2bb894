//! What every [`RequestGate`] must do.
#![expect(clippy::unwrap_used, reason = "a contract suite is test code")]

use std::{net::Ipv4Addr, sync::Arc};

use coinlink_domain::shared::{
    rate_limit::{Charge, RateClass, RateSubject},
    sliding_window::WindowPolicy,
};
use coinlink_ports::shared::{Admission, Admitted, Clock, Pause, RequestGate, WindowState};
use time::Duration;
use uuid::Uuid;

/// One gate through which nobody came yet, as two nodes see it, and how time passes for it.
#[derive(Clone)]
pub struct GateNodes {
    /// A node's.
    pub one: Arc<dyn RequestGate>,
    /// Another's.
    pub other: Arc<dyn RequestGate>,
    /// Waits for real, or moves the clock that the gate goes by.
    pub pause: Arc<dyn Pause>,
    /// Runs as fast as the gate's own.
    pub clock: Arc<dyn Clock>,
}

/// Longer than any case takes.
const LONG: Duration = Duration::seconds(60);
/// Long enough that a case is done within it where it should be, short enough to wait for its end.
const SHORT: Duration = Duration::SECOND;

const fn at_most(limit: u32, window: Duration) -> WindowPolicy {
    WindowPolicy { limit, window }
}

const fn a_client(last: u8) -> Charge {
    Charge { class: RateClass::Anonymous, subject: RateSubject::Address(std::net::IpAddr::V4(Ipv4Addr::new(203, 0, 113, last))) }
}

async fn admit(gate: &Arc<dyn RequestGate>, charges: &[(Charge, WindowPolicy)]) -> Admitted {
    gate.admit(&Admission { charges: charges.to_vec(), session: None }).await.unwrap()
}

async fn is_revoked(gate: &Arc<dyn RequestGate>, session: Uuid) -> bool {
    gate.admit(&Admission { charges: Vec::new(), session: Some(session) }).await.unwrap().revoked
}

async fn remaining(gate: &Arc<dyn RequestGate>, charge: Charge, policy: WindowPolicy) -> u32 {
    gate.peek(&[(charge, policy)]).await.unwrap()[0].remaining
}

pub async fn a_window_takes_its_limit_and_not_one_more(nodes: GateNodes) {
    let charge = [(a_client(1), at_most(5, LONG))];
    for left in (0..5).rev() {
        let admitted = admit(&nodes.one, &charge).await;
        assert!(!admitted.limited && !admitted.revoked);
        assert_eq!(admitted.windows[0].remaining, left, "each takes one");
        assert!(admitted.windows[0].next_free_in <= LONG && admitted.windows[0].next_free_in > LONG / 2);
    }
    for _ in 0..5 {
        let refused = admit(&nodes.one, &charge).await;
        assert!(refused.limited);
        assert_eq!(refused.windows[0].remaining, 0);
    }
    assert_eq!(remaining(&nodes.one, a_client(1), at_most(6, LONG)).await, 1, "the refused ones are not counted");
    assert!(!admit(&nodes.one, &[(a_client(1), at_most(6, LONG))]).await.limited, "the limit was raised by one");
    assert!(admit(&nodes.one, &[(a_client(1), at_most(6, LONG))]).await.limited);
    let lowered = admit(&nodes.one, &[(a_client(1), at_most(2, LONG))]).await;
    assert!(lowered.limited && lowered.windows[0].remaining == 0, "the limit was lowered below what was taken");
}

pub async fn a_window_slides_and_the_wait_it_names_is_long_enough(nodes: GateNodes) {
    let charge = [(a_client(1), at_most(2, SHORT))];
    assert!(!admit(&nodes.one, &charge).await.limited);
    nodes.pause.pause(SHORT * 0.4).await;
    let second = admit(&nodes.one, &charge).await;
    assert!(!second.limited && second.windows[0].next_free_in <= SHORT * 0.6, "{second:?}");
    let refused = admit(&nodes.one, &charge).await;
    assert!(refused.limited && refused.windows[0].next_free_in <= SHORT * 0.6, "{refused:?}");
    nodes.pause.pause(refused.windows[0].next_free_in).await;
    let third = admit(&nodes.one, &charge).await;
    assert!(!third.limited, "the first has left the window: {third:?}");
    let between_the_first_two = SHORT - second.windows[0].next_free_in;
    assert!(third.windows[0].remaining == 0 && third.windows[0].next_free_in <= between_the_first_two, "the second has not");
    assert!(admit(&nodes.one, &charge).await.limited);
}

pub async fn asking_while_refused_does_not_put_the_next_request_off(nodes: GateNodes) {
    let charge = [(a_client(1), at_most(1, SHORT))];
    assert!(!admit(&nodes.one, &charge).await.limited);
    let mut wait = SHORT;
    for _ in 0..3 {
        nodes.pause.pause(SHORT / 5).await;
        let refused = admit(&nodes.one, &charge).await;
        assert!(refused.limited && refused.windows[0].next_free_in < wait);
        wait = refused.windows[0].next_free_in;
    }
    nodes.pause.pause(wait).await;
    assert!(!admit(&nodes.one, &charge).await.limited);
}

pub async fn an_empty_window_is_free_for_its_whole_length(nodes: GateNodes) {
    let charge = [(a_client(1), at_most(3, SHORT))];
    let empty = WindowState { remaining: 3, next_free_in: SHORT };
    assert_eq!(nodes.one.peek(&charge).await.unwrap(), [empty]);
    admit(&nodes.one, &charge).await;
    nodes.pause.pause(SHORT * 1.1).await;
    assert_eq!(nodes.one.peek(&charge).await.unwrap(), [empty]);
}

pub async fn a_full_window_leaves_those_after_it_uncounted_and_those_before_it_counted(nodes: GateNodes) {
    let [first, second, third] = [1, 2, 3].map(a_client);
    let charges = [(first, at_most(9, LONG)), (second, at_most(1, LONG)), (third, at_most(9, LONG))];
    let admitted = admit(&nodes.one, &charges).await;
    assert!(!admitted.limited);
    assert_eq!(admitted.windows.iter().map(|window| window.remaining).collect::<Vec<_>>(), [8, 0, 8]);
    let refused = admit(&nodes.one, &charges).await;
    assert!(refused.limited);
    assert_eq!(refused.windows.iter().map(|window| window.remaining).collect::<Vec<_>>(), [7, 0]);
    let states = nodes.one.peek(&charges).await.unwrap();
    assert_eq!(states.iter().map(|window| window.remaining).collect::<Vec<_>>(), [7, 0, 8]);
}

pub async fn a_limit_of_nothing_is_always_full(nodes: GateNodes) {
    let refused = admit(&nodes.one, &[(a_client(1), at_most(0, LONG)), (a_client(2), at_most(1, LONG))]).await;
    assert!(refused.limited);
    assert_eq!(refused.windows, [WindowState { remaining: 0, next_free_in: LONG }]);
    assert_eq!(remaining(&nodes.one, a_client(2), at_most(1, LONG)).await, 1);
}

pub async fn the_same_charge_twice_in_a_request_counts_twice(nodes: GateNodes) {
    let charge = (a_client(1), at_most(3, LONG));
    assert!(!admit(&nodes.one, &[charge, charge]).await.limited);
    assert!(admit(&nodes.one, &[charge, charge]).await.limited);
    assert_eq!(remaining(&nodes.one, charge.0, at_most(4, LONG)).await, 1);
}

pub async fn classes_and_subjects_are_counted_apart(nodes: GateNodes) {
    let id = Uuid::from_u128(7);
    let subjects = [
        a_client(1).subject,
        a_client(2).subject,
        RateSubject::Address("2001:db8::".parse().unwrap()),
        RateSubject::User(id),
        RateSubject::Session(id),
        RateSubject::Account(id.into_bytes()),
        RateSubject::Device(id),
        RateSubject::ApiKey(id),
    ];
    for class in RateClass::ALL {
        for subject in subjects {
            let charge = [(Charge { class, subject }, at_most(1, LONG))];
            assert!(!admit(&nodes.one, &charge).await.limited, "{charge:?}");
            assert!(admit(&nodes.one, &charge).await.limited, "{charge:?}");
        }
    }
}

pub async fn looking_counts_nothing(nodes: GateNodes) {
    let charge = [(a_client(1), at_most(2, LONG))];
    admit(&nodes.one, &charge).await;
    for gate in [&nodes.one, &nodes.other, &nodes.one] {
        let seen = gate.peek(&charge).await.unwrap();
        assert!(seen[0].remaining == 1 && seen[0].next_free_in <= LONG && seen[0].next_free_in > LONG / 2, "{seen:?}");
    }
    assert_eq!(nodes.one.peek(&[]).await.unwrap(), []);
    assert!(!admit(&nodes.one, &charge).await.limited);
}

pub async fn looking_does_not_see_what_has_left_the_window(nodes: GateNodes) {
    let charge = [(a_client(1), at_most(5, SHORT))];
    for _ in 0..2 {
        admit(&nodes.one, &charge).await;
        nodes.pause.pause(SHORT * 0.6).await;
    }
    let seen = nodes.one.peek(&charge).await.unwrap();
    assert!(seen[0].remaining == 4 && seen[0].next_free_in <= SHORT * 0.4, "{seen:?}");
}

pub async fn who_is_charged_nothing_is_let_in(nodes: GateNodes) {
    let open = Admitted { windows: Vec::new(), limited: false, revoked: false };
    assert_eq!(nodes.one.admit(&Admission::default()).await.unwrap(), open);
    let of_a_session = Admission { charges: Vec::new(), session: Some(Uuid::from_u128(7)) };
    assert_eq!(nodes.one.admit(&of_a_session).await.unwrap(), open);
}

pub async fn nodes_count_together_and_what_remains_only_falls(nodes: GateNodes) {
    let charge = [(a_client(1), at_most(100, LONG))];
    let callers: Vec<_> = (0..20)
        .map(|caller| {
            let gate = if caller % 2 == 0 { nodes.one.clone() } else { nodes.other.clone() };
            tokio::spawn(async move {
                let mut answers = Vec::new();
                for _ in 0..8 {
                    answers.push(admit(&gate, &charge).await);
                }
                answers
            })
        })
        .collect();
    let mut accepted = Vec::new();
    for caller in callers {
        let answers = caller.await.unwrap();
        assert!(answers.is_sorted_by_key(|answer| std::cmp::Reverse(answer.windows[0].remaining)), "to each it only falls");
        accepted.extend(answers.iter().filter(|answer| !answer.limited).map(|answer| answer.windows[0].remaining));
    }
    accepted.sort_unstable();
    assert_eq!(accepted, (0..100).collect::<Vec<_>>(), "each that was let in took another one of the hundred");
}

/// When a request that was let in was sent, and when its answer was there: it was counted in between.
type Counted = (Duration, Duration);

async fn insist(gate: Arc<dyn RequestGate>, nodes: GateNodes, charge: (Charge, WindowPolicy), until: Duration) -> Vec<Counted> {
    let mut counted = Vec::new();
    while nodes.clock.monotonic() < until {
        let sent = nodes.clock.monotonic();
        let answer = admit(&gate, &[charge]).await;
        if answer.limited {
            nodes.pause.pause(Duration::MILLISECOND).await;
        } else {
            counted.push((sent, nodes.clock.monotonic()));
        }
    }
    counted
}

pub async fn of_64_clients_on_two_nodes_no_window_offset_ever_lets_in_more_than_the_limit(nodes: GateNodes) {
    let policy = at_most(20, Duration::milliseconds(300));
    let until = nodes.clock.monotonic() + policy.window * 5;
    let clients: Vec<_> = (0..64)
        .flat_map(|_| [&nodes.one, &nodes.other])
        .map(|gate| tokio::spawn(insist(gate.clone(), nodes.clone(), (a_client(1), policy), until)))
        .collect();
    let mut counted = Vec::new();
    for client in clients {
        counted.extend(client.await.unwrap());
    }
    for &(start, _) in &counted {
        let inside = counted.iter().filter(|&&(sent, answered)| sent >= start && answered < start + policy.window).count();
        assert!(inside <= 20, "{inside} were counted within a window from {start}");
    }
    assert!(counted.len() >= 20 * 4, "only {} of 20 in each of five windows were let in", counted.len());
}

pub async fn an_ended_session_is_known_to_every_node_until_the_mark_lapses(nodes: GateNodes) {
    let [ended, also_ended, another] = [1, 2, 3].map(Uuid::from_u128);
    nodes.one.revoke(&[ended, also_ended], SHORT).await.unwrap();
    for gate in [&nodes.one, &nodes.other] {
        assert!(is_revoked(gate, ended).await && is_revoked(gate, also_ended).await);
        assert!(!is_revoked(gate, another).await);
    }
    nodes.pause.pause(SHORT * 1.1).await;
    assert!(!is_revoked(&nodes.one, ended).await && !is_revoked(&nodes.other, also_ended).await);
}

pub async fn the_session_is_looked_up_whether_or_not_a_window_is_full(nodes: GateNodes) {
    let (ended, charges) = (Uuid::from_u128(1), vec![(a_client(1), at_most(1, LONG)), (a_client(2), at_most(1, LONG))]);
    nodes.one.revoke(&[ended], LONG).await.unwrap();
    let admission = Admission { charges, session: Some(ended) };
    let let_in = nodes.one.admit(&admission).await.unwrap();
    assert!(let_in.revoked && !let_in.limited && let_in.windows.len() == 2);
    let refused = nodes.one.admit(&admission).await.unwrap();
    assert!(refused.revoked && refused.limited && refused.windows.len() == 1);
    let other = nodes.one.admit(&Admission { session: Some(Uuid::from_u128(2)), ..admission }).await.unwrap();
    assert!(!other.revoked && other.limited);
}

pub async fn thousands_of_sessions_end_at_once(nodes: GateNodes) {
    let sessions: Vec<_> = (0..2_500).map(Uuid::from_u128).collect();
    nodes.one.revoke(&sessions, LONG).await.unwrap();
    for session in [0, 1, 999, 1_000, 1_001, 2_499] {
        assert!(is_revoked(&nodes.other, sessions[session]).await, "{session}");
    }
    assert!(!is_revoked(&nodes.other, Uuid::from_u128(2_500)).await);
}

pub async fn ending_nothing_or_for_no_time_changes_nothing_and_for_ever_is_a_long_time(nodes: GateNodes) {
    let session = Uuid::from_u128(1);
    nodes.one.revoke(&[], LONG).await.unwrap();
    for keep in [Duration::ZERO, -LONG, Duration::MIN] {
        nodes.one.revoke(&[session], keep).await.unwrap();
        assert!(!is_revoked(&nodes.one, session).await);
    }
    nodes.one.revoke(&[session], Duration::MAX).await.unwrap();
    assert!(is_revoked(&nodes.one, session).await);
}

/// Runs the suite on `$nodes`, an expression of type [`GateNodes`] that is evaluated anew for each case.
#[macro_export]
macro_rules! request_gate_contract {
    ($($case:ident),+ $(,)? => $nodes:expr) => {
        $(#[tokio::test]
        async fn $case() {
            $crate::shared::gate_contract::$case($nodes).await;
        })+
    };
    ($nodes:expr) => {
        $crate::request_gate_contract!(
            a_window_takes_its_limit_and_not_one_more,
            a_window_slides_and_the_wait_it_names_is_long_enough,
            asking_while_refused_does_not_put_the_next_request_off,
            an_empty_window_is_free_for_its_whole_length,
            a_full_window_leaves_those_after_it_uncounted_and_those_before_it_counted,
            a_limit_of_nothing_is_always_full,
            the_same_charge_twice_in_a_request_counts_twice,
            classes_and_subjects_are_counted_apart,
            looking_counts_nothing,
            looking_does_not_see_what_has_left_the_window,
            who_is_charged_nothing_is_let_in,
            nodes_count_together_and_what_remains_only_falls,
            of_64_clients_on_two_nodes_no_window_offset_ever_lets_in_more_than_the_limit,
            an_ended_session_is_known_to_every_node_until_the_mark_lapses,
            the_session_is_looked_up_whether_or_not_a_window_is_full,
            thousands_of_sessions_end_at_once,
            ending_nothing_or_for_no_time_changes_nothing_and_for_ever_is_a_long_time,
            => $nodes
        );
    };
}
