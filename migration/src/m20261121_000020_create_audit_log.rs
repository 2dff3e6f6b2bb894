//! The audit log: rows are added and never changed. `docs/audit-log.md` tells what guards it.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// Months made in advance.
const AHEAD: u32 = 3;

/// The details are `jsonb` behind a domain, so that one cast takes the same text on both databases, as the exact types do.
const POSTGRES: &str = r#"
CREATE DOMAIN audit_details_text AS jsonb;
CREATE TABLE audit_log (
    id uuid NOT NULL,
    "timestamp" timestamptz_text NOT NULL,
    user_id uuid,
    action text NOT NULL,
    resource_type text NOT NULL,
    resource_id text,
    ip_address text,
    user_agent text,
    details audit_details_text NOT NULL,
    status text NOT NULL CHECK (status IN ('success', 'failure', 'denied')),
    PRIMARY KEY (id, "timestamp")
) PARTITION BY RANGE ("timestamp");
CREATE INDEX audit_log_timestamp ON audit_log ("timestamp");
CREATE INDEX audit_log_user ON audit_log (user_id, "timestamp");
CREATE INDEX audit_log_action ON audit_log (action, "timestamp");
CREATE INDEX audit_log_resource ON audit_log (resource_type, resource_id);
CREATE TABLE audit_log_default PARTITION OF audit_log DEFAULT;

CREATE FUNCTION audit_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;
-- Partitions inherit triggers of rows, those of statements they do not.
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON audit_log FOR EACH ROW EXECUTE FUNCTION audit_refuse_change();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit_log EXECUTE FUNCTION audit_refuse_change();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit_log_default EXECUTE FUNCTION audit_refuse_change();

-- Runs as the table's owner, so that a role that may only add rows can have the months made. The schema is written into it:
-- nothing that its caller can create comes first in the search path.
DO $do$ BEGIN EXECUTE format($create$
CREATE FUNCTION audit_log_ensure_partitions(ahead int) RETURNS int LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, %1$I, pg_temp SET lock_timeout = '1s' AS $body$
DECLARE
    starts timestamp;
    partition text;
    made int := 0;
BEGIN
    IF ahead IS NULL OR ahead NOT BETWEEN 0 AND 120 THEN
        RAISE EXCEPTION 'ahead is a number of months from 0 to 120';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('audit_log_ensure_partitions', 0));
    FOR month IN 0..ahead LOOP
        starts := date_trunc('month', now() AT TIME ZONE 'UTC') + make_interval(months => month);
        partition := 'audit_log_' || to_char(starts, 'YYYY_MM');
        CONTINUE WHEN to_regclass(format('%%I.%%I', %1$L, partition)) IS NOT NULL;
        BEGIN
            EXECUTE format('CREATE TABLE %%I.%%I PARTITION OF %%I.audit_log FOR VALUES FROM (%%L) TO (%%L)', %1$L, partition,
                %1$L, to_char(starts, 'YYYY-MM-DD+00'), to_char(starts + interval '1 month', 'YYYY-MM-DD+00'));
            EXECUTE format('CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON %%I.%%I EXECUTE FUNCTION %%I.audit_refuse_change()',
                %1$L, partition, %1$L);
            -- What tables get by default may be more than the app may have here; it reads and adds through the whole table.
            IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'coinlink_app') THEN
                EXECUTE format('REVOKE ALL ON %%I.%%I FROM coinlink_app', %1$L, partition);
            END IF;
            made := made + 1;
        EXCEPTION WHEN check_violation THEN
            -- The default partition has rows of that month already; it keeps them, and the month.
            RAISE WARNING 'audit_log_default holds rows of %%: that month gets no partition of its own', to_char(starts, 'YYYY-MM');
        END;
    END LOOP;
    RETURN made;
END $body$ $create$, current_schema()); END $do$;
REVOKE ALL ON FUNCTION audit_log_ensure_partitions(int) FROM PUBLIC;
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'coinlink_app') THEN
        REVOKE ALL ON audit_log, audit_log_default FROM coinlink_app;
        GRANT SELECT, INSERT ON audit_log TO coinlink_app;
        GRANT EXECUTE ON FUNCTION audit_log_ensure_partitions(int) TO coinlink_app;
    END IF;
END $$;
"#;

/// `INSERT OR REPLACE` deletes without asking the trigger of DELETE: the one of INSERT refuses ids that are there.
const SQLITE: &str = r#"
CREATE TABLE audit_log (
    id uuid_text NOT NULL PRIMARY KEY,
    "timestamp" timestamptz_text NOT NULL,
    user_id uuid_text,
    action text NOT NULL,
    resource_type text NOT NULL,
    resource_id text,
    ip_address text,
    user_agent text,
    details audit_details_text NOT NULL,
    status text NOT NULL CHECK (status IN ('success', 'failure', 'denied'))
);
CREATE INDEX audit_log_timestamp ON audit_log ("timestamp");
CREATE INDEX audit_log_user ON audit_log (user_id, "timestamp");
CREATE INDEX audit_log_action ON audit_log (action, "timestamp");
CREATE INDEX audit_log_resource ON audit_log (resource_type, resource_id);
CREATE TRIGGER audit_log_no_update BEFORE UPDATE ON audit_log
BEGIN SELECT RAISE(ABORT, 'audit_log is append-only: UPDATE is refused'); END;
CREATE TRIGGER audit_log_no_delete BEFORE DELETE ON audit_log
BEGIN SELECT RAISE(ABORT, 'audit_log is append-only: DELETE is refused'); END;
CREATE TRIGGER audit_log_no_replace BEFORE INSERT ON audit_log WHEN EXISTS (SELECT 1 FROM audit_log WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'audit_log is append-only: REPLACE is refused'); END;
"#;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        if manager.get_database_backend() == DbBackend::Postgres {
            connection.execute_unprepared(POSTGRES).await?;
            connection.execute_unprepared(&format!("SELECT audit_log_ensure_partitions({AHEAD})")).await?;
        } else {
            connection.execute_unprepared(SQLITE).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        connection.execute_unprepared("DROP TABLE audit_log").await?;
        if manager.get_database_backend() == DbBackend::Postgres {
            let functions = "DROP FUNCTION audit_log_ensure_partitions(int); DROP FUNCTION audit_refuse_change();";
            connection.execute_unprepared(&format!("{functions} DROP DOMAIN audit_details_text")).await?;
        }
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
