//! The process is killed while clients write, and started again by whoever supervises it.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use coinlink_end_to_end_tests::{Api, PASSWORD, UNLIMITED, eventually, somebody};
use reqwest::Method;
use serde_json::json;
use tokio::task::JoinSet;

use super::{
    results::{API_KILLED, held, seconds},
    scene::{RECOVERS_WITHIN, Scene, user_of},
};

const ROUNDS: u32 = 5;
const RULES: &str = "/api/v2/notifications/alerts";

/// What was acknowledged: addresses of accounts, and ids of alert rules.
#[derive(Default)]
struct Acknowledged {
    accounts: Mutex<Vec<String>>,
    rules: Mutex<Vec<String>>,
}

/// Writes until there is no answer.
fn write(api: &Api, token: &str, kept: &Arc<Acknowledged>) -> JoinSet<()> {
    static TARGETS: AtomicU32 = AtomicU32::new(200_000);
    let mut writers = JoinSet::new();
    let (ours, all) = (api.clone(), Arc::clone(kept));
    writers.spawn(async move {
        loop {
            let email = somebody();
            let body = json!({"email": email, "password": PASSWORD});
            let request = ours.with_json(Method::POST, "/api/v2/auth/signup", &body);
            let Ok(answer) = ours.try_send(request).await else { return };
            if answer.status == 201 {
                all.accounts.lock().unwrap().push(email);
            }
        }
    });
    let (ours, all, token) = (api.clone(), Arc::clone(kept), token.to_owned());
    writers.spawn(async move {
        // An account keeps a hundred rules.
        for _ in 0..90 / ROUNDS {
            let rule =
                json!({ "symbol": "BTC", "condition": "crosses_above", "target_value": TARGETS.fetch_add(1, Ordering::Relaxed) });
            let request = ours.with_json(Method::POST, RULES, &rule).bearer_auth(&token);
            let Ok(answer) = ours.try_send(request).await else { return };
            if answer.status == 201 {
                all.rules.lock().unwrap().push(answer.json["id"].as_str().unwrap().to_owned());
            }
        }
    });
    writers
}

#[tokio::test(flavor = "multi_thread")]
async fn api_killed_is_ready_again_and_has_what_it_acknowledged() {
    let scene = Scene::start().await;
    let mut node = scene.nodes(1, &UNLIMITED).await.remove(0);
    let (api, _, user) = user_of(&node).await;
    let (kept, mut slowest) = (Arc::<Acknowledged>::default(), Duration::ZERO);
    for round in 1..=ROUNDS as usize {
        let writers = write(&api, &user.access, &kept);
        let enough = async || kept.accounts.lock().unwrap().len() >= round && kept.rules.lock().unwrap().len() >= 4 * round;
        eventually("something is acknowledged", Duration::from_secs(20), enough).await;
        node.process.kill();
        let killed = Instant::now();
        node.process.start_again();
        let ready = async || api.try_send(api.request(Method::GET, "/readyz")).await.is_ok_and(|answer| answer.status == 200);
        eventually("it is ready again", RECOVERS_WITHIN, ready).await;
        slowest = slowest.max(killed.elapsed());
        drop(writers.join_all().await);
    }
    let (accounts, rules) = (kept.accounts.lock().unwrap().clone(), kept.rules.lock().unwrap().clone());
    for email in &accounts {
        let _ = api.sign_in(email).await;
    }
    let stored = api.get_as(&user.access, RULES).await.expect(200).text;
    let lost: Vec<_> = rules.iter().filter(|id| !stored.contains(*id)).collect();
    assert!(lost.is_empty(), "acknowledged, and not there: {lost:?}");
    let (accounts, rules) = (accounts.len(), rules.len());
    held(
        &API_KILLED,
        &format!(
            "ready after {} at most; {accounts} accounts and {rules} alert rules were acknowledged, 0 of them lost",
            seconds(slowest)
        ),
    );
}
