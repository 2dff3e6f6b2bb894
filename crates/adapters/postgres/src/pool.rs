//! How each database's pool is made, and what each connection is told.

use std::time::Duration;

use sea_orm::{
    ConnectOptions, Database, DatabaseConnection, DbErr,
    sqlx::{
        self, Connection, Executor,
        postgres::{PgConnectOptions, PgConnection},
        sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous},
    },
};

use crate::{ConnectError, ConnectSettings};

/// Connections idle for longer are asked whether they are still there before they are used: the server may have been
/// restarted.
const TRUSTED_IDLE: Duration = Duration::from_secs(1);
/// How long a connection that is given back may take to show that it is fit for use.
const RELEASE_TIMEOUT: Duration = Duration::from_secs(1);
/// What a frozen node's open transaction may hold others up for, in milliseconds.
const IDLE_IN_TRANSACTION: u64 = 10_000;
/// How often a SQLite file that somebody else is making is tried again, and after how long.
const TRIES: u32 = 100;
const NEXT_TRY: Duration = Duration::from_millis(20);

pub(crate) async fn open(settings: &ConnectSettings) -> Result<DatabaseConnection, ConnectError> {
    // Read here first: SeaORM puts a URL that it cannot read into its error, with the password.
    let mut options = if let Some(url) = postgres_url(&settings.url) {
        url.parse::<PgConnectOptions>().map_err(ConnectError::Url)?;
        postgres(&url, settings)
    } else if settings.url.starts_with("sqlite:") {
        settings.url.parse::<SqliteConnectOptions>().map_err(ConnectError::Url)?;
        sqlite(settings)
    } else {
        return Err(ConnectError::Scheme);
    };
    options.acquire_timeout(settings.acquire_timeout).connect_lazy(true).sqlx_logging(false);
    // With $1 in the place of values, and seen only where traces are sent.
    options.record_stmt_in_spans(true);
    let mut tries = 0;
    loop {
        match Box::pin(Database::connect(options.clone())).await {
            Err(error) if tries < TRIES && is_locked(&error) => {
                tries += 1;
                tokio::time::sleep(NEXT_TRY).await;
            }
            opened => return opened.map_err(ConnectError::Pool),
        }
    }
}

/// Whether another process is just making the same SQLite file: changing its journal is the one thing for which SQLite does not
/// wait until the file is free.
fn is_locked(error: &DbErr) -> bool {
    error.to_string().contains("database is locked")
}

pub(crate) fn is_postgres(url: &str) -> bool {
    postgres_url(url).is_some()
}

/// The URL as SeaORM wants it, where it is PostgreSQL's.
pub(crate) fn postgres_url(url: &str) -> Option<String> {
    let rest = url.strip_prefix("postgres://").or_else(|| url.strip_prefix("postgresql://"))?;
    Some(format!("postgres://{rest}"))
}

/// Whether the database lives in this process's memory and dies with its last connection.
pub(crate) fn is_in_memory(url: &str) -> bool {
    url.contains(":memory:") || url.contains("mode=memory")
}

fn postgres(url: &str, settings: &ConnectSettings) -> ConnectOptions {
    let statement = settings.statement_timeout.as_millis();
    // Told by SET: a start-up option is refused by the usual connection poolers.
    let setup = format!("SET statement_timeout = {statement}; SET idle_in_transaction_session_timeout = {IDLE_IN_TRANSACTION}");
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(settings.max_connections)
        .set_application_name("coinlink")
        .test_before_acquire_if_idle_for(TRUSTED_IDLE)
        .map_sqlx_postgres_pool_opts(move |pool| {
            let setup = setup.clone();
            pool.after_connect(move |connection, _| {
                let setup = sqlx::AssertSqlSafe(setup.clone());
                Box::pin(async move { connection.execute(setup).await.map(drop) })
            })
            .after_release(|connection, _| Box::pin(is_fit(connection)))
        });
    options
}

/// The pool itself waits without an end for a connection whose call was given up, so that a frozen server would use up the
/// pool for good.
async fn is_fit(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    tokio::time::timeout(RELEASE_TIMEOUT, connection.ping()).await.unwrap_or(Err(sqlx::Error::PoolTimedOut)).map(|()| true)
}

fn sqlite(settings: &ConnectSettings) -> ConnectOptions {
    let mut options = ConnectOptions::new(&settings.url);
    let busy = settings.statement_timeout;
    options.map_sqlx_sqlite_opts(move |file: SqliteConnectOptions| {
        file.create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .busy_timeout(busy)
            .foreign_keys(true)
    });
    if is_in_memory(&settings.url) {
        options.max_connections(1).min_connections(1).idle_timeout(None).max_lifetime(None);
    } else {
        options.max_connections(settings.max_connections.min(4));
        options
            .map_sqlx_sqlite_pool_opts(|pool| pool.after_release(|connection, _| Box::pin(is_between_transactions(connection))));
    }
    options
}

/// Where the disk is full SQLite ends a transaction by itself. The rollback that comes after fails, and sqlx counts one that is open for
/// ever: whatever the connection is used for next would be part of it, unseen by others and blind to what they write.
async fn is_between_transactions(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    // A rollback that was left to its drop is carried out by now.
    connection.ping().await?;
    Ok(!connection.is_in_transaction())
}

#[cfg(test)]
mod tests {
    use super::*;
    use sea_orm::{ConnectionTrait as _, DbBackend, Statement, TransactionTrait as _};

    #[tokio::test]
    async fn a_connection_whose_transaction_ended_on_a_full_disk_is_not_used_again() {
        const INSERT: &str = "INSERT INTO t VALUES (zeroblob(1000000))";
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}?mode=rwc", folder.path().join("full.db").display());
        let database = open(&ConnectSettings { max_connections: 1, ..ConnectSettings::new(url) }).await.unwrap();
        database.execute_unprepared("CREATE TABLE t (v BLOB)").await.unwrap();
        // Of this connection alone.
        database.execute_unprepared("PRAGMA max_page_count = 10").await.unwrap();
        let full = database.begin().await.unwrap();
        let error = full.execute_unprepared(INSERT).await.unwrap_err();
        assert!(error.to_string().contains("disk is full"), "{error}");
        drop(full);

        let next = crate::write_transaction::begin_with_row_locks(&database).await.unwrap();
        next.execute_unprepared(INSERT).await.unwrap();
        next.commit().await.unwrap();
        let count = Statement::from_string(DbBackend::Sqlite, "SELECT count(*) FROM t");
        let row = database.query_one_raw(count).await.unwrap().unwrap();
        assert_eq!(row.try_get_by_index::<i64>(0).unwrap(), 1);
    }
}
