//! Signals to a process and to its children.

use std::{fs, process::Command};

use rustix::process::{Pid, Signal, kill_process};

/// Sends `signal`; a process that is already gone is none to tell.
pub(super) fn send(process: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(process).ok().and_then(Pid::from_raw) {
        let _gone = kill_process(pid, signal);
    }
}

/// Stops `process` and all its children where they are. The parent first, so that it starts no more of them.
pub(super) fn freeze(process: u32) {
    send(process, Signal::STOP);
    for child in children(process) {
        send(child, Signal::STOP);
    }
}

/// Lets them go on.
pub(super) fn thaw(process: u32) {
    for child in children(process) {
        send(child, Signal::CONT);
    }
    send(process, Signal::CONT);
}

/// Kills `process` and all its children.
pub(super) fn kill(process: u32) {
    send(process, Signal::STOP);
    for child in children(process).into_iter().chain([process]) {
        send(child, Signal::KILL);
    }
}

fn children(parent: u32) -> Vec<u32> {
    let table = process_table();
    table.into_iter().filter(|&(_, of)| of == parent).map(|(process, _)| process).collect()
}

/// Every process and its parent: from `/proc`, which needs no program, else from `ps`.
fn process_table() -> Vec<(u32, u32)> {
    let Ok(entries) = fs::read_dir("/proc") else {
        let listing = Command::new("ps").args(["-A", "-o", "pid=,ppid="]).output().expect("ps");
        return String::from_utf8_lossy(&listing.stdout).lines().filter_map(pair).collect();
    };
    let stats = entries.flatten().filter_map(|entry| fs::read_to_string(entry.path().join("stat")).ok());
    stats.filter_map(|stat| stat_pair(&stat)).collect()
}

fn pair(line: &str) -> Option<(u32, u32)> {
    let mut numbers = line.split_whitespace().map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

/// `pid (name) state ppid …`, where the name may hold anything, so the last parenthesis ends it (`proc_pid_stat(5)`).
fn stat_pair(stat: &str) -> Option<(u32, u32)> {
    let (process, rest) = stat.split_once(" (")?;
    let (_, after) = rest.rsplit_once(") ")?;
    Some((process.parse().ok()?, after.split(' ').nth(1)?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_and_spaces_does_not_hide_the_parent() {
        assert_eq!(stat_pair("42 (a) b (c)) S 7 42 42 0"), Some((42, 7)));
        assert_eq!(stat_pair("nonsense"), None);
    }

    #[test]
    fn our_own_children_are_found() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        assert!(children(std::process::id()).contains(&child.id()));
        kill(child.id());
        assert!(!child.wait().unwrap().success());
    }
}
