//! A shell that outlives the test process to end the server it watches and to remove its directory.

use std::{
    env,
    io::Write,
    os::unix::process::{CommandExt, parent_id},
    path::Path,
    process::{Child, Command, Stdio},
};

/// Waits until its owner is gone, then kills the process it was told of, its children (PostgreSQL's are in sessions of
/// their own, and a frozen one cannot see its parent die) and removes the directory.
/// `$1` directory; `$2` the run's process id, or nothing; `$3` the process to end with the run, or nothing: then standard
/// input tells which one, and ends when the test process does. A killed run leaves its tests behind; what they started
/// ends nevertheless.
const SCRIPT: &str = r#"
trap : HUP INT TERM
directory=$1 run=$2 watched=$3 poll=
until_the_run_ends() {
    while kill -0 "$run" 2>/dev/null; do sleep 0.2; done
}
if [ -n "$watched" ]; then
    until_the_run_ends
else
    if [ -n "$run" ]; then
        { until_the_run_ends; kill -s TERM $$; } &
        poll=$!
    fi
    while read -r line; do
        watched=$line
        [ "$line" != leave ] || break
    done
    [ -z "$poll" ] || kill -s KILL "$poll"
    [ "$watched" != leave ] || exit 0
fi
children_of() {
    if [ -r /proc/self/stat ]; then
        for stat in /proc/[0-9]*/stat; do
            { read -r process _ _ parent _ <"$stat"; } 2>/dev/null && [ "$parent" = "$1" ] && echo "$process"
        done
    else
        ps -A -o pid=,ppid= | while read -r process parent; do [ "$parent" = "$1" ] && echo "$process"; done
    fi
}
if [ -n "$watched" ]; then
    kill -s STOP "$watched" 2>/dev/null
    kill -s KILL $(children_of "$watched") "$watched" 2>/dev/null
fi
n=0
until rm -rf "$directory" "$directory".* 2>/dev/null || [ $n -ge 50 ]; do n=$((n + 1)); sleep 0.1; done
rmdir "$(dirname "$directory")" 2>/dev/null
exit 0
"#;

/// Watches for this process. Dropped, it ends what it watches at once, and waits for that.
pub(super) struct Watchdog {
    shell: Child,
}

impl Watchdog {
    pub(super) fn new(directory: &Path) -> Self {
        let run = run().map(|id| id.to_string()).unwrap_or_default();
        Self { shell: shell(directory, &run, "", Stdio::piped()) }
    }

    /// From now on this is the process to end; `None`: there is none, its id may be another's by now.
    pub(super) fn watch(&mut self, process: Option<u32>) {
        self.tell(&process.map(|id| id.to_string()).unwrap_or_default());
    }

    /// Another watches from now on.
    pub(super) fn leave(&mut self) {
        self.tell("leave");
    }

    fn tell(&mut self, line: &str) {
        let pipe = self.shell.stdin.as_mut().expect("the watchdog was started with a pipe");
        writeln!(pipe, "{line}").expect("the watchdog reads until this process ends");
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        drop(self.shell.wait());
    }
}

/// The `cargo nextest` run this process is a test of, by its process id: each test is a child of the runner.
pub(super) fn run() -> Option<u32> {
    env::var_os("NEXTEST_RUN_ID").map(|_| parent_id())
}

/// Ends `process` and removes `directory` once the run is gone.
#[expect(clippy::zombie_processes, reason = "it outlives this process")]
pub(super) fn watch_for(run: u32, directory: &Path, process: u32) {
    shell(directory, &run.to_string(), &process.to_string(), Stdio::null());
}

fn shell(directory: &Path, run: &str, watched: &str, stdin: Stdio) -> Child {
    // A process group of its own: what ends a test together with its group leaves the shell to do its work. No pipe of
    // the test's is inherited: a runner would wait for it to close.
    Command::new("/bin/sh")
        .args(["-c", SCRIPT, "watchdog"])
        .arg(directory)
        .args([run, watched])
        .stdin(stdin)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .current_dir("/")
        .process_group(0)
        .spawn()
        .expect("/bin/sh")
}
