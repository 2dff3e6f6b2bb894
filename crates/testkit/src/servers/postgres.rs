use std::{
    fs,
    ops::{Deref, DerefMut},
    path::{Path, PathBuf},
};

use rustix::process::Signal;

use super::{account::Account, daemon::Daemon, port::free_port, programs};

/// The superuser of every test server; it has no password, and the server listens on 127.0.0.1 only.
pub(super) const USER: &str = "coinlink";

/// What makes tests quick: nothing waits for the disk.
const FAST: &[&str] = &["fsync=off", "synchronous_commit=off", "full_page_writes=off"];
/// What tests need of any instance.
const SETTINGS: &[&str] = &[
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "max_connections=200",
    "shared_buffers=32MB",
    "logging_collector=off",
    "timezone=UTC",
];

/// Where a test server listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PostgresAddress {
    /// On 127.0.0.1.
    pub port: u16,
}

impl PostgresAddress {
    /// The URL of `database` there.
    #[must_use]
    pub fn url(self, database: &str) -> String {
        format!("postgres://{USER}@127.0.0.1:{}/{database}?sslmode=disable", self.port)
    }
}

/// A PostgreSQL server of one test, for it to stop, kill and freeze.
pub struct PrivatePostgres {
    daemon: Daemon,
    folder: PathBuf,
    address: PostgresAddress,
    durable: bool,
    more: Vec<String>,
}

impl PrivatePostgres {
    /// Starts one that forgets on a crash of the machine what it has not written yet.
    pub async fn start() -> Self {
        Self::start_in(Daemon::private_directory(), false).await
    }

    /// Starts one that keeps what was committed, at the price of time: for tests that kill it.
    pub async fn durable() -> Self {
        Self::start_in(Daemon::private_directory(), true).await
    }

    /// [`Self::durable`] with further settings, as `archive_mode=on`. Commands in them run in the folder `data` of
    /// `directory()`.
    pub async fn durable_with(more: &[&str]) -> Self {
        let mut server = Self::without_data();
        server.more = more.iter().map(|&setting| setting.to_owned()).collect();
        server.begin().await
    }

    /// One that keeps what was committed, and has no data yet: whoever restores it makes the folder `data` of `directory()`,
    /// then calls [`Self::start_again`].
    #[must_use]
    pub fn without_data() -> Self {
        Self::new(Daemon::private_directory(), true)
    }

    pub(super) async fn start_in(directory: PathBuf, durable: bool) -> Self {
        Self::new(directory, durable).begin().await
    }

    fn new(directory: PathBuf, durable: bool) -> Self {
        let folder = programs::postgres_folder();
        let daemon = Daemon::new(directory, Account::for_server("postgres"));
        Self { daemon, folder, address: PostgresAddress { port: free_port() }, durable, more: Vec::new() }
    }

    async fn begin(self) -> Self {
        let mut server = self;
        server.initialise().await;
        for _ in 0..5 {
            if server.launch().await {
                return server;
            }
            server.address.port = free_port();
        }
        panic!("PostgreSQL does not start; its log:\n{}", server.daemon.log());
    }

    async fn initialise(&self) {
        let mut command = self.daemon.command(&self.folder.join("initdb"));
        command.args(["--no-sync", "--encoding=UTF8", "--locale=C", "--auth=trust", "--pgdata=data", "--username", USER]);
        let output = tokio::process::Command::from(command).output().await.expect("initdb");
        assert!(output.status.success(), "initdb: {}", String::from_utf8_lossy(&output.stderr));
    }

    async fn launch(&mut self) -> bool {
        let mut command = self.daemon.command(&self.folder.join("postgres"));
        command.args(["-D", "data", "-p", &self.address.port.to_string()]);
        for setting in SETTINGS.iter().chain(if self.durable { &[] } else { FAST }) {
            command.args(["-c", setting]);
        }
        for setting in &self.more {
            command.args(["-c", setting]);
        }
        let status = self.daemon.directory().join("data/postmaster.pid");
        drop(fs::remove_file(&status));
        self.daemon.comes_up(command, |_| is_ready(&status)).await
    }

    /// The URL of the database `postgres`.
    #[must_use]
    pub fn url(&self) -> String {
        self.address.url("postgres")
    }

    /// Where it listens; the same after each restart.
    #[must_use]
    pub fn address(&self) -> PostgresAddress {
        self.address
    }

    /// Shuts it down: connections are closed, nothing is lost.
    pub async fn stop(&mut self) {
        self.daemon.end(Signal::INT).await;
    }

    /// Starts it again after [`Self::stop`] or a `kill()`: same port, same data.
    pub async fn start_again(&mut self) {
        assert!(self.launch().await, "PostgreSQL does not start again; its log:\n{}", self.daemon.log());
    }

    pub(super) fn leave_to(self, owner: u32) -> PostgresAddress {
        let address = self.address;
        self.daemon.leave_to(owner);
        address
    }
}

impl Deref for PrivatePostgres {
    type Target = Daemon;

    fn deref(&self) -> &Daemon {
        &self.daemon
    }
}

impl DerefMut for PrivatePostgres {
    fn deref_mut(&mut self) -> &mut Daemon {
        &mut self.daemon
    }
}

/// The postmaster writes its state into the eighth line of its lock file.
fn is_ready(status: &Path) -> bool {
    fs::read_to_string(status).is_ok_and(|status| status.lines().nth(7).is_some_and(|line| line.trim() == "ready"))
}
