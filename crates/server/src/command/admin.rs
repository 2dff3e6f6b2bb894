//! `coinlink admin grant|revoke`: who may look after other accounts.

use std::sync::Arc;

use coinlink_application::identity::{ChangeRole, ChangeRoleError};
use coinlink_domain::{
    identity::{Email, Role},
    shared::sealed::Sealed,
};
use coinlink_embedded::{SystemClock, SystemEntropy};
use coinlink_ports::shared::{SecretBox, SecretBoxError};
use coinlink_postgres::{ConnectError, ConnectSettings, Database, SqlIdentityStore};

use super::{NoDatabase, because, database_url};
use crate::{config::Settings, wiring};

/// The role stays as it is.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// There is no database where the settings say.
    #[error(transparent)]
    NoDatabase(#[from] NoDatabase),
    /// The database's settings are wrong.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// It cannot be.
    #[error("{}", match .0 { ChangeRoleError::Store(error) => because(error), other => other.to_string() })]
    Refused(#[from] ChangeRoleError),
}

/// A change of role stores no secret, and this command is run where the keys need not be.
struct NoKeys;

impl SecretBox for NoKeys {
    fn seal(&self, _: &str, _: &[u8]) -> Result<Sealed, SecretBoxError> {
        Err(SecretBoxError::Failed)
    }

    fn open(&self, _: &str, sealed: &Sealed) -> Result<Vec<u8>, SecretBoxError> {
        Err(SecretBoxError::UnknownKey(sealed.key_id.clone()))
    }

    fn newest_key(&self) -> &'static str {
        ""
    }
}

/// Gives the account of `email` this role, in the database of the settings. The text says what was done.
pub async fn change_role(settings: &Settings, email: &Email, role: Role) -> Result<String, AdminError> {
    let database = Database::connect(&ConnectSettings::new(database_url(settings)?)).await?;
    let store = Arc::new(SqlIdentityStore::new(database, Arc::new(NoKeys)));
    let use_case = ChangeRole {
        store,
        policy: wiring::session_policy(settings),
        clock: Arc::new(SystemClock::default()),
        entropy: Arc::new(SystemEntropy),
    };
    let (user, changed) = use_case.execute(email, role).await?;
    Ok(match (role, changed) {
        (Role::Admin, true) => format!("{} is an administrator now.\n", user.email),
        (Role::Admin, false) => format!("{} is an administrator already.\n", user.email),
        (Role::User, true) => format!("{} is no administrator any more.\n", user.email),
        (Role::User, false) => format!("{} is no administrator anyway.\n", user.email),
    })
}
