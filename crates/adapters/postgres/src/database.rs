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
}

impl Database {
    /// Reads the settings and prepares the pool. Nothing is connected yet: a process may start before its database does.
    pub async fn connect(settings: &ConnectSettings) -> Result<Self, ConnectError> {
        let connection = pool::open(settings).await?;
        Ok(Self { connection, settings: Arc::new(settings.clone()) })
    }

    /// Tells `observer` of every statement that is carried out from now on by this handle and those cloned from it: its text, without
    /// values, and how long it took. It is called in the caller's task and is to be quick.
    #[must_use]
    pub fn observed(mut self, observer: impl Fn(&str, Duration) + Send + Sync + 'static) -> Self {
        self.connection.set_metric_callback(move |info| observer(&info.statement.sql, info.elapsed));
        self
    }

    /// How many connections are there and used.
    #[must_use]
    pub fn pool(&self) -> PoolUse {
        let (open, idle, most) = if is_postgres(&self.settings.url) {
            let pool = self.connection.get_postgres_connection_pool();
            (pool.size(), pool.num_idle(), pool.options().get_max_connections())
        } else {
            let pool = self.connection.get_sqlite_connection_pool();
            (pool.size(), pool.num_idle(), pool.options().get_max_connections())
        };
        PoolUse { most, used: open.saturating_sub(u32::try_from(idle).unwrap_or(u32::MAX)) }
    }

    /// Closes all connections once they are given back.
    pub async fn close(self) -> Result<(), StoreError> {
        self.connection.close().await.map_err(store_error)
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
