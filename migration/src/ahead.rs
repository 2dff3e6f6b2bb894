//! A schema that a later release made: nodes of the release before it go on with it while they are replaced, and come back to it when the later
//! one is rolled back.

use std::collections::BTreeSet;

use sea_orm_migration::{prelude::*, sea_orm::Statement};

use crate::{DatabaseConnection, Migrator};

/// Whether every step of ours is applied, and others are which we do not know. Where that cannot be read, it is not so.
pub async fn is_ahead(connection: &DatabaseConnection) -> bool {
    let select = Statement::from_string(connection.get_database_backend(), "SELECT version FROM seaql_migrations");
    let Ok(rows) = connection.query_all_raw(select).await else { return false };
    let applied: BTreeSet<String> = rows.iter().filter_map(|row| row.try_get("", "version").ok()).collect();
    let ours: BTreeSet<String> = Migrator::migrations().iter().map(|step| step.name().to_owned()).collect();
    applied.is_superset(&ours) && applied.len() > ours.len()
}
