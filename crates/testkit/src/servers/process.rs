//! A program of ours as a child process, with its log kept and its life tied to the test's.

use std::{
    env,
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
    process::ExitStatus,
    time::{Duration, Instant},
};

use rustix::process::Signal;

use super::{LOOK, daemon::Daemon, http};

/// The program `name` that the workspace's build put beside the tests; `COINLINK_BIN_DIR` names another folder.
#[must_use]
pub fn built_binary(name: &str) -> PathBuf {
    let folder = env::var_os("COINLINK_BIN_DIR").map_or_else(
        || env::current_exe().expect("our own path").ancestors().nth(2).expect("target/<profile>/deps/<test>").to_owned(),
        PathBuf::from,
    );
    let path = folder.join(name);
    assert!(path.is_file(), "{} is missing: run `cargo build --bin {name}` first, or `bash tests/run`", path.display());
    path
}

/// A program to start: its arguments and the whole of its environment.
pub struct Launch {
    program: PathBuf,
    arguments: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
}

impl Launch {
    /// `program` with nothing of the test's environment but `PATH`, in an empty directory of its own.
    #[must_use]
    pub fn new(program: impl Into<PathBuf>) -> Self {
        let path = env::var_os("PATH").unwrap_or_default();
        Self { program: program.into(), arguments: Vec::new(), environment: vec![("PATH".into(), path)] }
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<A: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.arguments.extend(arguments.into_iter().map(|argument| argument.as_ref().to_owned()));
        self
    }

    /// Sets one variable of its environment.
    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.environment.push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// Starts it.
    #[must_use]
    pub fn start(self) -> Process {
        let mut process = Process { daemon: Daemon::new(Daemon::private_directory(), None), launch: self };
        process.start_again();
        process
    }
}

/// A running program. Dropped, it is killed; so it is when the test dies.
pub struct Process {
    daemon: Daemon,
    launch: Launch,
}

impl Process {
    /// Starts it again after it ended, in the same directory, with the same arguments and environment.
    pub fn start_again(&mut self) {
        let mut command = self.daemon.command(&self.launch.program);
        command.args(&self.launch.arguments).env_clear().envs(self.launch.environment.iter().map(|(name, value)| (name, value)));
        self.daemon.start(command);
    }

    /// Its working directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.daemon.directory()
    }

    /// What it has written to standard output and error so far.
    #[must_use]
    pub fn log(&self) -> String {
        self.daemon.log()
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.daemon.pid()
    }

    /// Waits until a `GET` of `url` is answered with 200; panics with the log when it ends first or `within` is over.
    pub async fn wait_for(&mut self, url: &str, within: Duration) {
        let started = Instant::now();
        while http::status(url).await != Some(200) {
            if let Some(status) = self.daemon.ended() {
                panic!("it ended with {status} before {url} answered; its log:\n{}", self.log());
            }
            assert!(started.elapsed() < within, "{url} does not answer within {within:?}; its log:\n{}", self.log());
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Waits until its log holds `text`; panics with the log when it ends first or `within` is over.
    pub async fn wait_for_log(&mut self, text: &str, within: Duration) {
        let started = Instant::now();
        while !self.log().contains(text) {
            let ended = self.daemon.ended().is_some();
            assert!(self.log().contains(text) || !ended && started.elapsed() < within, "no {text:?} in its log:\n{}", self.log());
            tokio::time::sleep(LOOK).await;
        }
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.daemon.ended()
    }

    /// Waits until it has ended by itself.
    pub async fn wait(&mut self) -> ExitStatus {
        self.daemon.wait().await
    }

    /// Asks it to end (SIGTERM).
    pub fn terminate(&self) {
        self.daemon.signal(Signal::TERM);
    }

    /// Interrupts it, as Ctrl-C does (SIGINT).
    pub fn interrupt(&self) {
        self.daemon.signal(Signal::INT);
    }

    /// Kills it (SIGKILL).
    pub fn kill(&mut self) {
        self.daemon.kill();
    }

    /// Stops it where it is (SIGSTOP).
    pub fn freeze(&self) {
        self.daemon.freeze();
    }

    /// Lets it go on (SIGCONT).
    pub fn thaw(&self) {
        self.daemon.thaw();
    }
}
