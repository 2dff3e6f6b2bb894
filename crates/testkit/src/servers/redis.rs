use std::{
    path::{Path, PathBuf},
    time::Instant,
};

use rustix::process::Signal;

use super::{LOOK, PATIENCE, account::Account, daemon::Daemon, port::free_port, programs, resp};

/// Where a test server listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RedisAddress {
    /// On 127.0.0.1.
    pub port: u16,
}

impl RedisAddress {
    /// Its URL.
    #[must_use]
    pub fn url(self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// A prefix for keys and topics that no other test of a shared server has.
    #[must_use]
    pub fn fresh_prefix(self) -> String {
        format!("test:{}:", uuid::Uuid::now_v7().simple())
    }
}

/// A Redis server of one test, for it to stop, kill, freeze and flush.
pub struct PrivateRedis {
    daemon: Daemon,
    program: PathBuf,
    address: RedisAddress,
    persistent: bool,
}

impl PrivateRedis {
    /// Starts one that keeps everything in memory only.
    pub async fn start() -> Self {
        Self::start_in(Daemon::private_directory(), false).await
    }

    /// Starts one that has every write on disk before it answers, so that a restart finds it.
    pub async fn persistent() -> Self {
        Self::start_in(Daemon::private_directory(), true).await
    }

    pub(super) async fn start_in(directory: PathBuf, persistent: bool) -> Self {
        let program = programs::redis_server();
        let daemon = Daemon::new(directory, Account::for_server("redis"));
        let mut server = Self { daemon, program, address: RedisAddress { port: free_port() }, persistent };
        for _ in 0..5 {
            if server.launch().await {
                return server;
            }
            server.address.port = free_port();
        }
        panic!("Redis does not start; its log:\n{}", server.daemon.log());
    }

    /// Whether it came up; if not, its port may have been taken by another.
    async fn launch(&mut self) -> bool {
        let mut command = self.daemon.command(&self.program);
        let port = self.address.port.to_string();
        command.args(["--port", &port, "--bind", "127.0.0.1", "--daemonize", "no", "--save", ""]);
        if self.persistent {
            command.args(["--appendonly", "yes", "--appendfsync", "always"]);
        }
        self.daemon.start(command);
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            if self.daemon.ended().is_some() {
                return false;
            }
            if self.is_ready() {
                return true;
            }
            tokio::time::sleep(LOOK).await;
        }
        panic!("Redis takes too long to start; its log:\n{}", self.daemon.log());
    }

    /// Whether it is this process that answers at the port, and has read its file.
    fn is_ready(&self) -> bool {
        let ours = format!("process_id:{}\r\n", self.daemon.pid());
        resp::ask(self.address.port, &["INFO", "server"]).is_ok_and(|info| info.contains(&ours))
    }

    /// Its URL; the same after each restart.
    #[must_use]
    pub fn url(&self) -> String {
        self.address.url()
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> RedisAddress {
        self.address
    }

    /// The process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.daemon.pid()
    }

    /// Its own folder, from which it reads its files when it starts.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.daemon.directory()
    }

    /// What it has logged.
    #[must_use]
    pub fn log(&self) -> String {
        self.daemon.log()
    }

    /// Shuts it down.
    pub async fn stop(&mut self) {
        self.daemon.thaw();
        self.daemon.signal(Signal::TERM);
        self.daemon.wait().await;
    }

    /// Starts it again after [`Self::stop`] or [`Self::kill`]: same port, empty unless it is persistent.
    pub async fn start_again(&mut self) {
        assert!(self.launch().await, "Redis does not start again; its log:\n{}", self.daemon.log());
    }

    /// Ends it as a crash does.
    pub fn kill(&mut self) {
        self.daemon.kill();
    }

    /// Stops it where it is: connections stay open, new ones are accepted, nobody answers.
    pub fn freeze(&self) {
        self.daemon.freeze();
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        self.daemon.thaw();
    }

    /// Removes every key.
    pub fn flush(&self) {
        self.ask(&["FLUSHALL"]);
    }

    /// Sends one command and gives its answer, which must not be an error or an array.
    pub fn ask(&self, words: &[&str]) -> String {
        resp::ask(self.address.port, words).unwrap_or_else(|e| panic!("{words:?}: {e}"))
    }

    pub(super) fn leave_to(self, owner: u32) -> RedisAddress {
        let address = self.address;
        self.daemon.leave_to(owner);
        address
    }
}
