//! One node's clock is wrong: by little, by an hour, and right again, while it runs and leads.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use coinlink_end_to_end_tests::{Api, Node, UNLIMITED, assert_one_story, eventually, not_tested};
use serde_json::json;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use tokio::time::sleep;

use super::{
    results::{CLOCK_AHEAD, held, seconds},
    scene::{PRICE, PROFILE, SOON, Scene, is_ready, listener, user_of, went_on},
};

/// The lease, one tick, and a second for the machine.
const GAP: Duration = Duration::from_secs(10 + 1 + 1);
/// More than the lease, so that one that goes by this clock would be lost.
const WRONG_FOR: Duration = Duration::from_secs(13);

/// Every node knows of an ended session after it.
const KNOWN_WITHIN: Duration = Duration::from_secs(1);

/// A clock that can be set while the process that looks at it runs.
struct Clock {
    library: PathBuf,
    file: PathBuf,
}

impl Clock {
    fn in_folder(folder: &Path) -> Self {
        let folders = fs::read_dir("/usr/lib").unwrap().flatten().map(|entry| entry.path());
        let library = folders.map(|folder| folder.join("faketime/libfaketimeMT.so.1")).find(|path| path.is_file());
        let library = library.expect("libfaketime is missing: `bash tests/run` installs Debian's `faketime`");
        let clock = Self { library, file: folder.join("clock") };
        clock.set(0);
        clock
    }

    /// Seconds ahead of everybody else's.
    fn set(&self, ahead: u32) {
        // In one step, for it is read at any moment.
        let draft = self.file.with_extension("draft");
        fs::write(&draft, format!("+{ahead}\n")).unwrap();
        fs::rename(&draft, &self.file).unwrap();
    }

    /// What makes a process look at it. Time that passes is nobody's to set.
    fn settings(&self) -> [(&str, &str); 5] {
        [
            ("LD_PRELOAD", self.library.to_str().unwrap()),
            ("FAKETIME_TIMESTAMP_FILE", self.file.to_str().unwrap()),
            ("FAKETIME_CACHE_DURATION", "1"),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
            ("DONT_FAKE_MONOTONIC", "1"),
        ]
    }
}

/// How far the node's clock is ahead, by what it says itself.
async fn ahead(node: &Node) -> i64 {
    let said = node.json("/livez").await["timestamp"].as_str().map(|at| OffsetDateTime::parse(at, &Rfc3339));
    (said.unwrap().unwrap() - OffsetDateTime::now_utc()).whole_seconds()
}

async fn is_ahead(node: &Node, by: i64) {
    eventually("its clock is set", Duration::from_secs(5), async || (ahead(node).await - by).abs() <= 1).await;
}

async fn leaders(nodes: &[&Node]) -> u64 {
    let mut leaders = 0;
    for node in nodes {
        leaders += node.metric("coinlink_leader").await;
    }
    leaders
}

#[tokio::test(flavor = "multi_thread")]
async fn clock_ahead_on_one_node_ends_neither_leadership_nor_sessions_that_go_on() {
    if !cfg!(target_os = "linux") {
        return not_tested("clock", "clocks are set with Linux's libfaketime");
    }
    let (scene, folder) = (Scene::start().await, tempfile::tempdir().unwrap());
    let clock = Clock::in_folder(folder.path());
    let settings = [&UNLIMITED[..], &[("TICKER_PROVIDERS", "kraken")]].concat();
    let jumper = scene.nodes(1, &[&settings[..], &clock.settings()].concat()).await.remove(0);
    eventually("it leads", SOON, async || leaders(&[&jumper]).await == 1).await;
    let other = scene.nodes(1, &settings).await.remove(0);
    let pids = [jumper.process.pid(), other.process.pid()];
    let (here, email, user) = user_of(&other).await;
    let there = Api::at(jumper.url(""));
    let recorders = [listener(&jumper).await, listener(&other).await];

    clock.set(20);
    is_ahead(&jumper, 20).await;
    let early = there.sign_in(&email).await;
    let _ = here.get_as(&early.access, PROFILE).await.expect(200);
    let _ = there.get_as(&user.access, PROFILE).await.expect(200);

    clock.set(3_600);
    is_ahead(&jumper, 3_600).await;
    let since_the_jump = Instant::now();
    assert_eq!(there.get_as(&user.access, PROFILE).await.expect(401).code(), "token_expired", "an hour is no leeway");
    let _ = here.get_as(&user.access, PROFILE).await.expect(200);
    let next = there.refresh(&early.refresh).await.expect(200);
    let (access, refresh) = (next.json["access_token"].as_str().unwrap(), next.json["refresh_token"].as_str().unwrap());
    let _ = there.get_as(access, PROFILE).await.expect(200);
    assert_eq!(here.get_as(access, PROFILE).await.expect(401).code(), "token_not_yet_valid", "of an hour from now");
    let mut most = 0;
    while since_the_jump.elapsed() < WRONG_FOR {
        most = most.max(leaders(&[&jumper, &other]).await);
        assert_eq!((there.get(PRICE).await.status, here.get(PRICE).await.status), (200, 200));
        sleep(Duration::from_millis(200)).await;
    }
    assert_eq!((most, ahead(&other).await), (1, 0));
    // What ended by one clock, and Redis then forgets, is over by the other too: both look into the database.
    let over = there.sign_in(&email).await;
    let _ = there.get_as(&over.access, PROFILE).await.expect(200);
    let _ = here.post("/api/v2/auth/logout", &json!({ "refresh_token": over.refresh })).await.expect(200);
    scene.redis.flush();
    sleep(KNOWN_WITHIN).await;
    let mut refused = 0;
    while refused < 20 {
        assert_eq!(there.get_as(&over.access, PROFILE).await.expect(401).code(), "session_revoked");
        refused += 1;
        sleep(Duration::from_millis(100)).await;
    }
    assert!(is_ready(&jumper).await && is_ready(&other).await);

    clock.set(0);
    is_ahead(&jumper, 0).await;
    let back = Instant::now();
    // Nobody waits for what was due an hour from now.
    scene.stub.set_price("BTC", "98765");
    for node in [&jumper, &other] {
        let moved = async || node.json(PRICE).await["data"]["price"] == 98_765;
        eventually("providers are asked again", GAP, moved).await;
    }
    let prices = back.elapsed();
    let back = Instant::now();
    // What was made an hour from now does not count before; who holds it asks for another.
    let next = here.refresh(refresh).await.expect(200);
    let access = next.json["access_token"].as_str().unwrap();
    for api in [&here, &there] {
        let _ = api.get_as(access, PROFILE).await.expect(200);
        let _ = api.get_as(&api.sign_in(&email).await.access, PROFILE).await.expect(200);
    }
    let usable = back.elapsed();
    for recorder in &recorders {
        recorder.list_after(back, GAP, |frame| !frame.is_replay()).await;
    }
    let both = assert_one_story(&recorders.iter().collect::<Vec<_>>());
    let gap = recorders.iter().map(coinlink_end_to_end_tests::Recorder::longest_gap).max().unwrap();
    assert!(gap <= GAP && both > 10, "{gap:?}, {both}");
    assert_eq!(leaders(&[&jumper, &other]).await, 1);
    went_on(&jumper, pids[0]);
    went_on(&other, pids[1]);
    held(
        &CLOCK_AHEAD,
        &format!(
            "one leader throughout, {both} lists the same on both nodes, the longest gap {}; 20 s ahead tokens of both nodes are taken by both, an hour \
             ahead `token_expired` or `token_not_yet_valid` at the other, and a refresh mends it; signed out at the other and Redis flushed, a token was refused {refused} times of {refused} there; once the clock is right again new prices are there after {}, and everybody is served after {}",
            seconds(gap),
            seconds(prices),
            seconds(usable),
        ),
    );
}
