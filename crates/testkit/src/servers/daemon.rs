//! One server process, its directory and its watchdog.

use std::{
    fs::{self, File},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::Instant,
};

use rustix::process::Signal;

use super::{
    LOOK, PATIENCE,
    account::Account,
    signals,
    watchdog::{self, Watchdog},
};

/// A directory of its own and the process that runs in it, if one does.
pub struct Daemon {
    directory: PathBuf,
    account: Option<Account>,
    running: Option<Child>,
    watchdog: Watchdog,
}

impl Daemon {
    /// Makes `directory`, given to `account`. Whatever happens to this process, it does not stay.
    pub(super) fn new(directory: PathBuf, account: Option<Account>) -> Self {
        fs::create_dir_all(&directory).unwrap_or_else(|e| panic!("{}: {e}", directory.display()));
        if let Some(account) = account {
            account.own(&directory);
        }
        let watchdog = Watchdog::new(&directory);
        Self { directory, account, running: None, watchdog }
    }

    /// A directory for one server of this process.
    pub(super) fn private_directory() -> PathBuf {
        std::env::temp_dir().join(format!("coinlink-test-{}", uuid::Uuid::now_v7().simple()))
    }

    /// Its own folder, which belongs to the account it runs as.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// What it has written so far.
    #[must_use]
    pub fn log(&self) -> String {
        let bytes = fs::read(self.log_path()).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn log_path(&self) -> PathBuf {
        self.directory.join("log")
    }

    /// A command that runs in the directory as the account.
    #[must_use]
    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.directory).stdin(Stdio::null());
        if let Some(account) = self.account {
            account.run(&mut command);
        }
        command
    }

    /// Starts `command` as the server; what it writes goes to the log.
    pub(super) fn start(&mut self, mut command: Command) {
        let log = File::options().create(true).append(true).open(self.log_path()).expect("a log in a directory of ours");
        command.stdout(log.try_clone().expect("a second handle of the log")).stderr(log).process_group(0);
        let child = command.spawn().unwrap_or_else(|e| panic!("{command:?}: {e}"));
        self.watchdog.watch(Some(child.id()));
        self.running = Some(child);
    }

    /// [`Self::start`], and whether it came up; if not, its port may have been taken by another.
    pub(super) async fn comes_up(&mut self, command: Command, is_ready: impl Fn(&Self) -> bool) -> bool {
        self.start(command);
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            if self.ended().is_some() {
                return false;
            }
            if is_ready(self) {
                return true;
            }
            tokio::time::sleep(LOOK).await;
        }
        panic!("it takes too long to start; its log:\n{}", self.log());
    }

    /// Asks it to end in its own way, and waits until it has.
    pub(super) async fn end(&mut self, signal: Signal) {
        self.thaw();
        self.signal(signal);
        self.wait().await;
    }

    /// The process id. Panics when it is stopped.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.running.as_ref().expect("it is stopped").id()
    }

    /// How it ended, if it has.
    pub(super) fn ended(&mut self) -> Option<ExitStatus> {
        let status = self.running.as_mut()?.try_wait().expect("a child of ours")?;
        self.running = None;
        self.watchdog.watch(None);
        Some(status)
    }

    /// Waits until it has ended by itself, up to [`PATIENCE`].
    pub(super) async fn wait(&mut self) -> ExitStatus {
        let started = Instant::now();
        loop {
            if let Some(status) = self.ended() {
                return status;
            }
            assert!(started.elapsed() < PATIENCE, "it does not end; its log:\n{}", self.log());
            tokio::time::sleep(LOOK).await;
        }
    }

    pub(super) fn signal(&self, signal: Signal) {
        signals::send(self.pid(), signal);
    }

    /// Stops it and its children where they are: connections stay open, new ones are accepted, nobody answers.
    pub fn freeze(&self) {
        signals::freeze(self.pid());
    }

    /// Lets them go on.
    pub fn thaw(&self) {
        signals::thaw(self.pid());
    }

    /// Ends it at once, as a crash would.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.running.take() {
            signals::kill(child.id());
            drop(child.wait());
            self.watchdog.watch(None);
        }
    }

    /// Leaves the process to run for as long as the process `owner` does.
    pub(super) fn leave_to(mut self, owner: u32) {
        watchdog::watch_for(owner, &self.directory, self.pid());
        self.watchdog.leave();
        self.running = None;
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.kill();
    }
}
