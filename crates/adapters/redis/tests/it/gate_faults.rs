//! What the request gate does when Redis stops, freezes, forgets, or is slow.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::{
    fmt::Debug,
    pin::pin,
    sync::Arc,
    time::{Duration, Instant},
};

use coinlink_domain::shared::{
    rate_limit::{Charge, RateClass, RateSubject},
    sliding_window::WindowPolicy,
};
use coinlink_ports::{
    operations::DependencyProbe as _,
    shared::{Admission, Admitted, RequestGate},
};
use coinlink_redis::{RedisGate, RedisLink, RedisProbe, RedisSettings};
use coinlink_testkit::{servers::PrivateRedis, shared::LoadedDice};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
    time::{sleep, timeout},
};
use uuid::Uuid;

const POLICY: WindowPolicy = WindowPolicy { limit: 3, window: time::Duration::seconds(60) };
const SESSION: Uuid = Uuid::from_u128(1);
/// The gate's own limit and a little for the rest of the way.
const AN_ANSWER: Duration = Duration::from_millis(150);

/// What `call` answers, which must be in time. While the machine does not run this process at all, which shows in a timer that
/// ends late, time is not counted.
async fn in_time<T: Debug>(call: impl Future<Output = T>) -> T {
    let (start, mut held_up) = (Instant::now(), Duration::ZERO);
    let mut call = pin!(call);
    loop {
        let look = Instant::now();
        let answer = timeout(Duration::from_millis(5), &mut call).await;
        held_up += look.elapsed().saturating_sub(Duration::from_millis(10));
        if let Ok(answer) = answer {
            let took = start.elapsed().saturating_sub(held_up);
            assert!(took < AN_ANSWER, "{took:?} for {answer:?}");
            return answer;
        }
    }
}

struct Node {
    gate: RedisGate,
    probe: RedisProbe,
}

fn node(url: &str) -> Node {
    let link = RedisLink::try_new(&RedisSettings::new(url), Arc::new(LoadedDice::always(0))).unwrap();
    Node { gate: RedisGate::new(link.clone()), probe: RedisProbe::new(link) }
}

fn charge() -> Charge {
    Charge { class: RateClass::Price, subject: RateSubject::User(Uuid::from_u128(7)) }
}

impl Node {
    async fn admit(&self) -> Result<Admitted, String> {
        let admission = Admission { charges: vec![(charge(), POLICY)], session: Some(SESSION) };
        in_time(self.gate.admit(&admission)).await.map_err(|error| error.0)
    }

    /// Every call fails, none takes longer than a wait may.
    async fn is_out_of_reach(&self) {
        self.admit().await.unwrap_err();
        in_time(self.gate.peek(&[(charge(), POLICY)])).await.unwrap_err();
        in_time(self.gate.revoke(&[SESSION], time::Duration::MINUTE)).await.unwrap_err();
    }

    async fn recovery(&self) -> Admitted {
        let start = Instant::now();
        loop {
            match self.admit().await {
                Ok(admitted) => return admitted,
                Err(error) => assert!(start.elapsed().as_secs() < 5, "no recovery within 5 s: {error}"),
            }
            sleep(Duration::from_millis(20)).await;
        }
    }
}

#[tokio::test]
async fn a_stopped_server_is_an_error_in_time_and_a_restarted_one_counts_from_nothing() {
    let mut server = PrivateRedis::start().await;
    let node = node(&server.url());
    for remaining in [2, 1, 0] {
        assert_eq!(node.admit().await.unwrap().windows[0].remaining, remaining);
    }
    node.gate.revoke(&[SESSION], time::Duration::MINUTE).await.unwrap();
    let refused = node.admit().await.unwrap();
    assert!(refused.limited && refused.revoked);
    server.stop().await;
    for _ in 0..20 {
        node.is_out_of_reach().await;
        sleep(Duration::from_millis(20)).await;
    }
    server.start_again().await;
    let admitted = node.recovery().await;
    assert!(admitted.windows[0].remaining == 2 && !admitted.limited && !admitted.revoked, "{admitted:?}");
}

#[tokio::test]
async fn a_full_server_refuses_in_time_and_its_connection_is_kept_for_when_it_has_room() {
    let server = PrivateRedis::start().await;
    let node = node(&server.url());
    node.admit().await.unwrap();
    // The oldest connection is the node's.
    let connection = || server.ask(&["CLIENT", "LIST"]).split_whitespace().next().unwrap().to_owned();
    let used = connection();
    server.ask(&["SETRANGE", "something-else", "2097152", "x"]);
    server.ask(&["CONFIG", "SET", "maxmemory", "1mb"]);
    for _ in 0..20 {
        // It takes nothing more; what it has it tells.
        node.admit().await.unwrap_err();
        in_time(node.gate.revoke(&[SESSION], time::Duration::MINUTE)).await.unwrap_err();
        assert_eq!(in_time(node.gate.peek(&[(charge(), POLICY)])).await.unwrap()[0].remaining, 2);
    }
    server.ask(&["CONFIG", "SET", "maxmemory", "0"]);
    node.admit().await.unwrap();
    assert_eq!(connection(), used, "a command that was refused is no reason to connect again");
}

#[tokio::test]
async fn a_frozen_server_costs_each_of_many_no_more_than_the_limit_and_is_used_again_once_it_thaws() {
    let server = PrivateRedis::start().await;
    let node = Arc::new(node(&server.url()));
    node.admit().await.unwrap();
    server.freeze();
    let many: Vec<_> = (0..50)
        .map(|_| {
            let node = node.clone();
            tokio::spawn(async move { node.admit().await.is_err() })
        })
        .collect();
    for one in many {
        assert!(one.await.unwrap());
    }
    for _ in 0..10 {
        node.is_out_of_reach().await;
    }
    server.thaw();
    node.recovery().await;
}

#[tokio::test]
async fn a_server_frozen_from_the_start_is_an_error_in_time() {
    let server = PrivateRedis::start().await;
    server.freeze();
    let node = node(&server.url());
    for _ in 0..5 {
        node.is_out_of_reach().await;
    }
    server.thaw();
    node.recovery().await;
}

#[tokio::test]
async fn a_flush_empties_every_window_and_forgets_every_mark() {
    let server = PrivateRedis::start().await;
    let node = node(&server.url());
    node.gate.revoke(&[SESSION], time::Duration::MINUTE).await.unwrap();
    for _ in 0..3 {
        node.admit().await.unwrap();
    }
    server.flush();
    let admitted = node.admit().await.unwrap();
    assert!(admitted.windows[0].remaining == 2 && !admitted.revoked, "{admitted:?}");
}

#[tokio::test]
async fn forgotten_scripts_are_sent_again_and_each_request_is_counted_once() {
    let server = PrivateRedis::start().await;
    let node = node(&server.url());
    for remaining in [2, 1, 0] {
        server.ask(&["SCRIPT", "FLUSH"]);
        assert_eq!(node.gate.peek(&[(charge(), POLICY)]).await.unwrap()[0].remaining, remaining + 1);
        assert_eq!(node.admit().await.unwrap().windows[0].remaining, remaining);
    }
}

#[tokio::test]
async fn a_restart_nobody_was_talking_through_costs_no_request() {
    let mut server = PrivateRedis::start().await;
    let node = node(&server.url());
    node.admit().await.unwrap();
    server.stop().await;
    server.start_again().await;
    assert_eq!(node.admit().await.unwrap().windows[0].remaining, 2);
}

#[tokio::test]
async fn a_key_that_holds_something_else_is_an_error_and_the_connection_stays() {
    let server = PrivateRedis::start().await;
    let node = node(&server.url());
    server.ask(&["SET", "coinlink:rl:pu:00000000000000000000000000000007", "no window"]);
    node.is_out_of_reach_for_this_key().await;
    node.probe.check().await.unwrap();
    server.ask(&["DEL", "coinlink:rl:pu:00000000000000000000000000000007"]);
    assert_eq!(node.admit().await.unwrap().windows[0].remaining, 2);
}

impl Node {
    async fn is_out_of_reach_for_this_key(&self) {
        self.admit().await.unwrap_err();
        self.gate.peek(&[(charge(), POLICY)]).await.unwrap_err();
    }
}

/// A network in front of the server: it can hold up what is sent for a while, or swallow it for ever, and keeps connections
/// open. Counts the connections made.
struct Network {
    url: String,
    connections: watch::Sender<u32>,
    holds_up: watch::Sender<Option<Duration>>,
}

impl Network {
    async fn before(server: &PrivateRedis) -> Self {
        let port = server.address().port;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("redis://{}", listener.local_addr().unwrap());
        let (connections, holds_up) = (watch::Sender::new(0), watch::Sender::new(None));
        let (count, holding) = (connections.clone(), holds_up.clone());
        tokio::spawn(async move {
            loop {
                let (mut near, _) = listener.accept().await.unwrap();
                let mut far = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                count.send_modify(|count| *count += 1);
                let mut hold = holding.subscribe();
                tokio::spawn(async move {
                    loop {
                        let told = tokio::select! {
                            _ = copy_bidirectional(&mut near, &mut far) => return,
                            told = hold.changed() => told,
                        };
                        let pause = *hold.borrow_and_update();
                        match (told, pause) {
                            (Ok(()), Some(pause)) => sleep(pause).await,
                            _ => return,
                        }
                    }
                });
            }
        });
        Self { url, connections, holds_up }
    }

    fn connections(&self) -> u32 {
        *self.connections.borrow()
    }

    fn hold_up(&self, pause: Duration) {
        self.holds_up.send_replace(Some(pause));
    }
}

#[tokio::test]
async fn an_answer_that_comes_too_late_for_the_gate_does_not_cost_the_others_their_connection() {
    let server = PrivateRedis::start().await;
    let network = Network::before(&server).await;
    let node = node(&network.url);
    node.admit().await.unwrap();
    network.hold_up(Duration::from_millis(300));
    node.admit().await.unwrap_err();
    node.probe.check().await.unwrap();
    assert_eq!(network.connections(), 1);
    // The one that was given up arrived as well.
    assert_eq!(node.admit().await.unwrap().windows[0].remaining, 0);
}

#[tokio::test]
async fn a_connection_into_a_black_hole_is_found_out_though_only_the_gate_uses_it() {
    let server = PrivateRedis::start().await;
    let network = Network::before(&server).await;
    let node = node(&network.url);
    node.admit().await.unwrap();
    network.hold_up(Duration::from_hours(1));
    node.admit().await.unwrap_err();
    let lost = Instant::now();
    node.recovery().await;
    assert!(lost.elapsed().as_millis() < 900, "{:?}", lost.elapsed());
    assert_eq!(network.connections(), 2);
}
