//! `coinlink admin`: who may look after other accounts, and help for who lost a second factor.

use std::{fmt::Write as _, sync::Arc};

use coinlink_application::identity::{ByAddressError, ChangeRole, ChangeRoleError, Letters, ResetSecondFactor};
use coinlink_domain::{
    identity::{Email, Role},
    shared::sealed::Sealed,
};
use coinlink_embedded::{SystemClock, SystemEntropy};
use coinlink_ports::shared::{SecretBox, SecretBoxError, StoreError};
use coinlink_postgres::{ConnectSettings, SqlIdentityStore};

use super::{NoDatabase, connected, database_url};
use crate::{
    config::{DevSecretError, Settings},
    serve::StartError,
    wiring,
};

/// Everything stays as it is.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// There is no database where the settings say.
    #[error(transparent)]
    NoDatabase(#[from] NoDatabase),
    /// It cannot be.
    #[error(transparent)]
    Refused(#[from] ChangeRoleError),
    /// The account cannot be.
    #[error(transparent)]
    Address(#[from] ByAddressError),
    /// The owner is told by a letter, which is stored encrypted.
    #[error("TOTP_ENCRYPTION_KEY is missing: the letter to the owner is encrypted with the servers' own")]
    BoxKey,
    /// The key cannot be used, or the database not be reached.
    #[error(transparent)]
    Start(#[from] StartError),
    /// It could not be told from that of the database.
    #[error("{0} is missing: run this with the servers' settings")]
    NoSecret(&'static str),
    /// Nobody said that it is wanted.
    #[error("nothing is changed; add --yes to go on so.\n{0}")]
    Unaccepted(String),
    /// The database did not do what was asked.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The secret of `coinlink dev` cannot be read.
    #[error(transparent)]
    DevSecret(#[from] DevSecretError),
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

async fn store(settings: &Settings, secrets: Arc<dyn SecretBox>) -> Result<Arc<SqlIdentityStore>, AdminError> {
    let database = connected(&ConnectSettings::new(database_url(settings)?)).await?;
    Ok(Arc::new(SqlIdentityStore::new(database, secrets)))
}

/// Gives the account of `email` this role, in the database of the settings. The text says what was done.
pub async fn change_role(settings: &Settings, email: &Email, role: Role) -> Result<String, AdminError> {
    let use_case = ChangeRole {
        store: store(settings, Arc::new(NoKeys)).await?,
        policy: wiring::session_policy(settings),
        clock: Arc::new(SystemClock::default()),
        entropy: Arc::new(SystemEntropy),
    };
    let done = use_case.execute(email, role).await?;
    let user = &done.user;
    let is = match (role, done.changed) {
        (Role::Admin, true) => "is an administrator now",
        (Role::Admin, false) => "is an administrator already",
        (Role::User, true) => "is no administrator any more",
        (Role::User, false) => "is no administrator anyway",
    };
    let mut text = format!("{} {is}.\n", user.email);
    if role == Role::Admin {
        let factor = if done.has_factor {
            "Its second factor is set up, and /api/v2/admin asks for it every five minutes."
        } else {
            "It has no second factor yet, and /api/v2/admin answers only once one is set up and shown."
        };
        // Writing to a String does not fail.
        let _ = writeln!(text, "It is account {}. {factor}", user.id);
        if !user.is_verified {
            let _ = writeln!(
                text,
                "Warning: the address is not verified. Anybody may have registered this account: make sure whose it is."
            );
        }
    }
    Ok(text)
}

/// Removes the second factor of the account of `email`, in the database of the settings. The text says what was done.
pub async fn reset_second_factor(settings: Settings, email: &Email) -> Result<String, AdminError> {
    database_url(&settings)?;
    let settings = with_box_key(settings)?;
    let secrets = wiring::secret_box(&settings)?;
    let secrets: Arc<dyn SecretBox> = Arc::new(secrets);
    let entropy = Arc::new(SystemEntropy);
    let public_url = settings.server.public_url.trim_end_matches('/').to_owned();
    let use_case = ResetSecondFactor {
        store: store(&settings, Arc::clone(&secrets)).await?,
        letters: Letters { entropy: entropy.clone(), secrets, public_url },
        policy: wiring::session_policy(&settings),
        clock: Arc::new(SystemClock::default()),
        entropy,
    };
    let (user, ended) = use_case.execute(email).await?;
    Ok(match ended {
        None => format!("{} has no second factor.\n", user.email),
        Some(ended) => {
            let plural = if ended == 1 { "" } else { "s" };
            format!("The second factor of {} (account {}) is removed; {ended} session{plural} ended.\n", user.email, user.id)
        }
    })
}

/// That of `coinlink dev` only where it is kept already: no server would open what a new one sealed.
fn with_box_key(settings: Settings) -> Result<Settings, AdminError> {
    if settings.auth.totp_encryption_key.is_some() {
        return Ok(settings);
    }
    if settings.server.data_dir.join("secrets/totp_encryption_key").exists() {
        return Ok(settings.with_dev_secrets()?);
    }
    Err(AdminError::BoxKey)
}
