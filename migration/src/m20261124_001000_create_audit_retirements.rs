//! Which months of the audit log were dropped because their time was over: like the seals, it is added to and never changed, and by the owner
//! alone.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const POSTGRES: &str = "
CREATE TABLE audit_retirements (
    first_seal bigint PRIMARY KEY CHECK (first_seal > 0),
    last_seal bigint NOT NULL CHECK (last_seal >= first_seal),
    month text NOT NULL,
    chain_hash bytea NOT NULL CHECK (length(chain_hash) = 32),
    mac bytea NOT NULL CHECK (length(mac) = 32),
    at timestamptz_text NOT NULL
);
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON audit_retirements FOR EACH ROW EXECUTE FUNCTION audit_refuse_change();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit_retirements EXECUTE FUNCTION audit_refuse_change();
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'coinlink_app') THEN
        REVOKE ALL ON audit_retirements FROM coinlink_app;
        GRANT SELECT ON audit_retirements TO coinlink_app;
    END IF;
END $$;
";

const SQLITE: &str = "
CREATE TABLE audit_retirements (
    first_seal bigint NOT NULL PRIMARY KEY CHECK (first_seal > 0),
    last_seal bigint NOT NULL CHECK (last_seal >= first_seal),
    month text NOT NULL,
    chain_hash blob NOT NULL CHECK (length(chain_hash) = 32),
    mac blob NOT NULL CHECK (length(mac) = 32),
    at timestamptz_text NOT NULL
);
CREATE TRIGGER audit_retirements_no_update BEFORE UPDATE ON audit_retirements
BEGIN SELECT RAISE(ABORT, 'audit_retirements is append-only: UPDATE is refused'); END;
CREATE TRIGGER audit_retirements_no_delete BEFORE DELETE ON audit_retirements
BEGIN SELECT RAISE(ABORT, 'audit_retirements is append-only: DELETE is refused'); END;
CREATE TRIGGER audit_retirements_no_replace BEFORE INSERT ON audit_retirements
WHEN EXISTS (SELECT 1 FROM audit_retirements WHERE first_seal = NEW.first_seal)
BEGIN SELECT RAISE(ABORT, 'audit_retirements is append-only: REPLACE is refused'); END;
";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = if manager.get_database_backend() == DbBackend::Postgres { POSTGRES } else { SQLITE };
        manager.get_connection().execute_unprepared(sql).await.map(drop)
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared("DROP TABLE audit_retirements").await.map(drop)
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
