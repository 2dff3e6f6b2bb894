use async_trait::async_trait;
use coinlink_ports::{operations::DependencyProbe, shared::StoreError};
use sea_orm::ConnectionTrait;

use crate::Database;

/// Asks the database for nothing, to see that it answers.
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
}

#[async_trait]
impl DependencyProbe for DatabaseProbe {
    fn name(&self) -> &'static str {
        "database"
    }

    async fn check(&self) -> Result<(), String> {
        let asked = self.database.within_deadline(self.database.connection.execute_unprepared("SELECT 1")).await;
        asked.map(drop).map_err(|error| match error {
            StoreError::Unavailable(source) => source.to_string(),
            other => other.to_string(),
        })
    }
}
