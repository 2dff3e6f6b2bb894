//! Nothing that was acknowledged is lost, and nothing is there twice, however often the API's process and the database are killed
//! under writes. `just kills` does it a hundred and twenty times.

use std::{
    collections::{BTreeMap, HashSet},
    env,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use coinlink_end_to_end_tests::{Api, Node, PASSWORD, Serve, UNLIMITED, eventually, somebody};
use coinlink_testkit::{
    servers::{Launch, PrivatePostgres, TestDatabase, built_binary, shared_redis},
    upstream_stub::StubUpstream,
};
use reqwest::{Method, header::AUTHORIZATION};
use sea_orm::{ConnectionTrait as _, Database, DbBackend, Statement};
use serde_json::json;
use tokio::{
    task::{JoinHandle, JoinSet},
    time::sleep,
};

use super::{
    results::{API_KILLED, held, seconds},
    scene::{RECOVERS_WITHIN, SOON},
};

/// systemd's `RestartSec=` when nobody sets it.
const RESTART_AFTER: Duration = Duration::from_millis(100);
const LOOK: Duration = Duration::from_millis(20);
const WRITERS: usize = 4;
const RULES_EACH: u32 = 20;
/// How long clients write between two kills.
const WRITES_FOR: [Duration; 3] = [Duration::from_millis(400), Duration::from_millis(900), Duration::from_millis(650)];

/// Starts a process again whenever it ended, as systemd and Docker do.
struct Supervisor {
    pid: Arc<AtomicU32>,
    stop: Arc<AtomicBool>,
    work: JoinHandle<Node>,
}

impl Supervisor {
    fn of(mut node: Node) -> Self {
        let (pid, stop) = (Arc::new(AtomicU32::new(node.process.pid())), Arc::new(AtomicBool::new(false)));
        let (current, over) = (Arc::clone(&pid), Arc::clone(&stop));
        let work = tokio::spawn(async move {
            while !over.load(Ordering::SeqCst) {
                if node.process.ended().is_some() {
                    sleep(RESTART_AFTER).await;
                    node.process.start_again();
                    current.store(node.process.pid(), Ordering::SeqCst);
                }
                sleep(LOOK).await;
            }
            node
        });
        Self { pid, stop, work }
    }

    /// `kill -9`, and the time until another process is ready.
    async fn kill(&self, api: &Api) -> Duration {
        let (victim, killed) = (self.pid.load(Ordering::SeqCst), Instant::now());
        assert!(Command::new("kill").args(["-9", &victim.to_string()]).status().unwrap().success());
        while self.pid.load(Ordering::SeqCst) == victim || !is_ready(api).await {
            assert!(killed.elapsed() < RECOVERS_WITHIN, "not ready within {RECOVERS_WITHIN:?}");
            sleep(LOOK).await;
        }
        killed.elapsed()
    }

    async fn end(self) -> Node {
        self.stop.store(true, Ordering::SeqCst);
        self.work.await.unwrap()
    }
}

async fn is_ready(api: &Api) -> bool {
    api.try_send(api.request(Method::GET, "/readyz")).await.is_ok_and(|answer| answer.status == 200)
}

/// What clients were told is done.
#[derive(Debug, Default)]
struct Told {
    /// Addresses, with the account's id where the answer arrived.
    accounts: BTreeMap<String, Option<String>>,
    /// Rules' ids.
    rules: HashSet<String>,
    /// Requests that were answered 5xx, or not at all: when they were sent, and when that was known.
    unanswered: Vec<(Instant, Instant)>,
}

impl Told {
    fn add(&mut self, other: Self) {
        self.accounts.extend(other.accounts);
        self.rules.extend(other.rules);
        self.unanswered.extend(other.unanswered);
    }

    /// Requests that were under way at one of these moments, and lost.
    fn interrupted(&self, kills: &[Instant]) -> usize {
        self.unanswered.iter().filter(|(sent, known)| kills.iter().any(|kill| sent < kill && kill <= known)).count()
    }
}

/// How many writes were acknowledged so far.
#[derive(Debug, Default)]
struct Progress {
    accounts: AtomicUsize,
    rules: AtomicUsize,
}

/// Signs up and makes rules until it is told to stop. A sign-up without an answer is sent again, as people do.
async fn write(api: Api, stop: Arc<AtomicBool>, progress: Arc<Progress>) -> Told {
    let mut told = Told::default();
    while !stop.load(Ordering::SeqCst) {
        let email = somebody();
        let body = json!({"email": email, "password": PASSWORD});
        let access = loop {
            let sent = Instant::now();
            match api.try_send(api.with_json(Method::POST, "/api/v2/auth/signup", &body)).await {
                Ok(answer) if answer.status == 201 => {
                    let id = answer.json["user"]["id"].as_str().unwrap().to_owned();
                    told.accounts.insert(email, Some(id));
                    progress.accounts.fetch_add(1, Ordering::SeqCst);
                    break answer.json["tokens"]["access_token"].as_str().unwrap().to_owned();
                }
                // The answer was lost, and what it would have said is true.
                Ok(answer) if answer.code() == "email_taken" => {
                    told.accounts.insert(email, None);
                    break String::new();
                }
                Ok(answer) if answer.status < 500 => panic!("{}", answer.text),
                _ => told.unanswered.push((sent, Instant::now())),
            }
            sleep(LOOK * 5).await;
        };
        let (mut target, mut left) = (0, if access.is_empty() { 0 } else { RULES_EACH });
        while left > 0 && !stop.load(Ordering::SeqCst) {
            target += 1;
            let rule = json!({ "symbol": "BTC", "condition": "above", "target_value": 1_000_000 + target });
            let (sent, request) = (Instant::now(), api.with_json(Method::POST, "/api/v2/notifications/alerts", &rule));
            match api.try_send(request.header(AUTHORIZATION, format!("Bearer {access}"))).await {
                Ok(answer) if answer.status == 201 => {
                    told.rules.insert(answer.json["id"].as_str().unwrap().to_owned());
                    progress.rules.fetch_add(1, Ordering::SeqCst);
                    left -= 1;
                }
                Ok(answer) if answer.status < 500 => panic!("{}", answer.text),
                _ => {
                    told.unanswered.push((sent, Instant::now()));
                    sleep(LOOK).await;
                }
            }
        }
    }
    told
}

/// Clients that write until they are asked what they were told.
struct Load {
    stop: Arc<AtomicBool>,
    progress: Arc<Progress>,
    writers: JoinSet<Told>,
}

impl Load {
    fn on(api: &Api) -> Self {
        let (stop, progress) = (Arc::new(AtomicBool::new(false)), Arc::<Progress>::default());
        let writers = (0..WRITERS).map(|_| write(api.clone(), Arc::clone(&stop), Arc::clone(&progress))).collect();
        Self { stop, progress, writers }
    }

    /// Accounts and rules that were acknowledged so far.
    fn acknowledged(&self) -> [usize; 2] {
        [&self.progress.accounts, &self.progress.rules].map(|count| count.load(Ordering::SeqCst))
    }

    /// Lets clients write for so long, and until something was acknowledged since; both kinds of it, the first time.
    async fn goes_on(&self, time: Duration) {
        let before = self.acknowledged();
        sleep(time).await;
        let something = async || {
            let now = self.acknowledged();
            now != before && now.iter().all(|count| *count > 0)
        };
        eventually("something is acknowledged before the next kill", SOON, something).await;
    }

    async fn end(self) -> Told {
        self.stop.store(true, Ordering::SeqCst);
        let mut told = Told::default();
        self.writers.join_all().await.into_iter().for_each(|one| told.add(one));
        told
    }
}

async fn texts(database: &TestDatabase, query: &str) -> Vec<Vec<String>> {
    let reader = Database::connect(&database.url).await.unwrap();
    let rows = reader.query_all_raw(Statement::from_string(DbBackend::Postgres, query)).await.unwrap();
    reader.close().await.unwrap();
    let columns =
        |row: &sea_orm::QueryResult| (0..row.column_names().len()).map(|at| row.try_get_by_index(at).unwrap()).collect();
    rows.iter().map(columns).collect()
}

/// Clients wrote, and kills came between them and their answers: without either nothing is shown.
fn was_hit(told: &Told, kills: &[Instant]) -> usize {
    let interrupted = told.interrupted(kills);
    assert!(!told.accounts.is_empty() && !told.rules.is_empty(), "nothing was written: {told:?}");
    assert!(interrupted > 0, "no request was under way when something was killed: {kills:?}, {:?}", told.unanswered);
    interrupted
}

/// Every account, audit row and rule that was acknowledged is there, once; the audit log is sound.
async fn all_is_there(database: &TestDatabase, api: &Api, told: &Told) {
    let users: BTreeMap<String, String> = texts(database, "SELECT email, id::text FROM users")
        .await
        .into_iter()
        .map(|row| (row[0].clone(), row[1].clone()))
        .collect();
    let written = texts(
        database,
        "SELECT user_id::text, count(*)::text FROM audit_log WHERE action = 'auth.sign_up' AND status = 'success' GROUP BY 1",
    );
    let written: BTreeMap<String, String> = written.await.into_iter().map(|row| (row[0].clone(), row[1].clone())).collect();
    for (email, id) in &told.accounts {
        let stored = users.get(email).unwrap_or_else(|| panic!("the acknowledged account {email} is lost"));
        assert!(id.as_ref().is_none_or(|id| id == stored), "{email} is another account");
    }
    assert_eq!(
        written.len(),
        users.len(),
        "each account has an entry in the audit log, and no entry is of an account that is not there"
    );
    for id in users.values() {
        assert_eq!(written.get(id).map(String::as_str), Some("1"), "entries of account {id}");
    }
    let rules: Vec<_> =
        texts(database, "SELECT id::text FROM alert_rules").await.into_iter().map(|mut row| row.remove(0)).collect();
    let rules: HashSet<_> = rules.into_iter().collect();
    let lost: Vec<_> = told.rules.difference(&rules).collect();
    assert!(lost.is_empty(), "acknowledged rules are lost: {lost:?}");
    let twice = texts(database, "SELECT user_id::text FROM alert_rules GROUP BY user_id, target HAVING count(*) > 1").await;
    assert!(twice.is_empty(), "rules are there twice: {twice:?}");
    for email in told.accounts.keys().step_by(told.accounts.len().div_ceil(3)) {
        let _ = api.sign_in(email).await;
    }
    let launch = Launch::new(built_binary("coinlink")).args(["audit", "verify"]).env("DATABASE_URL", &database.url);
    let mut run = launch.env("PASSWORD_PEPPER", "fedcba9876543210fedcba9876543210-e2e").start();
    let code = run.wait().await.code();
    assert!(code == Some(0) && run.log().contains("is sound"), "{code:?} {}", run.log());
}

/// How often; `just kills` says more.
fn count(variable: &str, usual: usize) -> usize {
    env::var(variable).map_or(usual, |text| text.parse().unwrap())
}

fn report(what: &[(&str, Vec<Duration>)], told: &Told, interrupted: usize) {
    for (what, times) in what {
        let mut times = times.clone();
        times.sort_unstable();
        let (middle, longest) = (times[times.len() / 2].as_secs_f64(), times[times.len() - 1].as_secs_f64());
        eprintln!("{what}, {} times: p50 {middle:.2} s, max {longest:.2} s", times.len());
    }
    let (accounts, rules, unanswered) = (told.accounts.len(), told.rules.len(), told.unanswered.len());
    let unseen = told.accounts.values().filter(|id| id.is_none()).count();
    eprintln!(
        "acknowledged: {accounts} accounts ({unseen} of them stored though the answer was lost) and {rules} rules; {unanswered} requests failed, \
         {interrupted} of them under way when something was killed; lost: 0, twice: 0"
    );
}

#[tokio::test]
async fn api_killed_again_and_again_loses_and_doubles_no_acknowledged_write() {
    let (stub, postgres, redis) = (StubUpstream::start().await, PrivatePostgres::durable().await, shared_redis().await);
    let database = postgres.fresh_database().await;
    let cluster = Serve { database: &database.url, redis: &redis.url(), prefix: &redis.fresh_prefix() };
    let node = cluster.start_with(1, &stub, &UNLIMITED).await.remove(0);
    let api = Api::at(node.url(""));
    let (supervisor, load) = (Supervisor::of(node), Load::on(&api));
    let (mut times, mut kills) = (Vec::new(), Vec::new());
    for round in 0..count("KILLS_API", 5) {
        load.goes_on(WRITES_FOR[round % WRITES_FOR.len()]).await;
        kills.push(Instant::now());
        times.push(supervisor.kill(&api).await);
    }
    let told = load.end().await;
    all_is_there(&database, &api, &told).await;
    let slowest = times.iter().copied().max().unwrap();
    report(&[("API process killed, until another is ready", times)], &told, was_hit(&told, &kills));
    let (accounts, rules) = (told.accounts.len(), told.rules.len());
    let kept = format!("{accounts} accounts and {rules} alert rules were acknowledged, 0 of them lost");
    held(&API_KILLED, &format!("ready after {} at most; {kept}", seconds(slowest)));
    assert!(!supervisor.end().await.process.log().contains("panicked"));
}

#[tokio::test]
async fn database_killed_again_and_again_loses_and_doubles_no_acknowledged_write() {
    let (stub, mut postgres, redis) = (StubUpstream::start().await, PrivatePostgres::durable().await, shared_redis().await);
    let database = postgres.fresh_database().await;
    let durable =
        texts(&database, "SELECT setting FROM pg_settings WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit')")
            .await;
    assert_eq!(durable, [["on"], ["on"], ["on"]], "as in production");
    let cluster = Serve { database: &database.url, redis: &redis.url(), prefix: &redis.fresh_prefix() };
    let node = cluster.start_with(1, &stub, &UNLIMITED).await.remove(0);
    let (api, pid) = (Api::at(node.url("")), node.process.pid());
    let load = Load::on(&api);
    let (mut kills, mut recovered, mut ready) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..count("KILLS_DATABASE", 2) {
        load.goes_on(WRITES_FOR[round % WRITES_FOR.len()] * 2).await;
        let killed = Instant::now();
        kills.push(killed);
        postgres.kill();
        postgres.start_again().await;
        recovered.push(killed.elapsed());
        let up = Instant::now();
        eventually("the node is ready again", RECOVERS_WITHIN, async || is_ready(&api).await).await;
        ready.push(up.elapsed());
    }
    let told = load.end().await;
    all_is_there(&database, &api, &told).await;
    report(
        &[("database killed, until it takes connections again", recovered), ("from then until the API is ready", ready)],
        &told,
        was_hit(&told, &kills),
    );
    assert_eq!(node.process.pid(), pid, "the API was not restarted");
    assert!(!node.process.log().contains("panicked"));
}
