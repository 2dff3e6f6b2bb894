//! What the role of a connection may do to the audit log beyond what the app needs: the triggers stand in its way, and an owner can
//! switch them off.

use coinlink_ports::shared::StoreError;
use sea_orm::{ConnectionTrait, DbBackend, Statement};

use crate::Database;

/// `has_table_privilege` knows inherited rights and those of everybody; a superuser has all of them.
const SQL: &str = "SELECT concat_ws(' ', 'may', string_agg(privilege, ', ' ORDER BY privilege), 'on', relname)
      FROM pg_class c CROSS JOIN unnest(ARRAY['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) privilege
     WHERE relnamespace = current_schema()::regnamespace
       AND relname IN ('audit_log', 'audit_seals', 'audit_checkpoints', 'audit_retirements')
       AND (privilege <> 'INSERT' OR relname = 'audit_retirements')
       AND has_table_privilege(c.oid, privilege)
     GROUP BY relname
    UNION ALL SELECT 'is a superuser' FROM pg_roles WHERE rolname = current_user AND rolsuper
    UNION ALL SELECT concat('owns ', relname) FROM pg_class
     WHERE relnamespace = current_schema()::regnamespace
       AND relname IN ('audit_log', 'audit_seals', 'audit_checkpoints', 'audit_retirements')
       AND pg_has_role(relowner, 'USAGE')
    UNION ALL SELECT 'finds no audit_log: migrate first' WHERE to_regclass('audit_log') IS NULL
    ORDER BY 1";

/// What the role may do too much, in words; empty where it may read and add alone. `None`: SQLite has no roles.
pub async fn audit_rights(database: &Database) -> Result<Option<Vec<String>>, StoreError> {
    let connection = &database.connection;
    if connection.get_database_backend() != DbBackend::Postgres {
        return Ok(None);
    }
    let statement = Statement::from_string(DbBackend::Postgres, SQL);
    let rows = database.within_deadline(connection.query_all_raw(statement)).await?;
    let rights: Result<Vec<String>, _> = rows.iter().map(|row| row.try_get_by_index(0)).collect();
    rights.map(Some).map_err(crate::errors::store_error)
}
