//! What a server needs to be allowed: asked when it starts, so that nobody finds out one request at a time.

use sea_orm_migration::{
    prelude::*,
    sea_orm::{DbBackend, RuntimeErr, Statement, sqlx::error::DatabaseError},
};

use crate::DatabaseConnection;

/// Every table, without partitions, which are used through the whole. A server needs of each what `app_role` grants.
pub const TABLES: [&str; 35] = [
    "alert_progress",
    "alert_rules",
    "api_keys",
    "audit_checkpoints",
    "audit_log",
    "audit_retirements",
    "audit_seals",
    "candle_gaps",
    "chat_exchanges",
    "feedback",
    "fired_alerts",
    "last_known_prices",
    "mail_links",
    "monitor_alerts",
    "notification_deliveries",
    "notification_settings",
    "notifications",
    "outbox_mails",
    "price_candle_symbols",
    "price_candles_1d",
    "price_candles_1h",
    "price_candles_1m",
    "price_candles_5m",
    "recovery_codes",
    "seaql_migrations",
    "second_factors",
    "secret_prints",
    "sessions",
    "sign_in_guards",
    "sign_in_tickets",
    "user_preferences",
    "users",
    "wallet_challenges",
    "wallets",
    "webhooks",
];

/// `has_table_privilege` knows inherited rights and those of everybody; it is null of a table that is not there.
const MISSING: &str = r"
SELECT concat(string_agg(privilege, ', ' ORDER BY place), ' on ', name,
        CASE WHEN to_regclass(name) IS NULL THEN ' (which is not there)' END)
    FROM (SELECT name, unnest(CASE
                WHEN name IN ('seaql_migrations', 'audit_retirements') THEN ARRAY['SELECT']
                WHEN name LIKE 'audit\_%' THEN ARRAY['SELECT', 'INSERT']
                ELSE ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']
            END) AS privilege FROM unnest(string_to_array($1, ' ')) AS wanted (name)) AS needed
        JOIN unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) WITH ORDINALITY AS places (known, place) ON known = privilege
    WHERE has_table_privilege(to_regclass(name)::oid, privilege) IS NOT TRUE
    GROUP BY name
UNION ALL
SELECT concat('EXECUTE on ', oid::regprocedure) FROM pg_proc
    WHERE pronamespace = current_schema()::regnamespace
        AND (proname LIKE 'price\_candles\_%' OR proname = 'audit_log_ensure_partitions')
        AND NOT has_function_privilege(oid, 'EXECUTE')
UNION ALL
SELECT concat('SELECT on ', relname) FROM pg_class
    WHERE relnamespace = current_schema()::regnamespace AND relkind = 'v' AND relname LIKE 'price\_candles\_%\_rolled'
        AND NOT has_table_privilege(oid, 'SELECT')";

/// What the role of this connection lacks of what a server needs on a schema of this release or a later one, in words: `DELETE on
/// wallets`. On SQLite nothing: it has no roles.
pub async fn missing_rights(connection: &DatabaseConnection) -> Result<Vec<String>, DbErr> {
    let backend = connection.get_database_backend();
    if backend != DbBackend::Postgres {
        return Ok(Vec::new());
    }
    let select = Statement::from_sql_and_values(backend, MISSING, [TABLES.join(" ").into()]);
    let rows = connection.query_all_raw(select).await?;
    let mut lacks = rows.iter().map(|row| row.try_get_by_index(0)).collect::<Result<Vec<String>, _>>()?;
    lacks.sort();
    Ok(lacks)
}

/// What the role of this connection is called, where there are roles.
pub async fn role(connection: &DatabaseConnection) -> Result<Option<String>, DbErr> {
    let backend = connection.get_database_backend();
    if backend != DbBackend::Postgres {
        return Ok(None);
    }
    let select = Statement::from_string(backend, "SELECT current_user::text");
    connection.query_one_raw(select).await?.map(|row| row.try_get_by_index(0)).transpose()
}

/// Whether the database refused because the role may not, or sees no schema that it may make anything in.
#[must_use]
pub fn is_forbidden(error: &DbErr) -> bool {
    let (DbErr::Conn(RuntimeErr::SqlxError(error))
    | DbErr::Exec(RuntimeErr::SqlxError(error))
    | DbErr::Query(RuntimeErr::SqlxError(error))) = error
    else {
        return false;
    };
    matches!(error.as_database_error().and_then(DatabaseError::code).as_deref(), Some("42501" | "3F000"))
}
