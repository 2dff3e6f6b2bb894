//! One node at a time changes the schema.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use sea_orm::{
    ConnectOptions, ConnectionTrait, Database as SeaDatabase, DatabaseConnection, DbErr,
    sqlx::{
        self, Connection as _,
        postgres::{PgConnectOptions, PgConnection},
        sqlite::SqliteConnectOptions,
    },
};

use crate::{Database, MigrationError, errors::Refused, pool};

/// Which of PostgreSQL's advisory locks is ours: "coinlink" in ASCII.
const LOCK: i64 = 0x636f_696e_6c69_6e6b;
/// How long the database may take to be connected to.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long it may take to find out why it was not.
const REASON_WITHIN: Duration = Duration::from_secs(2);
/// How long to wait for another node to end its migration, and for any table.
const LOCK_TIMEOUT: Duration = Duration::from_mins(5);

impl Database {
    /// Runs `migrate` while no other node does. On PostgreSQL it gets a connection of its own, without the time-out that
    /// statements have elsewhere; the lock is that connection's, so it ends with it, however that comes.
    pub async fn with_migration_lock<T>(
        &self,
        migrate: impl AsyncFnOnce(&DatabaseConnection) -> Result<T, DbErr>,
    ) -> Result<T, MigrationError> {
        if let Some(url) = pool::postgres_url(&self.settings.url) {
            let connection = Box::pin(locked_connection(&url)).await?;
            let done = Box::pin(migrate(&connection)).await;
            return Ok(connection.close().await.and(done)?);
        }
        let _held = locked_file(&self.settings.url).await?;
        Ok(Box::pin(migrate(&self.connection)).await?)
    }

    /// Waits for the database as long as a migration does, and says as it does what is in the way. A SQLite file is not waited for.
    pub async fn reachable(&self) -> Result<(), MigrationError> {
        let Some(url) = pool::postgres_url(&self.settings.url) else { return Ok(()) };
        Ok(Box::pin(only_connection(&url, "coinlink")).await?.close().await?)
    }
}

/// With the lock held.
async fn locked_connection(url: &str) -> Result<DatabaseConnection, MigrationError> {
    let connection = only_connection(url, "coinlink migrate").await?;
    let wait = LOCK_TIMEOUT.as_millis();
    let lock = format!("SET statement_timeout = 0; SET lock_timeout = {wait}; SELECT pg_advisory_lock({LOCK})");
    connection.execute_unprepared(&lock).await?;
    Ok(connection)
}

/// The only one of a pool.
async fn only_connection(url: &str, name: &'static str) -> Result<DatabaseConnection, MigrationError> {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(1)
        .min_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .acquire_timeout(CONNECT_TIMEOUT)
        .set_application_name(name)
        .sqlx_logging(false);
    match SeaDatabase::connect(options).await {
        Ok(connection) => Ok(connection),
        Err(error) => Err(why(url, error).await),
    }
}

/// A pool tries until its time is over and then says no more than that; one connection by itself says what is in the way.
async fn why(url: &str, error: DbErr) -> MigrationError {
    let Ok(options) = url.parse::<PgConnectOptions>() else { return error.into() };
    let place = match options.get_socket() {
        Some(path) => path.display().to_string(),
        None => format!("{}:{}", options.get_host(), options.get_port()),
    };
    match tokio::time::timeout(REASON_WITHIN, PgConnection::connect_with(&options)).await {
        Ok(Err(sqlx::Error::Database(reason))) => {
            MigrationError::Refused { place, why: Refused::of(reason.as_ref()).to_string() }
        }
        Ok(Err(sqlx::Error::Io(reason))) => MigrationError::Unreachable { place, why: reason.to_string() },
        Ok(Err(reason)) => MigrationError::Unreachable { place, why: reason.to_string() },
        Ok(Ok(_)) | Err(_) => {
            let why = format!("it did not answer within {} s", CONNECT_TIMEOUT.as_secs());
            MigrationError::Unreachable { place, why }
        }
    }
}

/// The lock on a file beside the database's, held until it is dropped; `None` for a database in memory, which is only ours.
async fn locked_file(url: &str) -> Result<Option<File>, MigrationError> {
    if pool::is_in_memory(url) {
        return Ok(None);
    }
    let database: SqliteConnectOptions = url.parse().map_err(|e| DbErr::Custom(format!("{e}")))?;
    let mut path = database.get_filename().as_os_str().to_owned();
    path.push(".migration-lock");
    let path = PathBuf::from(path);
    let file = path.display().to_string();
    let locked = tokio::task::spawn_blocking(move || lock(&path)).await.map_err(io::Error::other).flatten();
    locked.map(Some).map_err(|source| MigrationError::Lock { file, source })
}

fn lock(path: &Path) -> io::Result<File> {
    let file = File::create(path)?;
    file.lock()?;
    Ok(file)
}
