//! The servers that tests start: they answer, they can be made to fail, and nothing of them outlives their owner.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::{
    env, fs,
    io::{BufRead, BufReader},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use coinlink_testkit::servers::{Launch, PrivatePostgres, PrivateRedis};

/// Set for the process that this test starts of itself, to be killed.
const VICTIM: &str = "COINLINK_TESTKIT_VICTIM";

fn is_running(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, state)| !state.starts_with('Z'))
}

fn is_answering(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}

fn eventually(what: &str, holds: impl Fn() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < Duration::from_secs(20), "still not: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn directory_of(pid: u32) -> String {
    fs::read_link(format!("/proc/{pid}/cwd")).unwrap().to_string_lossy().into_owned()
}

#[tokio::test]
async fn a_dropped_server_is_gone_with_its_directory() {
    let server = PrivateRedis::start().await;
    let (pid, directory) = (server.pid(), directory_of(server.pid()));
    assert!(is_running(pid) && Path::new(&directory).is_dir());
    drop(server);
    assert!(!is_running(pid));
    assert!(!Path::new(&directory).exists());
}

#[tokio::test]
async fn a_panicking_test_leaves_no_server() {
    let test = tokio::spawn(async {
        let server = PrivateRedis::start().await;
        std::panic::panic_any((server.pid(), server.address().port));
    });
    let (pid, port) = *test.await.unwrap_err().into_panic().downcast::<(u32, u16)>().unwrap();
    assert!(!is_running(pid) && !is_answering(port));
}

#[tokio::test]
async fn no_server_runs_as_root() {
    let (postgres, redis) = (PrivatePostgres::start().await, PrivateRedis::start().await);
    for pid in [postgres.pid(), redis.pid()] {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let uids = status.lines().find(|line| line.starts_with("Uid:")).unwrap();
        assert!(uids.split_whitespace().skip(1).all(|uid| uid != "0"), "{uids}");
    }
}

#[tokio::test]
async fn redis_comes_back_at_the_same_port_and_forgets_unless_it_is_persistent() {
    for (mut server, kept) in [(PrivateRedis::start().await, "0"), (PrivateRedis::persistent().await, "1")] {
        let url = server.url();
        server.ask(&["SET", "key", "value"]);
        server.kill();
        assert!(!is_answering(server.address().port));
        server.start_again().await;
        assert_eq!((server.url(), server.ask(&["EXISTS", "key"])), (url, kept.to_owned()));
        server.flush();
        assert_eq!(server.ask(&["DBSIZE"]), "0");
        server.stop().await;
        assert!(!is_answering(server.address().port));
        server.start_again().await;
    }
}

#[tokio::test]
async fn a_frozen_server_can_be_thawed_stopped_and_started_again() {
    let mut server = PrivatePostgres::durable().await;
    let (pid, url) = (server.pid(), server.url());
    server.freeze();
    eventually("frozen", || fs::read_to_string(format!("/proc/{pid}/stat")).unwrap().contains(") T "));
    server.thaw();
    eventually("thawed", || !fs::read_to_string(format!("/proc/{pid}/stat")).unwrap().contains(") T "));
    server.freeze();
    server.stop().await;
    assert!(!is_running(pid));
    server.start_again().await;
    assert_eq!(server.url(), url);
    server.kill();
    server.start_again().await;
    assert!(is_answering(server.address().port));
}

#[tokio::test]
async fn a_program_is_started_with_only_what_it_was_given() {
    let script = "trap 'echo bye; exit 3' TERM; echo \"$GREETING, ${HOME-homeless}\"; while :; do sleep 0.05; done";
    let mut process = Launch::new("/bin/sh").args(["-c", script]).env("GREETING", "hello").start();
    process.wait_for_log("hello, homeless\n", Duration::from_secs(10)).await;
    process.terminate();
    assert_eq!(process.wait().await.code(), Some(3));
    assert!(process.log().ends_with("bye\n"));
    process.start_again();
    process.wait_for_log("bye\nhello", Duration::from_secs(10)).await;
}

/// Not a test of its own: what [`a_killed_test_process_leaves_nothing`] starts in another process, and kills.
#[tokio::test]
async fn the_victim_of_another_test() {
    if env::var_os(VICTIM).is_none() {
        return;
    }
    let (postgres, redis) = (PrivatePostgres::start().await, PrivateRedis::start().await);
    let program = Launch::new("/bin/sleep").args(["600"]).start();
    postgres.freeze();
    eprintln!("started {} {} {}", postgres.pid(), redis.pid(), program.pid());
    std::future::pending::<()>().await;
}

fn start_victim() -> (Child, Vec<u32>) {
    let mut victim = Command::new(env::current_exe().unwrap())
        .args(["--exact", "fault_servers::the_victim_of_another_test", "--nocapture"])
        .env(VICTIM, "1")
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let output = BufReader::new(victim.stderr.take().unwrap());
    let line = output.lines().map_while(Result::ok).find(|line| line.starts_with("started ")).unwrap();
    (victim, line.split(' ').skip(1).map(|pid| pid.parse().unwrap()).collect())
}

#[test]
fn a_killed_test_process_leaves_nothing() {
    let (mut victim, pids) = start_victim();
    assert_eq!(pids.len(), 3);
    assert!(pids.iter().all(|&pid| is_running(pid)));
    let directories: Vec<_> = pids.iter().map(|&pid| directory_of(pid)).collect();
    victim.kill().unwrap();
    victim.wait().unwrap();
    for (pid, directory) in pids.into_iter().zip(directories) {
        eventually("the server is gone", || !is_running(pid));
        eventually("its directory is gone", || !Path::new(&directory).exists());
    }
}
