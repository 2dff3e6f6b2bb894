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
    /// The figures of it: what stands before each where it was measured, and the most that it may be.
    pub figures: &'static [(&'static str, u32)],
    /// The tests of it: `just chaos <this>`.
    pub tests: &'static str,
}

macro_rules! faults {
    ($($constant:ident $tests:literal $name:literal $how:literal $promised:expr, [$($figure:literal $most:expr),*];)*) => {
        $(pub(super) const $constant: Fault =
            Fault { name: $name, how: $how, promised: $promised, figures: &[$(($figure, $most)),*], tests: $tests };)*
        /// The table, in the order it is shown.
        pub(super) const FAULTS: &[Fault] = &[$($constant),*];
    };
}

macro_rules! take_over_secs {
    () => {
        12
    };
}

/// The lease, one tick, and a second for the machine.
pub(super) const TAKE_OVER: Duration = Duration::from_secs(take_over_secs!());

faults! {
    API_KILLED "api_killed" "API process killed" "`kill -9` while clients write, restarted by what supervises it; five times"
        "ready within 10 s, no acknowledged write lost", ["ready after " 10, "were acknowledged, " 0];
    DATABASE_STOPPED "database_stopped" "database stopped, then started" "a PostgreSQL of its own"
        "503 with trace id within the time-outs (1 s for a connection, 2 s for a statement, 1 s for the machine), recovers within 10 s, no restart",
        ["trace id within " 4, "recovered after " 10, "ready after " 10];
    DATABASE_HANGS "database_hangs" "database hangs" "SIGSTOP to every process of PostgreSQL, 60 requests at once"
        "the same; routes without the database answer, the ticker keeps flowing",
        ["trace id within " 4, "recovered after " 10, "ready after " 10];
    REDIS_STOPPED "redis_stopped" "Redis stopped, then started empty" "a Redis of its own"
        "the limiter falls back, no revoked token is revived, sockets get frames marked stale, recovers within 10 s",
        ["fresh lists after " 10, "counted together after " 10];
    REDIS_HANGS "redis_hangs" "Redis hangs" "SIGSTOP" "the same", ["fresh lists after " 10, "counted together after " 10];
    REDIS_FLUSHED "redis_flushed" "Redis flushed" "`FLUSHALL`" "the same", ["fresh lists after " 10, "counted together after " 10];
    PARTITION_CUT "partition_cut" "network to the database cut" "a TCP relay that closes and refuses connections" "503 in time, recovers within 10 s",
        ["503 within " 4, "recovered after " 10, "ready after " 10];
    PARTITION_SILENT "partition_silent" "network to the database drops packets" "a TCP relay that passes nothing on, then everything"
        "503 in time, recovers within 10 s", ["503 within " 4, "recovered after " 10, "ready after " 10];
    PARTITION_FORGETS "partition_forgets" "the same, and old connections never come back" "a TCP relay that passes on new connections alone"
        "503 in time, recovers within 10 s", ["503 within " 4, "recovered after " 10, "ready after " 10];
    DISK_FULL "disk_full" "disk full" "a file system of 24 MiB in memory, with the data and the log of `coinlink dev`"
        "serves what it can, a clear error for the rest, recovers within 10 s once there is room", ["stored again " 10];
    CLOCK_AHEAD "clock_ahead" "clock +1 h on one of two nodes, then back" "libfaketime, while it runs and leads"
        "no crash, tokens judged with 60 s of leeway, one leader and one story, a flushed Redis revives no session there", [];
    REDIS_FULL "redis_full" "Redis out of memory" "`maxmemory 1mb`, `noeviction`" "degrades as without Redis, recovers within 10 s",
        ["fresh lists after " 10, "counted together after " 10];
    LEADER_KILLED "leader_killed" "two nodes, leader killed" "`kill -9`"
        concat!("ticker gap of lease + 1 tick and a second for the machine (", take_over_secs!(), " s) at most, no (epoch, seq) twice"), ["the longest gap was " take_over_secs!()];
    TERMINATED "terminated_under_load" "SIGTERM under load" "24 clients that do not pause, 100 sockets"
        "no failed request in flight, sockets closed with a retry hint, exit within 15 s", ["after SIGTERM, " 0, "gone after " 15];
}

const HEAD: &str = "\
# Faults, and what was measured

Written by `just chaos`, which makes each fault happen to the real binary (a debug build) on servers of its own, and fails where a promise does not hold.
Times are of the machine it last ran on. One row again: `just chaos <tests>`.

| fault | how | promised | measured | command |
|---|---|---|---|---|
";

fn row(fault: &Fault, measured: &str) -> String {
    let Fault { name, how, promised, tests, .. } = fault;
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

/// The number that stands after these words.
fn figure(measured: &str, words: &str) -> Option<f64> {
    let (_, rest) = measured.split_once(words)?;
    let end = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(rest.len());
    rest[..end].parse().ok()
}

/// The figures that are missing, or more than was promised.
fn broken(fault: &Fault, measured: &str) -> Vec<&'static str> {
    let holds = |words: &str, most: u32| figure(measured, words).is_some_and(|figure| figure <= f64::from(most));
    fault.figures.iter().filter(|(words, most)| !holds(words, *most)).map(|(words, _)| *words).collect()
}

/// Says what was measured, holds its figures against the promise, and writes it into the page that `CHAOS_RESULTS` names, from the workspace's root. One test runs at a time.
pub(super) fn held(fault: &Fault, measured: &str) {
    eprintln!("{}: {measured}", fault.name);
    assert_eq!(broken(fault, measured), [""; 0], "{measured}");
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
        assert_eq!(broken(fault, cells[3]), [""; 0], "{}: {}", fault.name, cells[3]);
        assert_eq!(page, with_row(&page, fault, cells[3]), "what the table says of it is old: `just chaos {}`", fault.tests);
    }
}

#[test]
fn a_figure_that_is_missing_or_more_than_promised_is_named() {
    let text = "ready after 9.99 s at most; 5 accounts and 83 alert rules were acknowledged, 0 of them lost";
    assert_eq!(broken(&API_KILLED, text), [""; 0]);
    assert_eq!(broken(&API_KILLED, &text.replace("9.99", "10.01")), ["ready after "]);
    assert_eq!(broken(&API_KILLED, &text.replace(", 0 of", ", 1 of")), ["were acknowledged, "]);
    assert_eq!(broken(&API_KILLED, "7 times"), ["ready after ", "were acknowledged, "]);
    assert_eq!(broken(&API_KILLED, "ready after all, were acknowledged, 0"), ["ready after "]);
    assert_eq!(broken(&LEADER_KILLED, "the longest gap was 12.01 s"), ["the longest gap was "]);
}
