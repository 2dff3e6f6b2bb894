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

fn refused(err: &DbErr) -> Option<Refused> {
    match err {
        DbErr::Conn(RuntimeErr::SqlxError(error))
        | DbErr::Exec(RuntimeErr::SqlxError(error))
        | DbErr::Query(RuntimeErr::SqlxError(error)) => error.as_database_error().map(Refused::of),
        _ => None,
    }
}

/// The only place that knows both `DbErr` and `StoreError`.
pub(crate) fn store_error(err: DbErr) -> StoreError {
    if let Some(SqlErr::UniqueConstraintViolation(constraint)) = err.sql_err() {
        return StoreError::Conflict { constraint };
    }
    match err {
        DbErr::Type(_) | DbErr::TryIntoErr { .. } => corrupt("the value of a column", err),
        err => match refused(&err) {
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
