//! One server of each kind for all tests of a run, or of a process where there is no run to share with.

use std::{
    env,
    fs::{self, File, Permissions},
    net::{Ipv4Addr, TcpStream},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use tokio::sync::OnceCell;

use super::{
    postgres::{PostgresAddress, PrivatePostgres},
    redis::{PrivateRedis, RedisAddress},
    watchdog,
};

/// The PostgreSQL server that tests share. See [`super::fresh_database`] for a database of one's own in it.
pub async fn shared_postgres() -> PostgresAddress {
    static OF_THIS_PROCESS: OnceCell<PrivatePostgres> = OnceCell::const_new();
    match Run::current() {
        Some(run) => PostgresAddress {
            port: run
                .port_of("postgres", async |directory| PrivatePostgres::start_in(directory, false).await.leave_to(run.owner).port)
                .await,
        },
        None => OF_THIS_PROCESS.get_or_init(PrivatePostgres::start).await.address(),
    }
}

/// The Redis server that tests share: never flush it, and keep to [`RedisAddress::fresh_prefix`].
pub async fn shared_redis() -> RedisAddress {
    static OF_THIS_PROCESS: OnceCell<PrivateRedis> = OnceCell::const_new();
    match Run::current() {
        Some(run) => RedisAddress {
            port: run
                .port_of("redis", async |directory| PrivateRedis::start_in(directory, false).await.leave_to(run.owner).port)
                .await,
        },
        None => OF_THIS_PROCESS.get_or_init(PrivateRedis::start).await.address(),
    }
}

/// A `cargo nextest` run: the processes of its tests meet in one directory, and what they share ends with the runner,
/// which is the parent of each.
struct Run {
    directory: PathBuf,
    owner: u32,
}

impl Run {
    fn current() -> Option<Self> {
        let owner = watchdog::run()?;
        let id = env::var("NEXTEST_RUN_ID").ok()?;
        Some(Self { directory: env::temp_dir().join(format!("coinlink-run-{id}")), owner })
    }

    /// The port of the run's server called `name`; the first to ask starts it, the others wait for that.
    async fn port_of(&self, name: &str, start: impl AsyncFnOnce(PathBuf) -> u16) -> u16 {
        fs::create_dir_all(&self.directory).expect("a directory for the run");
        // The server's account has to pass through it.
        fs::set_permissions(&self.directory, Permissions::from_mode(0o755)).expect("a directory of ours");
        let lock = self.directory.join(format!("{name}.lock"));
        let _held = exclusively(lock).await;
        let record = self.directory.join(format!("{name}.port"));
        if let Some(port) = answering(&record) {
            return port;
        }
        let port = start(self.directory.join(name)).await;
        fs::write(&record, port.to_string()).expect("a record of the port");
        port
    }
}

/// The port in the record, if a server answers there.
fn answering(record: &Path) -> Option<u16> {
    let port = fs::read_to_string(record).ok()?.trim().parse().ok()?;
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok().map(|_| port)
}

/// The lock on the file at `path`, held until it is dropped, or its process ends.
async fn exclusively(path: PathBuf) -> File {
    let locked = tokio::task::spawn_blocking(move || {
        let file = File::create(&path)?;
        file.lock().map(|()| file)
    });
    locked.await.expect("locking does not panic").expect("a lock file of ours")
}
