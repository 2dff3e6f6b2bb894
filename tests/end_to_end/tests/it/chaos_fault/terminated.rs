//! A node is asked to end while it is busy.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use coinlink_end_to_end_tests::{Api, Client, UNLIMITED};
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::Value;
use tokio::{task::JoinSet, time::sleep};

use super::{
    results::{TERMINATED, held, seconds},
    scene::{PRICE, PROFILE, Scene, user_of},
};

const CLIENTS: usize = 24;
const SOCKETS: usize = 100;
const GONE_WITHIN: Duration = Duration::from_secs(15);
const PATHS: [&str; 4] = [PRICE, PROFILE, "/api/crypto/ticker", "/api/v2/auth/verify"];

/// What clients were answered.
#[derive(Default)]
struct Tally {
    answered: AtomicU64,
    after: AtomicU64,
    told: AtomicU64,
    failed: Mutex<Vec<String>>,
}

/// Asks without a pause, on kept connections, until it is told to go elsewhere.
async fn load(api: Api, token: String, first: usize, tally: Arc<Tally>, asked_to_end: Arc<AtomicU64>) {
    for path in PATHS.iter().cycle().skip(first) {
        match api.try_send(api.request(Method::GET, path).bearer_auth(&token)).await {
            Ok(answer) if answer.status == 200 => {
                tally.answered.fetch_add(1, Ordering::Relaxed);
                tally.after.fetch_add(asked_to_end.load(Ordering::Relaxed), Ordering::Relaxed);
                if answer.header("connection") == "close" {
                    tally.told.fetch_add(1, Ordering::Relaxed);
                    return;
                }
            }
            Ok(answer) => tally.failed.lock().unwrap().push(format!("{path}: {} {}", answer.status, answer.text)),
            Err(error) => tally.failed.lock().unwrap().push(format!("{path}: {error:?}")),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn terminated_under_load_it_answers_what_it_took_and_sends_sockets_away_with_a_hint() {
    let scene = Scene::start().await;
    let mut node = scene.nodes(1, &UNLIMITED).await.remove(0);
    let (_, _, user) = user_of(&node).await;
    let mut sockets = Vec::new();
    for _ in 0..SOCKETS {
        sockets.push(Client::connect(node.address).await);
    }
    let (tally, asked_to_end, mut clients) = (Arc::<Tally>::default(), Arc::<AtomicU64>::default(), JoinSet::new());
    for client in 0..CLIENTS {
        let api = Api::at(node.url(""));
        clients.spawn(load(api, user.access.clone(), client, Arc::clone(&tally), Arc::clone(&asked_to_end)));
    }
    sleep(Duration::from_secs(3)).await;

    node.process.terminate();
    let asked = Instant::now();
    asked_to_end.store(1, Ordering::Relaxed);
    let goodbyes = join_all(sockets.iter_mut().map(Client::closed)).await;
    assert!(node.process.wait().await.success());
    let gone = asked.elapsed();
    clients.join_all().await;
    assert_eq!(tally.told.load(Ordering::Relaxed), CLIENTS as u64, "everybody was told to go elsewhere, with an answer");

    let failed = tally.failed.lock().unwrap();
    let answered = tally.answered.load(Ordering::Relaxed);
    assert!(failed.is_empty(), "{} of {answered}: {:?}", failed.len(), failed.first());
    let mut hints = BTreeSet::new();
    for goodbye in goodbyes {
        let (code, reason) = goodbye.expect("a close frame");
        let reason: Value = serde_json::from_str(&reason).unwrap();
        assert_eq!((code, reason["reason"].as_str()), (1001, Some("draining")));
        hints.insert(reason["retry_after_ms"].as_u64().unwrap());
    }
    assert!(hints.len() >= SOCKETS / 3 && hints.iter().all(|hint| *hint <= 10_000), "{hints:?}");
    assert!(gone < GONE_WITHIN, "{gone:?}");
    held(
        &TERMINATED,
        &format!(
            "{answered} requests were answered, {} of them after SIGTERM, 0 failed; all {CLIENTS} clients were told to go elsewhere with an answer; {SOCKETS} sockets were told to come back at {} different moments within 10 s; gone after {}",
            tally.after.load(Ordering::Relaxed),
            hints.len(),
            seconds(gone),
        ),
    );
}
