use std::{sync::Arc, time::Duration};

use coinlink_ports::shared::StoreError;
use sea_orm::{DatabaseConnection, DbErr};

use crate::{
    ConnectError, ConnectSettings,
    errors::{DeadlineExceeded, store_error},
    pool,
};

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
