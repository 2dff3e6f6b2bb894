//! The chain of seals over the audit log, and its signed checkpoints: like the log, they are added to and never changed.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// No foreign key to the log: that a sealed row is gone is for the verification to tell.
const POSTGRES: &str = "
CREATE TABLE audit_seals (
    seq bigint PRIMARY KEY CHECK (seq > 0),
    audit_id uuid NOT NULL UNIQUE,
    entry_at timestamptz_text NOT NULL,
    sealed_at timestamptz_text NOT NULL,
    entry_hash bytea NOT NULL CHECK (length(entry_hash) = 32),
    chain_hash bytea NOT NULL CHECK (length(chain_hash) = 32)
);
CREATE TABLE audit_checkpoints (
    seq bigint NOT NULL CHECK (seq > 0),
    chain_hash bytea NOT NULL CHECK (length(chain_hash) = 32),
    mac bytea NOT NULL CHECK (length(mac) = 32),
    at timestamptz_text NOT NULL,
    PRIMARY KEY (seq, mac)
);
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON audit_seals FOR EACH ROW EXECUTE FUNCTION audit_refuse_change();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit_seals EXECUTE FUNCTION audit_refuse_change();
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON audit_checkpoints FOR EACH ROW EXECUTE FUNCTION audit_refuse_change();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit_checkpoints EXECUTE FUNCTION audit_refuse_change();
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'coinlink_app') THEN
        REVOKE ALL ON audit_seals, audit_checkpoints FROM coinlink_app;
        GRANT SELECT, INSERT ON audit_seals, audit_checkpoints TO coinlink_app;
    END IF;
END $$;
";

const SQLITE: &str = "
CREATE TABLE audit_seals (
    seq bigint NOT NULL PRIMARY KEY CHECK (seq > 0),
    audit_id uuid_text NOT NULL UNIQUE,
    entry_at timestamptz_text NOT NULL,
    sealed_at timestamptz_text NOT NULL,
    entry_hash blob NOT NULL CHECK (length(entry_hash) = 32),
    chain_hash blob NOT NULL CHECK (length(chain_hash) = 32)
);
CREATE TABLE audit_checkpoints (
    seq bigint NOT NULL CHECK (seq > 0),
    chain_hash blob NOT NULL CHECK (length(chain_hash) = 32),
    mac blob NOT NULL CHECK (length(mac) = 32),
    at timestamptz_text NOT NULL,
    PRIMARY KEY (seq, mac)
);
CREATE TRIGGER audit_seals_no_update BEFORE UPDATE ON audit_seals
BEGIN SELECT RAISE(ABORT, 'audit_seals is append-only: UPDATE is refused'); END;
CREATE TRIGGER audit_seals_no_delete BEFORE DELETE ON audit_seals
BEGIN SELECT RAISE(ABORT, 'audit_seals is append-only: DELETE is refused'); END;
CREATE TRIGGER audit_seals_no_replace BEFORE INSERT ON audit_seals
WHEN EXISTS (SELECT 1 FROM audit_seals WHERE seq = NEW.seq OR audit_id = NEW.audit_id)
BEGIN SELECT RAISE(ABORT, 'audit_seals is append-only: REPLACE is refused'); END;
CREATE TRIGGER audit_checkpoints_no_update BEFORE UPDATE ON audit_checkpoints
BEGIN SELECT RAISE(ABORT, 'audit_checkpoints is append-only: UPDATE is refused'); END;
CREATE TRIGGER audit_checkpoints_no_delete BEFORE DELETE ON audit_checkpoints
BEGIN SELECT RAISE(ABORT, 'audit_checkpoints is append-only: DELETE is refused'); END;
CREATE TRIGGER audit_checkpoints_no_replace BEFORE INSERT ON audit_checkpoints
WHEN EXISTS (SELECT 1 FROM audit_checkpoints WHERE seq = NEW.seq AND mac = NEW.mac)
BEGIN SELECT RAISE(ABORT, 'audit_checkpoints is append-only: REPLACE is refused'); END;
";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = if manager.get_database_backend() == DbBackend::Postgres { POSTGRES } else { SQLITE };
        manager.get_connection().execute_unprepared(sql).await.map(drop)
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = "DROP TABLE audit_checkpoints; DROP TABLE audit_seals";
        manager.get_connection().execute_unprepared(sql).await.map(drop)
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
