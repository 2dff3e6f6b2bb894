use async_trait::async_trait;
use coinlink_ports::{operations::DependencyProbe, shared::StoreError};
use sea_orm::{ConnectionTrait as _, DbBackend, DbErr, Statement};

use crate::{Database, pool::is_postgres};

const READ_ONLY: &str = "it takes no writes: a standby, a restore that is under way, or somebody set default_transaction_read_only (providers do when the disk is full)";

/// Asks whether the database answers and takes writes.
#[derive(Clone)]
pub struct DatabaseProbe {
    database: Database,
}

impl DatabaseProbe {
    /// Of this database.
    #[must_use]
    pub fn new(database: Database) -> Self {
        Self { database }
    }

    /// PostgreSQL answers before a restore is done, and a standby always does.
    async fn is_read_only(&self) -> Result<bool, DbErr> {
        let connection = &self.database.connection;
        if !is_postgres(&self.database.settings.url) {
            return connection.execute_unprepared("SELECT 1").await.map(|_| false);
        }
        let asked = Statement::from_string(DbBackend::Postgres, "SELECT current_setting('transaction_read_only') = 'on'");
        connection.query_one_raw(asked).await?.map_or(Ok(false), |row| row.try_get_by_index(0))
    }
}

#[async_trait]
impl DependencyProbe for DatabaseProbe {
    fn name(&self) -> &'static str {
        "database"
    }

    async fn check(&self) -> Result<(), String> {
        match self.database.within_deadline(self.is_read_only()).await {
            Ok(false) => Ok(()),
            Ok(true) => Err(READ_ONLY.to_owned()),
            Err(StoreError::Unavailable(source)) => Err(source.to_string()),
            Err(other) => Err(other.to_string()),
        }
    }
}
