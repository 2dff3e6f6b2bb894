use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

use crate::exact_types::{NUMERIC, TIMESTAMP};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.get_database_backend() == DbBackend::Postgres {
            let sql = format!("CREATE DOMAIN {NUMERIC} AS numeric; CREATE DOMAIN {TIMESTAMP} AS timestamptz");
            manager.get_connection().execute_unprepared(&sql).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.get_database_backend() == DbBackend::Postgres {
            let sql = format!("DROP DOMAIN {TIMESTAMP}; DROP DOMAIN {NUMERIC}");
            manager.get_connection().execute_unprepared(&sql).await?;
        }
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
