//! The disk of the embedded store and of the log is full, until somebody makes room.

use std::{
    fs::{self, File},
    io::Write as _,
    path::PathBuf,
    process::Command,
    time::{Duration, Instant},
};

use coinlink_end_to_end_tests::{Answer, Api, Node, PASSWORD, UNLIMITED, eventually, not_tested, somebody};
use serde_json::json;
use tokio::time::sleep;

use super::{
    results::{DISK_FULL, held, seconds},
    scene::{ANSWERED_WITHIN, PRICE, PROFILE, RECOVERS_WITHIN, SOON, user_of},
    watch::{Watch, longest},
};

const FULL_FOR: Duration = Duration::from_secs(6);
/// A file system that is there for one process alone, and goes with it: its data and its log.
const ROOM: &str = "mkdir full && mount -t tmpfs -o size=24m tmpfs full && exec \"$@\" >>full/log 2>&1";

/// What gives a process mounts of its own; somebody who is not root is made root of nothing else for that.
fn own_mounts() -> [&'static str; 4] {
    let root = fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
    ["unshare", if root { "-m" } else { "-rm" }, "sh", "-c"]
}

fn may_mount() -> bool {
    let [program, rest @ ..] = own_mounts();
    let folder = tempfile::tempdir().unwrap();
    let tried = Command::new(program).args(rest).args([ROOM, "sh", "true"]).current_dir(folder.path()).status();
    tried.is_ok_and(|status| status.success())
}

/// The full file system, as its process sees it.
fn room(node: &Node) -> PathBuf {
    let folder = node.process.directory().strip_prefix("/").unwrap().join("full");
    PathBuf::from(format!("/proc/{}/root", node.process.pid())).join(folder)
}

/// Takes every byte that is left.
fn fill(node: &Node) {
    let mut file = File::options().create(true).append(true).open(room(node).join("filler")).unwrap();
    for size in [64 * 1024, 4 * 1024, 1] {
        while file.write_all(&vec![0; size]).is_ok() {}
    }
}

async fn sign_up(api: &Api) -> Answer {
    api.post("/api/v2/auth/signup", &json!({"email": somebody(), "password": PASSWORD})).await
}

#[tokio::test(flavor = "multi_thread")]
async fn disk_full_stops_what_is_to_be_stored_and_nothing_else() {
    if !may_mount() {
        return not_tested("disk", "no file system can be mounted here (neither root nor user namespaces), so none is full");
    }
    let settings = [&UNLIMITED[..], &[("DATA_DIR", "full/data"), ("TICKER_INTERVAL_MS", "500"), ("LOG_FORMAT", "json")]].concat();
    let node = Node::dev_under(&[&own_mounts()[..], &[ROOM, "sh"]].concat(), &["--feed", "simulated"], &settings).await;
    eventually("prices", SOON, async || node.get(PRICE).await.0 == 200).await;
    let log = || String::from_utf8_lossy(&fs::read(room(&node).join("log")).unwrap()).into_owned();
    let (api, email, user) = user_of(&node).await;
    let (profile, price) = (Watch::of(&api, Some(&user.access), PROFILE), Watch::of(&api, None, PRICE));
    let pid = node.process.pid();

    let full = Instant::now();
    let (mut refused, mut stored, mut slowest) = (Vec::new(), 0, Duration::ZERO);
    while full.elapsed() < FULL_FOR || refused.len() < 5 {
        // The store gives room back as it tidies up; the log takes some.
        fill(&node);
        let asked = Instant::now();
        let answer = sign_up(&api).await;
        slowest = slowest.max(asked.elapsed());
        if answer.status == 201 {
            stored += 1;
        } else {
            refused.push(answer);
        }
        assert!(full.elapsed() < FULL_FOR * 4, "{stored} accounts fit on a full disk");
        sleep(Duration::from_millis(100)).await;
    }
    for answer in &refused {
        assert_eq!((answer.status, answer.code()), (503, "dependency_unavailable"), "{}", answer.text);
        assert_eq!(answer.json["error"]["trace_id"], answer.header("x-trace-id"));
    }
    assert!(slowest < ANSWERED_WITHIN + Duration::from_secs(2), "{slowest:?} with the hash");
    assert_eq!(node.get("/livez").await.0, 200);
    let silent_at = log().len();

    fs::remove_file(room(&node).join("filler")).unwrap();
    let back = Instant::now();
    // Every connection to the store has to work, and what was stored has to be there: not one lucky answer.
    let (mut good, mut recovered) = (0, Duration::ZERO);
    while good < 4 {
        let signed_up = sign_up(&api).await.status == 201;
        let credentials = json!({"email": email, "password": PASSWORD});
        let signed_in = api.post("/api/v2/auth/login", &credentials).await.status == 200;
        good = if signed_up && signed_in { good + 1 } else { 0 };
        if good == 1 {
            recovered = back.elapsed();
        }
        assert!(good > 0 || back.elapsed() < RECOVERS_WITHIN, "not stored again:\n{}", log());
    }
    assert!(recovered < RECOVERS_WITHIN, "{recovered:?}");
    eventually("it logs again", RECOVERS_WITHIN, async || log().len() > silent_at).await;

    for (what, seen) in [("profile", profile.between(full, back)), ("price", price.between(full, back))] {
        let failed: Vec<_> = seen.iter().filter(|seen| seen.status() != 200).collect();
        assert!(failed.is_empty() && longest(&seen) < ANSWERED_WITHIN, "{what}: {failed:?}");
    }
    let log = log();
    assert!(!log.contains("panicked"), "{log}");
    assert_eq!(node.process.pid(), pid);
    held(
        &DISK_FULL,
        &format!(
            "prices and what is stored are served meanwhile (profile within {}); writes are 503 with trace id within {}, hashing included; stored again {} \
             after there is room, and logged again",
            seconds(longest(&profile.between(full, back))),
            seconds(slowest),
            seconds(recovered),
        ),
    );
}
