use std::{
    ops::{Deref, DerefMut},
    path::PathBuf,
};

use rustix::process::Signal;

use super::{account::Account, daemon::Daemon, port::free_port, programs, resp};

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

    async fn launch(&mut self) -> bool {
        let mut command = self.daemon.command(&self.program);
        let port = self.address.port.to_string();
        command.args(["--port", &port, "--bind", "127.0.0.1", "--daemonize", "no", "--save", ""]);
        if self.persistent {
            command.args(["--appendonly", "yes", "--appendfsync", "always"]);
        }
        // It is this process that answers at the port, and it has read its file.
        let port = self.address.port;
        let ours = |daemon: &Daemon| format!("process_id:{}\r\n", daemon.pid());
        let is_ready = |daemon: &Daemon| resp::ask(port, &["INFO", "server"]).is_ok_and(|info| info.contains(&ours(daemon)));
        self.daemon.comes_up(command, is_ready).await
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

    /// Shuts it down.
    pub async fn stop(&mut self) {
        self.daemon.end(Signal::TERM).await;
    }

    /// Starts it again after [`Self::stop`] or a `kill()`: same port, empty unless it is persistent.
    pub async fn start_again(&mut self) {
        assert!(self.launch().await, "Redis does not start again; its log:\n{}", self.daemon.log());
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

impl Deref for PrivateRedis {
    type Target = Daemon;

    fn deref(&self) -> &Daemon {
        &self.daemon
    }
}

impl DerefMut for PrivateRedis {
    fn deref_mut(&mut self) -> &mut Daemon {
        &mut self.daemon
    }
}
