use std::{sync::Arc, time::Duration};

use coinlink_ports::shared::StoreError;
use sea_orm::{DatabaseConnection, DbErr};

use crate::{
    ConnectError, ConnectSettings,
    errors::{DeadlineExceeded, store_error},
    pool::{self, is_postgres},
};

/// Connections of a pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolUse {
    /// As many as this process may open.
    pub most: u32,
    /// Somebody uses them, or they are being opened.
    pub used: u32,
}

/// A pool of connections to PostgreSQL or SQLite. Cheap to clone.
#[derive(Clone)]
pub struct Database {
    pub(crate) connection: DatabaseConnection,
    pub(crate) settings: Arc<ConnectSettings>,
    /// For jobs; of SQLite the same.
    jobs: DatabaseConnection,
}

impl Database {
    /// Reads the settings and prepares the pool. Nothing is connected yet: a process may start before its database does.
    pub async fn connect(settings: &ConnectSettings) -> Result<Self, ConnectError> {
        let connection = pool::open(settings).await?;
        // SQLite bounds no statement, and one in memory is another one for each pool.
        let jobs = if is_postgres(&settings.url) { pool::open(&settings.for_jobs()).await? } else { connection.clone() };
        Ok(Self { connection, settings: Arc::new(settings.clone()), jobs })
    }

    /// The same database for jobs that look at many rows: statements may take half a minute, on a few connections of their own.
    #[must_use]
    pub fn for_jobs(&self) -> Self {
        Self { connection: self.jobs.clone(), settings: Arc::new(self.settings.for_jobs()), jobs: self.jobs.clone() }
    }

    /// Tells `observer` of every statement that is carried out from now on by this handle and those cloned from it: its text, without
    /// values, and how long it took. It is called in the caller's task and is to be quick.
    #[must_use]
    pub fn observed(mut self, observer: impl Fn(&str, Duration) + Send + Sync + 'static) -> Self {
        let observer = Arc::new(observer);
        for connection in [&mut self.connection, &mut self.jobs] {
            let observer = Arc::clone(&observer);
            connection.set_metric_callback(move |info| observer(&info.statement.sql, info.elapsed));
        }
        self
    }

    /// How many connections there may be and how many are used, those of jobs among them.
    #[must_use]
    pub fn pool(&self) -> PoolUse {
        let used = |open: u32, idle: usize| open.saturating_sub(u32::try_from(idle).unwrap_or(u32::MAX));
        if !is_postgres(&self.settings.url) {
            let pool = self.connection.get_sqlite_connection_pool();
            return PoolUse { most: pool.options().get_max_connections(), used: used(pool.size(), pool.num_idle()) };
        }
        let [asked, jobs] = [&self.connection, &self.jobs].map(|connection| {
            let pool = connection.get_postgres_connection_pool();
            PoolUse { most: pool.options().get_max_connections(), used: used(pool.size(), pool.num_idle()) }
        });
        PoolUse { most: asked.most + jobs.most, used: asked.used + jobs.used }
    }

    /// Closes all connections once they are given back.
    pub async fn close(self) -> Result<(), StoreError> {
        let (asked, jobs) = tokio::join!(self.connection.close(), self.jobs.close());
        asked.and(jobs).map_err(store_error)
    }

    /// Carries out one call of a store, and gives up when the database does not answer in time. A transaction that was
    /// begun is then rolled back.
    pub(crate) async fn within_deadline<T>(&self, call: impl Future<Output = Result<T, DbErr>>) -> Result<T, StoreError> {
        let deadline: Duration = self.settings.deadline();
        match tokio::time::timeout(deadline, call).await {
            Ok(done) => done.map_err(store_error),
            Err(_) => Err(StoreError::Unavailable(Box::new(DeadlineExceeded))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use coinlink_testkit::servers::fresh_database;
    use sea_orm::{ConnectionTrait as _, DbBackend, Statement};

    #[tokio::test]
    async fn a_statement_of_a_job_may_take_half_a_minute_and_one_of_a_request_two_seconds() {
        let place = fresh_database().await;
        let database = Database::connect(&ConnectSettings::new(&place.url)).await.unwrap();
        let bound = async |database: &Database| {
            let asked = Statement::from_string(DbBackend::Postgres, "SHOW statement_timeout");
            let row = database.connection.query_one_raw(asked).await.unwrap().unwrap();
            row.try_get_by_index::<String>(0).unwrap()
        };
        let jobs = database.for_jobs();
        assert_eq!((bound(&database).await, bound(&jobs).await), ("2s".to_owned(), "30s".to_owned()));
        assert!(jobs.settings.deadline() > Duration::from_secs(30), "and the client does not give up before");
        assert_eq!(database.pool().most, 10, "as docs/deployment.md says");
    }

    #[tokio::test]
    async fn jobs_see_the_same_rows_of_a_database_in_memory() {
        let database = Database::connect(&ConnectSettings::new("sqlite::memory:")).await.unwrap();
        database.connection.execute_unprepared("CREATE TABLE t (v INTEGER)").await.unwrap();
        database.for_jobs().connection.execute_unprepared("INSERT INTO t VALUES (1)").await.unwrap();
    }
}
