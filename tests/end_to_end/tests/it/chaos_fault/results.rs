//! What was measured, as rows of a page.

use std::{
    env,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

/// A row of the table of faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fault {
    /// What happens.
    pub name: &'static str,
    /// How it is made to happen.
    pub how: &'static str,
    /// What must hold.
    pub promised: &'static str,
    /// The tests of it: `just chaos <this>`.
    pub tests: &'static str,
}

macro_rules! faults {
    ($($constant:ident $tests:literal $name:literal $how:literal $promised:literal;)*) => {
        $(pub(super) const $constant: Fault = Fault { name: $name, how: $how, promised: $promised, tests: $tests };)*
        /// The table, in the order it is shown.
        pub(super) const FAULTS: &[Fault] = &[$($constant),*];
    };
}

faults! {
    API_KILLED "api_killed" "API process killed" "`kill -9` while clients write, restarted by what supervises it; five times"
        "ready within 10 s, no acknowledged write lost";
    DATABASE_STOPPED "database_stopped" "database stopped, then started" "a PostgreSQL of its own"
        "503 with trace id within the time-outs (1 s for a connection, 2 s for a statement, 1 s for the machine), recovers within 10 s, no restart";
    DATABASE_HANGS "database_hangs" "database hangs" "SIGSTOP to every process of PostgreSQL, 60 requests at once"
        "the same; routes without the database answer, the ticker keeps flowing";
    REDIS_STOPPED "redis_stopped" "Redis stopped, then started empty" "a Redis of its own"
        "the limiter falls back, no revoked token is revived, sockets get frames marked stale, recovers within 10 s";
    REDIS_HANGS "redis_hangs" "Redis hangs" "SIGSTOP" "the same";
    REDIS_FLUSHED "redis_flushed" "Redis flushed" "`FLUSHALL`" "the same";
    PARTITION_CUT "partition_cut" "network to the database cut" "a TCP relay that closes and refuses connections" "503 in time, recovers within 10 s";
    PARTITION_SILENT "partition_silent" "network to the database drops packets" "a TCP relay that passes nothing on, then everything"
        "503 in time, recovers within 10 s";
    PARTITION_FORGETS "partition_forgets" "the same, and old connections never come back" "a TCP relay that passes on new connections alone"
        "503 in time, recovers within 10 s";
    DISK_FULL "disk_full" "disk full" "a file system of 24 MiB in memory, with the data and the log of `coinlink dev`"
        "serves what it can, a clear error for the rest, recovers within 10 s once there is room";
    CLOCK_AHEAD "clock_ahead" "clock +1 h on one of two nodes, then back" "libfaketime, while it runs and leads"
        "no crash, tokens judged with 30 s of leeway, one leader and one story";
    REDIS_FULL "redis_full" "Redis out of memory" "`maxmemory 1mb`, `noeviction`" "degrades as without Redis, recovers within 10 s";
    LEADER_KILLED "leader_killed" "two nodes, leader killed" "`kill -9`" "ticker gap of lease + 1 tick (11 s) at most, no (epoch, seq) twice";
    TERMINATED "terminated_under_load" "SIGTERM under load" "24 clients that do not pause, 100 sockets"
        "no failed request in flight, sockets closed with a retry hint, exit within 15 s";
}

const HEAD: &str = "\
# Faults, and what was measured

Written by `just chaos`, which makes each fault happen to the real binary (a debug build) on servers of its own, and fails where a promise does not hold.
Times are of the machine it last ran on. One row again: `just chaos <tests>`.

| fault | how | promised | measured | command |
|---|---|---|---|---|
";

fn row(fault: &Fault, measured: &str) -> String {
    let Fault { name, how, promised, tests } = fault;
    format!("| {name} | {how} | {promised} | {measured} | `just chaos {tests}` |")
}

/// The page with this row new, and the others as they were.
fn with_row(page: &str, fault: &Fault, measured: &str) -> String {
    let mut whole = HEAD.to_owned();
    for known in FAULTS {
        let kept = page.lines().find(|line| line.starts_with(&format!("| {} |", known.name)));
        let line = if known == fault { Some(row(fault, measured)) } else { kept.map(str::to_owned) };
        if let Some(line) = line {
            let _ = writeln!(whole, "{line}");
        }
    }
    // What others wrote below the table stays.
    whole + page.find("\n## ").map_or("", |begin| &page[begin..])
}

/// Says what was measured, and writes it into the page that `CHAOS_RESULTS` names, from the workspace's root. One test runs at a time.
pub(super) fn held(fault: &Fault, measured: &str) {
    eprintln!("{}: {measured}", fault.name);
    if let Some(page) = env::var_os("CHAOS_RESULTS").map(|path| root().join(path)) {
        let was = fs::read_to_string(&page).unwrap_or_default();
        fs::write(&page, with_row(&was, fault, measured)).expect("the page of results");
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("tests/end_to_end").to_owned()
}

/// For people: `0.42 s`.
pub(super) fn seconds(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}

#[test]
fn the_page_of_results_has_a_row_for_every_fault_and_each_was_measured() {
    let page = fs::read_to_string(root().join("docs/runbooks/chaos-results.md")).unwrap();
    for fault in FAULTS {
        let line = page.lines().find(|line| line.starts_with(&format!("| {} |", fault.name)));
        let cells: Vec<_> = line.unwrap_or_else(|| panic!("no row: {}", fault.name)).split(" | ").collect();
        assert!(cells.len() == 5 && cells[3].contains(char::is_numeric), "{cells:?}");
        assert_eq!(page, with_row(&page, fault, cells[3]), "what the table says of it is old: `just chaos {}`", fault.tests);
    }
}
