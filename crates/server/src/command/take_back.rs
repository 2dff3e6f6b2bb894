//! `coinlink migrate down`: takes the newest migration back, and tells before what is lost with it.

use std::io::{self, BufRead, IsTerminal as _, Write};

use coinlink_migration::{Migrator, MigratorTrait as _, loss};
use coinlink_postgres::{Database, MigrationError};

/// The migration stays.
#[derive(Debug, thiserror::Error)]
pub enum TakeBackError {
    /// None is applied.
    #[error("no migration is applied: there is nothing to take back")]
    None,
    /// Nobody could be asked.
    #[error("taking back {name} loses {loss}: nothing is changed; make a copy of the database, then add --yes")]
    Unasked {
        /// The migration.
        name: String,
        /// What would be lost.
        loss: &'static str,
    },
    /// Whoever was asked does not want it.
    #[error("nothing is changed")]
    Refused,
    /// The question could not be asked.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The database refuses.
    #[error("the newest migration could not be taken back: {0}")]
    Database(#[from] MigrationError),
}

/// Takes the newest migration back, if `yes` or whoever sits at the terminal says so.
pub async fn take_back(database: &Database, yes: bool) -> Result<(), TakeBackError> {
    let newest = async || -> Result<Option<String>, MigrationError> {
        let applied = database.with_migration_lock(async |db| Migrator::get_applied_migrations(db).await).await?;
        Ok(applied.last().map(|step| step.name().to_owned()))
    };
    let name = newest().await?.ok_or(TakeBackError::None)?;
    let loss = loss(&name).unwrap_or("what was stored by it");
    if !yes {
        if !io::stdin().is_terminal() {
            return Err(TakeBackError::Unasked { name, loss });
        }
        if !agrees(&name, loss, &mut io::stdin().lock(), &mut io::stderr())? {
            return Err(TakeBackError::Refused);
        }
        // Another one may have come while nobody answered.
        if newest().await?.as_ref() != Some(&name) {
            return Err(TakeBackError::Refused);
        }
    }
    tracing::warn!(migration = name, lost = loss, "taking a migration back");
    Ok(database.with_migration_lock(async |db| Migrator::down(db, Some(1)).await).await?)
}

fn agrees(name: &str, loss: &str, answers: &mut impl BufRead, questions: &mut impl Write) -> io::Result<bool> {
    write!(questions, "Taking back {name} loses {loss}.\nType yes to do it: ")?;
    questions.flush()?;
    let mut answer = String::new();
    answers.read_line(&mut answer)?;
    Ok(answer.trim() == "yes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_yes_is_one_and_what_goes_is_told_before() {
        for (answer, agreed) in [("yes\n", true), ("y\n", false), ("\n", false), ("", false), ("no\nyes\n", false)] {
            let mut told = Vec::new();
            assert_eq!(agrees("m20_users", "ALL ACCOUNTS", &mut answer.as_bytes(), &mut told).unwrap(), agreed, "{answer}");
            let told = String::from_utf8(told).unwrap();
            assert!(told.contains("m20_users loses ALL ACCOUNTS."), "{told}");
        }
    }
}
