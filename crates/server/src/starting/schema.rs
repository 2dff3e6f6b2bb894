//! The schema is there, of this release or a later one, and the role may do on it what a server does.

use coinlink_migration::{DatabaseConnection, DbErr, Migrator, MigratorTrait as _, is_ahead, is_forbidden, missing_rights, role};
use coinlink_postgres::Database;

use crate::serve::StartError;

/// The database cannot be used as it is.
#[derive(Debug, thiserror::Error)]
pub enum WrongSchema {
    /// Something is to be migrated, by somebody else.
    #[error(
        "the database's schema {lacks}, and the role {role} may not change it ({source}): \
         run `coinlink migrate up` as the role that owns the database, then start again"
    )]
    NotMigrated {
        /// What is not there.
        lacks: String,
        /// As whom it was tried.
        role: String,
        /// What the database said.
        source: DbErr,
    },
    /// Nothing is to be migrated; the rights of the app's role are given anew by the owner alone.
    #[error(
        "the database's schema is up to date, and only the role that owns it may run `coinlink migrate up`: {role} may not ({source})"
    )]
    NotOwned {
        /// As whom it was tried.
        role: String,
        /// What the database said.
        source: DbErr,
    },
    /// The role may do less than a server does.
    #[error(
        "the role {role} lacks rights on the database: {}. Run `coinlink migrate up` as the role that owns the database, which gives \
         coinlink_app all it needs; to a role of another name they are granted by hand (docs/audit-log.md)", .lacks.join("; ")
    )]
    Rights {
        /// Whose they should be.
        role: String,
        /// Each: which, on what.
        lacks: Vec<String>,
    },
}

/// Applies what is pending, and looks at the rights. Where nothing is pending, it only looks: the role of a server need not be allowed to
/// change the schema.
pub(crate) async fn bring_up_to_date(database: &Database) -> Result<(), StartError> {
    database.with_migration_lock(async |connection| Ok(up_to_date(connection).await)).await?
}

/// Applies what is pending, as the owner.
pub(crate) async fn migrate_up(database: &Database) -> Result<(), StartError> {
    database.with_migration_lock(async |connection| Ok(up(connection).await)).await?
}

async fn up_to_date(connection: &DatabaseConnection) -> Result<(), StartError> {
    // Where nothing can be read yet, everything is pending.
    let pending = Migrator::get_pending_migrations_read_only(connection).await;
    if !pending.is_ok_and(|pending| pending.is_empty()) {
        // While a release is rolled out, and after it was rolled back.
        if is_ahead(connection).await {
            tracing::warn!("the schema is of a later release than this node: it is used as it is");
        } else {
            up(connection).await?;
        }
    }
    let lacks = missing_rights(connection).await?;
    if lacks.is_empty() { Ok(()) } else { Err(WrongSchema::Rights { role: name(connection).await, lacks }.into()) }
}

async fn up(connection: &DatabaseConnection) -> Result<(), StartError> {
    match Migrator::up(connection, None).await {
        Ok(()) => Ok(()),
        Err(error) if is_forbidden(&error) => Err(forbidden(connection, error).await),
        Err(error) => Err(error.into()),
    }
}

/// A schema that is there and cannot be looked at is not one that is missing.
async fn forbidden(connection: &DatabaseConnection, source: DbErr) -> StartError {
    let role = name(connection).await;
    let lacks = missing_rights(connection).await.unwrap_or_default();
    if lacks.iter().any(|right| right == "SELECT on seaql_migrations") {
        return WrongSchema::Rights { role, lacks }.into();
    }
    let pending = match Migrator::get_pending_migrations_read_only(connection).await {
        Ok(none) if none.is_empty() => return WrongSchema::NotOwned { role, source }.into(),
        pending => pending.unwrap_or_default(),
    };
    let lacks = match pending.first() {
        Some(first) if pending.len() < Migrator::migrations().len() => {
            format!("lacks {} of this release's steps, from {} on", pending.len(), first.name())
        }
        _ => "is not there".to_owned(),
    };
    WrongSchema::NotMigrated { lacks, role, source }.into()
}

async fn name(connection: &DatabaseConnection) -> String {
    role(connection).await.ok().flatten().unwrap_or_else(|| "of this connection".to_owned())
}
