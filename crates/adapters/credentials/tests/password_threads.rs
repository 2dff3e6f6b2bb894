//! In a process of its own, because it counts the process's threads.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::fs;

use coinlink_credentials::{BcryptPool, HashSettings};
use coinlink_domain::identity::Password;
use coinlink_ports::identity::PasswordHasher as _;
use time::Duration;

/// The nice value in a thread's `stat`: its 19th field; the name, which may hold spaces, is the second.
fn nice(stat: &str) -> i64 {
    stat.rsplit_once(')').unwrap().1.split_whitespace().nth(16).unwrap().parse().unwrap()
}

/// That of each thread that hashes.
fn priorities() -> Vec<i64> {
    let tasks = fs::read_dir("/proc/self/task").unwrap().map(|task| task.unwrap().path());
    let ours = tasks.filter(|task| fs::read_to_string(task.join("comm")).is_ok_and(|name| name.starts_with("bcrypt-")));
    ours.map(|task| nice(&fs::read_to_string(task.join("stat")).unwrap())).collect()
}

#[tokio::test]
async fn the_threads_stand_back_and_none_remains_when_the_pool_is_dropped() {
    assert_eq!(priorities(), Vec::<i64>::new());
    let pepper = "a pepper of at least thirty-two bytes".into();
    let settings = HashSettings { pepper, cost: 10, threads: 3, queue: 9, deadline: Duration::seconds(60) };
    let pool = BcryptPool::start(settings, |_| {}).unwrap();
    let password = Password::new("x".into());
    // Three that hash and one that waits, so that each thread has begun.
    let (a, b, c, d) = tokio::join!(pool.hash(&password), pool.hash(&password), pool.hash(&password), pool.hash(&password));
    assert!([a, b, c, d].iter().all(Result::is_ok));
    let lowered = (nice(&fs::read_to_string("/proc/thread-self/stat").unwrap()) + 10).min(19);
    assert_eq!(priorities(), [lowered; 3], "and the thread that asked keeps its own");
    drop(pool);
    assert_eq!(priorities(), Vec::<i64>::new());
}
