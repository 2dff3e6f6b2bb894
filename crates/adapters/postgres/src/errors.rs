use coinlink_ports::shared::StoreError;
use sea_orm::{DbErr, RuntimeErr, SqlErr, sqlx};

/// The settings lead to no database.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Neither of the two that we know.
    #[error("a database URL begins with postgres:// or sqlite:")]
    Scheme,
    /// The rest of it cannot be read. What is told of it never holds the URL, which holds a password.
    #[error("the database URL cannot be read: {0}")]
    Url(#[source] sea_orm::sqlx::Error),
    /// The pool cannot be made.
    #[error("the database cannot be used: {0}")]
    Pool(#[source] DbErr),
}

/// What was to be done while no other node migrates was not done.
#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    /// Nobody answers where the settings say.
    #[error("the database at {place} cannot be reached: {why}")]
    Unreachable {
        /// Host and port, or the socket's path.
        place: String,
        /// Why, without the URL, which holds a password.
        why: String,
    },
    /// Whoever answers there lets nobody in with these settings.
    #[error("the database at {place} refuses the connection: {why}")]
    Refused {
        /// Host and port, or the socket's path.
        place: String,
        /// In its words.
        why: String,
    },
    /// Others cannot be kept from the embedded database.
    #[error("the file {file} cannot be locked: {source}")]
    Lock {
        /// Which.
        file: String,
        /// Why.
        source: std::io::Error,
    },
    /// The database did not do what was asked.
    #[error("{}", plain(.0))]
    Database(#[from] DbErr),
}

/// Without the name that the library has for the kind of failure, where its text says all.
fn plain(error: &DbErr) -> String {
    match error {
        DbErr::Custom(text) | DbErr::Migration(text) => text.clone(),
        error => error.to_string(),
    }
}

/// A call took longer than the database may take.
#[derive(Debug, thiserror::Error)]
#[error("no answer in time")]
pub(crate) struct DeadlineExceeded;

/// The database refused: in its own words, with its code.
#[derive(Debug, thiserror::Error)]
#[error("{message} ({code})")]
pub(crate) struct Refused {
    message: String,
    code: String,
}

impl Refused {
    /// Of what a database says only the message is kept, and not the detail, which holds values. What it says of a value that it
    /// cannot take (class 22) quotes the value in the message as well.
    pub(crate) fn of(error: &dyn sqlx::error::DatabaseError) -> Self {
        let code = error.code().unwrap_or_default();
        let message = if code.starts_with("22") { "a value was refused" } else { error.message() };
        let kind = if error.try_downcast_ref::<sqlx::postgres::PgDatabaseError>().is_some() { "SQLSTATE" } else { "code" };
        Self { message: message.to_owned(), code: format!("{kind} {code}") }
    }
}

fn said(err: &DbErr) -> Option<&dyn sqlx::error::DatabaseError> {
    match err {
        DbErr::Conn(RuntimeErr::SqlxError(error))
        | DbErr::Exec(RuntimeErr::SqlxError(error))
        | DbErr::Query(RuntimeErr::SqlxError(error)) => error.as_database_error(),
        _ => None,
    }
}

/// Whether a foreign key of this name leads to an account.
fn leads_to_an_account(name: &str) -> bool {
    name.ends_with("_user_id_fkey") && name != "recovery_codes_user_id_fkey"
}

/// The foreign key to an account that is not there. SQLite does not say which key it was: see [`of_no_account`].
fn violated_key(err: &DbErr) -> Option<String> {
    let Some(SqlErr::ForeignKeyConstraintViolation(_)) = err.sql_err() else { return None };
    match said(err)?.constraint() {
        Some(name) => leads_to_an_account(name).then(|| name.to_owned()),
        None => Some("of a name that is not told".to_owned()),
    }
}

/// What a statement failed with whose foreign keys lead to no account.
pub(crate) fn of_no_account(error: StoreError) -> StoreError {
    match error {
        StoreError::NoAccount { .. } => StoreError::Unavailable(Box::new(error)),
        other => other,
    }
}

/// The only place that knows both `DbErr` and `StoreError`.
pub(crate) fn store_error(err: DbErr) -> StoreError {
    if let Some(SqlErr::UniqueConstraintViolation(constraint)) = err.sql_err() {
        return StoreError::Conflict { constraint };
    }
    if let Some(constraint) = violated_key(&err) {
        return StoreError::NoAccount { constraint };
    }
    match err {
        DbErr::Type(_) | DbErr::TryIntoErr { .. } => corrupt("the value of a column", err),
        err => match said(&err).map(Refused::of) {
            Some(refused) => StoreError::Unavailable(Box::new(refused)),
            None => StoreError::Unavailable(Box::new(err)),
        },
    }
}

/// What is stored is not what a store puts there.
pub(crate) fn corrupt(what: &'static str, source: impl std::error::Error + Send + Sync + 'static) -> StoreError {
    StoreError::Corrupt { what, source: Some(Box::new(source)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use coinlink_testkit::servers::fresh_database;
    use sea_orm::{ConnectionTrait as _, DbBackend, Statement};

    use crate::{ConnectSettings, Database};

    #[tokio::test]
    async fn the_foreign_keys_that_lead_to_accounts_are_known_by_their_names() {
        let place = fresh_database().await;
        let database = Database::connect(&ConnectSettings::new(&place.url)).await.unwrap();
        let keys = "SELECT conname::text, confrelid = 'users'::regclass FROM pg_constraint WHERE contype = 'f'";
        let rows = database.connection.query_all_raw(Statement::from_string(DbBackend::Postgres, keys)).await.unwrap();
        assert!(rows.len() > 15, "{}", rows.len());
        for row in rows {
            let (name, leads): (String, bool) = (row.try_get_by_index(0).unwrap(), row.try_get_by_index(1).unwrap());
            assert_eq!(leads_to_an_account(&name), leads, "{name}: name one to users …_user_id_fkey, and no other");
        }
    }

    #[test]
    fn a_value_that_cannot_be_read_is_corrupt_and_all_else_is_unavailable() {
        assert!(matches!(store_error(DbErr::Type("x".into())), StoreError::Corrupt { .. }));
        assert!(matches!(store_error(DbErr::Custom("x".into())), StoreError::Unavailable(_)));
    }

    #[test]
    fn what_the_library_calls_a_failure_is_not_told_where_its_text_says_all() {
        for error in [DbErr::Custom("a step is missing".into()), DbErr::Migration("a step is missing".into())] {
            assert_eq!(MigrationError::from(error).to_string(), "a step is missing");
        }
        assert_eq!(MigrationError::from(DbErr::RecordNotFound("x".into())).to_string(), "RecordNotFound Error: x");
    }
}
