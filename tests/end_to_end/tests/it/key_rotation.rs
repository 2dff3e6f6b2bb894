//! Keys that sign access tokens take over from one another while clients go on, and nobody notices.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    collections::BTreeSet,
    path::Path,
    process::Command,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use coinlink_end_to_end_tests::{Api, Held, Node, Serve, UNLIMITED, eventually, somebody};
use coinlink_testkit::{
    servers::{built_binary, fresh_database, shared_redis},
    upstream_stub::StubUpstream,
};
use jsonwebtoken::{DecodingKey, Validation, jwk::JwkSet};
use serde_json::{Value, json};
use tokio::{
    task::JoinSet,
    time::{MissedTickBehavior, interval, sleep},
};

const READ: &str = "/api/v2/auth/rate-limit";
const JWKS: &str = "/.well-known/jwks.json";
/// Requests a second that are tried for.
const RATE: u64 = 1_000;
const WORKERS: u64 = 20;

/// `coinlink keys`, as an operator runs it.
fn keys(folder: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new(built_binary("coinlink"));
    let output = command.env_clear().env("JWT_KEYS_DIR", folder).arg("keys").args(arguments).output().unwrap();
    let (said, refused) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(output.status.success(), "{arguments:?}: {refused}");
    said
}

/// The names of the keys in this state, oldest first.
fn names(folder: &Path, state: &str) -> Vec<String> {
    let in_state = |line: &&str| line.split_whitespace().nth(2) == Some(state);
    keys(folder, &["list"]).lines().filter(in_state).map(|line| line[..32].to_owned()).collect()
}

fn header(token: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap()).unwrap()
}

fn key_of(token: &str) -> String {
    header(token)["kid"].as_str().unwrap_or_default().to_owned()
}

/// What all clients hold: every access token since the start, all of them good for a quarter of an hour.
#[derive(Default)]
struct Crowd {
    access: Mutex<Vec<String>>,
    sent: AtomicU64,
    wrong: Mutex<Vec<String>>,
    over: AtomicBool,
}

impl Crowd {
    fn add(&self, access: &str) {
        self.access.lock().unwrap_or_else(PoisonError::into_inner).push(access.to_owned());
    }

    fn pick(&self, at: u64) -> String {
        let access = self.access.lock().unwrap_or_else(PoisonError::into_inner);
        access[usize::try_from(at).unwrap() % access.len()].clone()
    }

    fn signers(&self) -> BTreeSet<String> {
        self.access.lock().unwrap_or_else(PoisonError::into_inner).iter().map(|token| key_of(token)).collect()
    }

    fn complain(&self, what: String) {
        self.wrong.lock().unwrap_or_else(PoisonError::into_inner).push(what);
    }

    fn goes_on(&self) -> bool {
        !self.over.load(Ordering::Relaxed)
    }

    /// Reads at this worker's part of the rate, with any token at any node.
    async fn read(self: Arc<Self>, nodes: Vec<Api>, worker: u64) {
        let mut beats = interval(Duration::from_micros(1_000_000 * WORKERS / RATE));
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut at = worker;
        while self.goes_on() {
            beats.tick().await;
            let token = self.pick(at);
            let node = &nodes[usize::try_from(at % 7).unwrap() % nodes.len()];
            match node.try_send(node.request(reqwest::Method::GET, READ).bearer_auth(&token)).await {
                Ok(answer) if answer.status == 200 => {}
                Ok(answer) => self.complain(format!("{} {} for {}", answer.status, answer.text, header(&token))),
                Err(error) => self.complain(error.to_string()),
            }
            self.sent.fetch_add(1, Ordering::Relaxed);
            at += WORKERS + 1;
        }
    }

    /// Refreshes again and again, at each node in turn.
    async fn refresh(self: Arc<Self>, nodes: Vec<Api>, mut held: Held) {
        let mut turn = 0;
        while self.goes_on() {
            sleep(Duration::from_millis(400)).await;
            turn += 1;
            let answer = nodes[turn % nodes.len()].refresh(&held.refresh).await;
            if answer.status != 200 {
                return self.complain(format!("a refresh: {} {}", answer.status, answer.text));
            }
            answer.json["refresh_token"].as_str().unwrap().clone_into(&mut held.refresh);
            self.add(answer.json["access_token"].as_str().unwrap());
        }
    }
}

/// Whether another service that has only the keys a node shows can check every token.
async fn others_believe(node: &Api, crowd: &Crowd) {
    let set: JwkSet = serde_json::from_value(node.get(JWKS).await.expect(200).json).unwrap();
    let tokens = crowd.access.lock().unwrap_or_else(PoisonError::into_inner).clone();
    for token in tokens {
        let jwk = set.find(&key_of(&token)).unwrap_or_else(|| panic!("{} is not shown", header(&token)));
        let mut validation = Validation::new(header(&token)["alg"].as_str().unwrap().parse().unwrap());
        validation.set_audience(&["coinlink-app"]);
        validation.set_issuer(&["coinlink-api"]);
        jsonwebtoken::decode::<Value>(&token, &DecodingKey::from_jwk(jwk).unwrap(), &validation).unwrap();
    }
}

/// Sends tokens that name keys nobody has. Gives how many there were.
async fn flood(nodes: &[Api], access: &str, count: u64) {
    let (_, rest) = access.split_once('.').unwrap();
    let next = Arc::new(AtomicU64::new(0));
    let mut tasks = JoinSet::new();
    for task in 0..32 {
        let (node, next, rest) = (nodes[task % nodes.len()].clone(), Arc::clone(&next), rest.to_owned());
        tasks.spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= count {
                    return;
                }
                // An odd factor, so that no two are alike and none looks like its neighbour.
                let kid = format!("{:032x}", u128::from(number + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835));
                let header = json!({ "typ": "at+jwt", "alg": "EdDSA", "kid": kid }).to_string();
                let token = format!("{}.{rest}", URL_SAFE_NO_PAD.encode(header));
                let answer = node.get_as(&token, READ).await;
                assert_eq!((answer.status, answer.code()), (401, "invalid_token"), "{}", answer.text);
            }
        });
    }
    tasks.join_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_refused_while_keys_take_over_and_made_up_names_cost_one_look_in_thirty_seconds() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path();
    assert!(keys(folder, &["generate"]).contains("is made. It signs from"));
    let (stub, database, redis) = (StubUpstream::start().await, fresh_database().await, shared_redis().await);
    let cluster = Serve { database: &database.url, redis: &redis.url(), prefix: &redis.fresh_prefix() };
    // Without a shared secret: keys are enough.
    let settings = [&UNLIMITED[..], &[("JWT_KEYS_DIR", folder.to_str().unwrap()), ("JWT_SECRET_KEY", "")]].concat();
    let running = cluster.start_with(2, &stub, &settings).await;
    let nodes: Vec<Api> = running.iter().map(|node| Api::at(node.url(""))).collect();

    let (crowd, mut tasks) = (Arc::new(Crowd::default()), JoinSet::new());
    for person in 0..6 {
        let held = nodes[person % 2].sign_up(&somebody()).await;
        crowd.add(&held.access);
        tasks.spawn(Arc::clone(&crowd).refresh(nodes.clone(), held));
    }
    let started = Instant::now();
    for worker in 0..WORKERS {
        tasks.spawn(Arc::clone(&crowd).read(nodes.clone(), worker));
    }
    sleep(Duration::from_secs(2)).await;
    for (at, arguments) in [
        &["rotate", "--publish-secs", "4"][..],
        &["rotate", "--alg", "RS256", "--publish-secs", "4"],
        &["rotate", "--publish-secs", "3"],
    ]
    .into_iter()
    .enumerate()
    {
        assert!(keys(folder, arguments).contains("published"));
        eventually("the new key signs", Duration::from_secs(20), async || crowd.signers().len() == at + 2).await;
        for node in &nodes {
            others_believe(node, &crowd).await;
        }
    }
    sleep(Duration::from_secs(2)).await;
    crowd.over.store(true, Ordering::Relaxed);
    tasks.join_all().await;
    let (sent, took) = (crowd.sent.load(Ordering::Relaxed), started.elapsed());
    assert_eq!(*crowd.wrong.lock().unwrap(), Vec::<String>::new(), "of {sent} requests in {took:?}");
    // How many were sent depends on the machine; it is told, and not asserted.
    assert!(sent > 0);
    let rate = u128::from(sent) * 1_000 / took.as_millis();
    eprintln!("{sent} requests in {took:?}: {rate} of {RATE} a second that were offered, none refused");
    assert_eq!((names(folder, "retiring").len(), names(folder, "signing").len()), (3, 1));

    let flooded = Instant::now();
    flood(&nodes, &crowd.pick(0), 10_000).await;
    let allowed = 1 + flooded.elapsed().as_secs() / 30;
    for node in &running {
        let reads = node.metric("coinlink_unknown_key_reads_total").await;
        assert!((1..=allowed).contains(&reads), "{reads} looks in {:?}", flooded.elapsed());
    }

    let leaked = key_of(&crowd.pick(0));
    assert!(keys(folder, &["revoke", &leaked]).contains("is gone"));
    assert_eq!(names(folder, "revoked"), std::slice::from_ref(&leaked));
    let tokens = crowd.access.lock().unwrap().clone();
    for node in &nodes {
        // So that clients refresh, and nobody is signed out.
        let refused = async || {
            let answer = node.get_as(&tokens[0], READ).await;
            answer.status == 401 && answer.code() == "token_expired"
        };
        eventually("what a leaked key signed is refused", Duration::from_secs(10), refused).await;
        let answer = node.get(JWKS).await.expect(200);
        assert!(!answer.text.contains(&leaked), "{}", answer.text);
        let others = tokens.iter().filter(|token| key_of(token) != leaked);
        for token in others.rev().take(20) {
            let _ = node.get_as(token, READ).await.expect(200);
        }
    }
    for node in &running {
        let log = node.process.log();
        assert!(!log.contains("panicked") && !log.contains("\"level\":\"ERROR\"") && !log.contains("PRIVATE KEY"), "{log}");
    }
}

#[tokio::test]
async fn a_node_goes_on_with_the_keys_it_has_while_the_folder_cannot_be_read() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path();
    keys(folder, &["generate"]);
    let settings = [&UNLIMITED[..], &[("JWT_KEYS_DIR", folder.to_str().unwrap())]].concat();
    let node = Node::dev_with(&["--feed", "simulated"], &settings).await;
    let api = Api::at(node.url(""));
    let held = api.sign_up(&somebody()).await;
    let list = folder.join("keys.json");
    let whole = std::fs::read(&list).unwrap();
    std::fs::write(&list, "{").unwrap();
    let stale = async |expected| node.metric("coinlink_signing_keys_stale").await == expected;
    eventually("the node has seen it", Duration::from_secs(10), async || stale(1).await).await;
    sleep(Duration::from_secs(5)).await;
    let _ = api.get_as(&held.access, READ).await.expect(200);
    let _ = api.get("/readyz").await.expect(200);
    assert_eq!(api.get(JWKS).await.json["keys"][0]["kid"], key_of(&held.access));
    std::fs::write(&list, whole).unwrap();
    eventually("it reads them again", Duration::from_secs(10), async || stale(0).await).await;
    let log = node.process.log();
    assert_eq!(log.lines().filter(|line| line.contains("ERROR")).count(), 1, "said once: {log}");
}
