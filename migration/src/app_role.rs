//! What the role that the app runs as may do. `docs/audit-log.md` tells of the role.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

/// Goes over the schema as it is, so that no table can be forgotten; what other roles own in it is theirs to grant. In one statement, so
/// that nobody meets the audit log between the two.
const GRANTS: &str = r"
DO $$
DECLARE
    it record;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'coinlink_app') THEN
        RETURN;
    END IF;
    IF (SELECT pg_has_role(nspowner, 'USAGE') FROM pg_namespace WHERE nspname = current_schema()) THEN
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO coinlink_app', current_schema());
    END IF;
    FOR it IN
        SELECT c.oid::regclass AS name, c.relkind AS kind, c.relispartition AS is_partition,
            c.relname LIKE 'audit\_%' AS is_audit, c.relname IN ('seaql_migrations', 'audit_retirements') AS is_read_only
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p', 'S') AND pg_has_role(c.relowner, 'USAGE')
    LOOP
        IF it.kind = 'S' THEN
            EXECUTE format('GRANT USAGE, SELECT ON SEQUENCE %s TO coinlink_app', it.name);
        ELSIF it.is_audit THEN
            EXECUTE format('REVOKE ALL ON %s FROM coinlink_app', it.name);
            -- What is in a partition is read and added through the whole table. What was retired, the owner alone says.
            IF it.is_read_only THEN
                EXECUTE format('GRANT SELECT ON %s TO coinlink_app', it.name);
            ELSIF NOT it.is_partition THEN
                EXECUTE format('GRANT SELECT, INSERT ON %s TO coinlink_app', it.name);
            END IF;
        ELSIF it.is_read_only THEN
            EXECUTE format('GRANT SELECT ON %s TO coinlink_app', it.name);
        ELSE
            EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO coinlink_app', it.name);
        END IF;
    END LOOP;
    IF (SELECT pg_has_role(proowner, 'USAGE') FROM pg_proc WHERE oid = to_regprocedure('audit_log_ensure_partitions(int)')) THEN
        GRANT EXECUTE ON FUNCTION audit_log_ensure_partitions(int) TO coinlink_app;
    END IF;
    FOR it IN
        SELECT oid::regprocedure AS name FROM pg_proc
        WHERE pronamespace = current_schema()::regnamespace AND proname LIKE 'price\_candles\_%' AND pg_has_role(proowner, 'USAGE')
    LOOP
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO coinlink_app', it.name);
    END LOOP;
    FOR it IN
        SELECT oid::regclass AS name FROM pg_class
        WHERE relnamespace = current_schema()::regnamespace AND relkind = 'v' AND relname LIKE 'price\_candles\_%\_rolled'
            AND pg_has_role(relowner, 'USAGE')
    LOOP
        EXECUTE format('GRANT SELECT ON %s TO coinlink_app', it.name);
    END LOOP;
END $$;
";

/// Gives the role its rights on everything there is; where there is no such role, nothing.
pub(crate) async fn grant(connection: &SchemaManagerConnection<'_>) -> Result<(), DbErr> {
    if connection.get_database_backend() == DbBackend::Postgres {
        connection.execute_unprepared(GRANTS).await?;
    }
    Ok(())
}
