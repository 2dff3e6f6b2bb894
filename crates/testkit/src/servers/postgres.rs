use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use rustix::process::Signal;

use super::{LOOK, PATIENCE, account::Account, daemon::Daemon, port::free_port, programs};

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
    /// [`Self::directory`].
    pub async fn durable_with(more: &[&str]) -> Self {
        let mut server = Self::without_data();
        server.more = more.iter().map(|&setting| setting.to_owned()).collect();
        server.begin().await
    }

    /// One that keeps what was committed, and has no data yet: whoever restores it makes the folder `data` of [`Self::directory`],
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

    /// Whether it came up; if not, its port may have been taken by another.
    async fn launch(&mut self) -> bool {
        let mut command = self.daemon.command(&self.folder.join("postgres"));
        command.args(["-D", "data", "-p", &self.address.port.to_string()]);
        for setting in SETTINGS.iter().chain(if self.durable { &[] } else { FAST }) {
            command.args(["-c", setting]);
        }
        for setting in &self.more {
            command.args(["-c", setting]);
        }
        drop(fs::remove_file(self.status_file()));
        self.daemon.start(command);
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            if self.is_ready() {
                return true;
            }
            if self.daemon.ended().is_some() {
                return false;
            }
            tokio::time::sleep(LOOK).await;
        }
        panic!("PostgreSQL takes too long to start; its log:\n{}", self.daemon.log());
    }

    fn status_file(&self) -> PathBuf {
        self.daemon.directory().join("data/postmaster.pid")
    }

    /// The postmaster writes its state into the eighth line of its lock file.
    fn is_ready(&self) -> bool {
        fs::read_to_string(self.status_file())
            .is_ok_and(|status| status.lines().nth(7).is_some_and(|line| line.trim() == "ready"))
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

    /// The process id of the postmaster.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.daemon.pid()
    }

    /// Its own folder, which belongs to the account it runs as.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.daemon.directory()
    }

    /// A command that runs as that account, in that folder.
    #[must_use]
    pub fn command(&self, program: &Path) -> Command {
        self.daemon.command(program)
    }

    /// What it has logged.
    #[must_use]
    pub fn log(&self) -> String {
        self.daemon.log()
    }

    /// Shuts it down: connections are closed, nothing is lost.
    pub async fn stop(&mut self) {
        self.daemon.thaw();
        self.daemon.signal(Signal::INT);
        self.daemon.wait().await;
    }

    /// Starts it again after [`Self::stop`] or [`Self::kill`]: same port, same data.
    pub async fn start_again(&mut self) {
        assert!(self.launch().await, "PostgreSQL does not start again; its log:\n{}", self.daemon.log());
    }

    /// Ends it as a crash does.
    pub fn kill(&mut self) {
        self.daemon.kill();
    }

    /// Stops all its processes where they are: connections stay open, new ones are accepted, nobody answers.
    pub fn freeze(&self) {
        self.daemon.freeze();
    }

    /// Lets them go on.
    pub fn thaw(&self) {
        self.daemon.thaw();
    }

    pub(super) fn leave_to(self, owner: u32) -> PostgresAddress {
        let address = self.address;
        self.daemon.leave_to(owner);
        address
    }
}
