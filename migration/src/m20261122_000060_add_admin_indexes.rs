//! What administrators look accounts and the audit log up by.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// The beginning of an address is a range of text, byte by byte: for that an index must be in the same order.
const POSTGRES: &str = r#"
CREATE INDEX users_email_bytes ON users (email COLLATE "C");
CREATE INDEX users_claimed_email_bytes ON users (claimed_email COLLATE "C") WHERE claimed_email IS NOT NULL;
"#;

/// Both databases. A resource's entries are read in the order of time; so are those that ended alike.
const UP: &str = r#"
CREATE INDEX users_active ON users (is_active, id);
CREATE INDEX users_verified ON users (is_verified, id);
CREATE INDEX users_created ON users (created_at);
DROP INDEX audit_log_resource;
CREATE INDEX audit_log_resource_time ON audit_log (resource_type, resource_id, "timestamp");
CREATE INDEX audit_log_status ON audit_log (status, "timestamp");
"#;

const DOWN: &str = "
DROP INDEX audit_log_status;
DROP INDEX audit_log_resource_time;
CREATE INDEX audit_log_resource ON audit_log (resource_type, resource_id);
DROP INDEX users_created;
DROP INDEX users_verified;
DROP INDEX users_active;
";

const POSTGRES_DOWN: &str = "
DROP INDEX users_claimed_email_bytes;
DROP INDEX users_email_bytes;
";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        connection.execute_unprepared(UP).await?;
        if manager.get_database_backend() == DbBackend::Postgres {
            connection.execute_unprepared(POSTGRES).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        if manager.get_database_backend() == DbBackend::Postgres {
            connection.execute_unprepared(POSTGRES_DOWN).await?;
        }
        connection.execute_unprepared(DOWN).await.map(drop)
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
