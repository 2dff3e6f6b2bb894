//! Refresh tokens while many present them at once, while connections are cut, and while a family is being ended.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use coinlink_application::identity::{
    EndedSessions, IssueTokens, Letters, RefreshError, RefreshSession, RevokedSessions, SignOut,
};
use coinlink_domain::identity::{ClientInfo, EndReason, SessionPolicy};
use coinlink_embedded::{EmbeddedGate, SystemEntropy};
use coinlink_end_to_end_tests::{Answer, Api, Node, Serve, UNLIMITED, somebody};
use coinlink_ports::identity::IdentityStore;
use coinlink_postgres::{ConnectSettings, Database, SqlIdentityStore};
use coinlink_testkit::{
    identity::{NOON, PlainAccessTokens, PlainRefreshTokens, a_session, an_account},
    servers::{fresh_database, shared_redis},
    shared::{PlainSecretBox, StoppedClock},
    upstream_stub::StubUpstream,
};
use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt as _, net::TcpStream, sync::Barrier, task::JoinSet, time::sleep};

const TASKS: usize = 200;
const ROUNDS: u64 = 50;

fn generation(access: &str) -> u64 {
    let payload = URL_SAFE_NO_PAD.decode(access.split('.').nth(1).unwrap()).unwrap();
    serde_json::from_slice::<Value>(&payload).unwrap()["gen"].as_u64().unwrap()
}

/// All tasks present `token` at the same moment, spread over the nodes.
async fn at_once(nodes: &[Api], token: &str, name: Option<&str>) -> Vec<Answer> {
    let barrier = Arc::new(Barrier::new(TASKS));
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        let (node, barrier) = (nodes[task % nodes.len()].clone(), Arc::clone(&barrier));
        let (token, name) = (token.to_owned(), name.map(str::to_owned));
        tasks.spawn(async move {
            barrier.wait().await;
            match name {
                Some(name) => node.refresh_named(&token, &name).await,
                None => node.refresh(&token).await,
            }
        });
    }
    tasks.join_all().await
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_that_refresh_at_once_on_two_nodes_move_the_family_by_one_and_get_the_same_bytes() {
    let (stub, database, redis) = (StubUpstream::start().await, fresh_database().await, shared_redis().await);
    let cluster = Serve { database: &database.url, redis: &redis.url(), prefix: &redis.fresh_prefix() };
    let running = cluster.start_with(2, &stub, &UNLIMITED).await;
    let nodes: Vec<Api> = running.iter().map(|node| Api::at(node.url(""))).collect();
    let mut held = nodes[0].sign_up(&somebody()).await;
    for round in 1..=ROUNDS {
        // Every second client names its request, so that all of them recover.
        let name = round.is_multiple_of(2).then(|| format!("round-{round}"));
        let answers = at_once(&nodes, &held.refresh, name.as_deref()).await;
        let (good, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
        let expected = if name.is_some() { TASKS..=TASKS } else { 1..=6 };
        assert!(expected.contains(&good.len()), "round {round}: {} got tokens, others {:?}", good.len(), refused.first());
        assert!(refused.iter().all(|answer| answer.code() == "refresh_replayed"), "round {round}: {:?}", refused.first());
        let token = |answer: &Answer| (answer.json["refresh_token"].clone(), answer.json["access_token"].clone());
        assert!(good.iter().all(|answer| token(answer) == token(good[0])), "round {round}: two successors");
        held.refresh = good[0].json["refresh_token"].as_str().unwrap().to_owned();
        held.access = good[0].json["access_token"].as_str().unwrap().to_owned();
        assert_eq!(generation(&held.access), round + 1);
    }
    let _ = nodes[1].get_as(&held.access, "/api/v2/auth/verify").await.expect(200);
}

/// Sends a refresh and hangs up after `wait`, without reading the answer.
async fn cut(address: SocketAddr, token: &str, name: Option<&str>, wait: Duration) {
    let body = json!({"refresh_token": token}).to_string();
    let name = name.map(|name| format!("Idempotency-Key: {name}\r\n")).unwrap_or_default();
    let length = body.len();
    let request = format!(
        "POST /api/v2/auth/token/refresh HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n{name}Content-Length: {length}\r\n\r\n{body}"
    );
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket.write_all(request.as_bytes()).await.unwrap();
    sleep(wait).await;
    socket.set_zero_linger().unwrap();
}

#[tokio::test]
async fn an_answer_that_was_lost_at_any_point_is_recovered_with_a_name_and_within_the_grace_without() {
    let settings = [&UNLIMITED[..], &[("LOG_LEVEL", "warn")]].concat();
    let node = Node::dev_with(&["--feed", "simulated"], &settings).await;
    let api = Api::at(node.url(""));
    let mut token = api.sign_up(&somebody()).await.refresh;
    for point in 0..100_u32 {
        let name = (point % 2 == 0).then(|| format!("point-{point}"));
        cut(node.address, &token, name.as_deref(), Duration::from_micros(u64::from(point) * 80)).await;
        let answer = match &name {
            Some(name) => api.refresh_named(&token, name).await,
            None => api.refresh(&token).await,
        };
        token = answer.expect(200).json["refresh_token"].as_str().unwrap().to_owned();
    }
    let _ = api.refresh(&token).await.expect(200);
}

/// What is done to one family at the same time.
#[derive(Debug, Clone, Copy)]
enum Act {
    Refresh,
    Replay,
    SignOut,
}

/// Numbers that look random and are the same in each run (`SplitMix64`, Steele and others 2014).
struct Seeded(u64);

impl Seeded {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }
}

struct Desk {
    store: Arc<SqlIdentityStore>,
    /// As on two nodes: what one of them keeps in memory puts nothing in line for the other.
    refresh: [RefreshSession; 2],
    sign_out: SignOut,
    revoked: Arc<RevokedSessions>,
}

fn desk(database: Database, clock: Arc<StoppedClock>) -> Desk {
    let store = Arc::new(SqlIdentityStore::new(database, Arc::new(PlainSecretBox::default())));
    let policy = SessionPolicy::default();
    let revoked = Arc::new(RevokedSessions::default());
    let gate = Arc::new(EmbeddedGate::new(clock.clone()));
    let keep = time::Duration::minutes(16);
    let ended = EndedSessions { revoked: revoked.clone(), gate, keep };
    let access_ttl = time::Duration::minutes(15);
    let tokens = IssueTokens { access: Arc::new(PlainAccessTokens), refresh: Arc::new(PlainRefreshTokens), policy, access_ttl };
    let letters = Letters {
        entropy: Arc::new(SystemEntropy),
        secrets: Arc::new(PlainSecretBox::default()),
        public_url: "http://127.0.0.1:8000".to_owned(),
    };
    Desk {
        refresh: [0, 1].map(|_| {
            RefreshSession::new(
                store.clone(),
                Arc::new(PlainRefreshTokens),
                tokens.clone(),
                letters.clone(),
                ended.clone(),
                clock.clone(),
                Arc::new(SystemEntropy),
            )
        }),
        sign_out: SignOut {
            store: store.clone(),
            refresh: Arc::new(PlainRefreshTokens),
            ended,
            clock,
            entropy: Arc::new(SystemEntropy),
        },
        store,
        revoked,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_family_that_was_ended_amid_refreshes_leaves_no_token_that_works() {
    let place = fresh_database().await;
    let clock = Arc::new(StoppedClock::at(NOON + time::Duration::minutes(1)));
    let desk = Arc::new(desk(Database::connect(&ConnectSettings::new(&place.url)).await.unwrap(), clock));
    let account = an_account("ada@example.org");
    let mut tx = desk.store.begin().await.unwrap();
    tx.users().add(&account).await.unwrap();
    tx.commit().await.unwrap();
    let mut ends = [0_u32; 3];
    for seed in 0..1_000_u64 {
        let mut seeded = Seeded(seed);
        // At its third generation since noon: presenting the first two is a replay long after the grace.
        let mut session = a_session(account.user.id);
        session.generation = 3;
        let bystander = a_session(account.user.id);
        let mut tx = desk.store.begin().await.unwrap();
        tx.sessions().add(&session).await.unwrap();
        tx.sessions().add(&bystander).await.unwrap();
        tx.commit().await.unwrap();

        let over = Arc::new(AtomicBool::new(false));
        let tokens = Arc::new(Mutex::new(vec![PlainRefreshTokens::of_generation(&session, 3)]));
        let mut acts = JoinSet::new();
        for node in 0..4 + seeded.below(3) {
            let act = [Act::Refresh, Act::Refresh, Act::Replay, Act::SignOut][usize::try_from(seeded.below(4)).unwrap()];
            let generation = match act {
                Act::Replay => 1 + u32::try_from(seeded.below(2)).unwrap(),
                Act::Refresh | Act::SignOut => 3,
            };
            let node = usize::from(!node.is_multiple_of(2));
            let claimed = desk.refresh[node].claimed(&PlainRefreshTokens::of_generation(&session, generation)).unwrap();
            let (desk, tokens, pause) = (desk.clone(), tokens.clone(), Duration::from_micros(seeded.below(1_500)));
            let over = over.clone();
            acts.spawn(async move {
                sleep(pause).await;
                if matches!(act, Act::SignOut) {
                    let ended = desk.sign_out.with_refresh_token(claimed, &ClientInfo::default()).await.unwrap();
                    over.fetch_or(ended, Ordering::SeqCst);
                    return;
                }
                match desk.refresh[node].execute(claimed, None, ClientInfo::default()).await {
                    Ok(next) => tokens.lock().unwrap().push(next.refresh.0),
                    Err(RefreshError::Reused) => over.store(true, Ordering::SeqCst),
                    Err(_) => {}
                }
            });
        }
        acts.join_all().await;

        let after = desk.store.session(session.id).await.unwrap().unwrap();
        let given: Vec<String> = tokens.lock().unwrap().clone();
        assert_eq!(after.ended.is_some(), over.load(Ordering::SeqCst), "seed {seed}: over is over");
        match after.ended.map(|ending| ending.reason) {
            None => ends[0] += 1,
            Some(reason) => {
                ends[if reason == EndReason::TokenReused { 1 } else { 2 }] += 1;
                assert!(desk.revoked.contains(session.id), "seed {seed}");
                for token in given {
                    let claimed = desk.refresh[0].claimed(&token).unwrap();
                    assert!(desk.refresh[0].execute(claimed, None, ClientInfo::default()).await.is_err(), "seed {seed}: {token}");
                }
                assert_eq!(desk.store.session(session.id).await.unwrap().unwrap(), after, "seed {seed}: nothing moved");
            }
        }
        let untouched = desk.store.session(bystander.id).await.unwrap().unwrap();
        assert_eq!(untouched, bystander, "seed {seed}: another session of the same account");
    }
    assert!(ends.iter().all(|count| *count > 20), "went on, reused, signed out: {ends:?}");
}
