//! What signs and seals tokens.

use std::{path::Path, sync::Arc};

use coinlink_credentials::{CredentialsError, JwtAccessTokens, JwtSettings, KeyFolder, SigningKeys, token_secret_of};
use secrecy::SecretString;

use super::{LEEWAY, Surroundings};
use crate::{config::Settings, serve::StartError};

/// The folder of keys, where tokens are signed with keys.
pub fn key_folder(settings: &Settings) -> Option<KeyFolder> {
    let folder = &settings.auth.jwt_keys_dir;
    (!folder.is_empty()).then(|| KeyFolder::at(Path::new(folder)))
}

/// What all tokens but those signed with keys come from: a secret of their own, or one derived from that of passwords.
pub(super) fn token_secret(settings: &Settings) -> Result<SecretString, CredentialsError> {
    match (&settings.auth.jwt_secret_key, &settings.auth.password_pepper) {
        (None, Some(pepper)) => token_secret_of(pepper),
        // Without keys `serve` refuses to start without it, and `dev` makes its own.
        (secret, _) => Ok(secret.clone().unwrap_or_default()),
    }
}

/// The keys as they are now; none where a shared secret signs.
pub(super) fn signing_keys(settings: &Settings, around: &Surroundings) -> Result<Option<Arc<SigningKeys>>, StartError> {
    let open = |folder| SigningKeys::open(folder, Arc::clone(&around.clock)).map(Arc::new);
    Ok(key_folder(settings).map(open).transpose()?)
}

/// Access tokens. A secret that is set beside keys is believed as before: clients still hold what it signed.
pub(super) fn access_tokens(settings: &Settings, keys: Option<Arc<SigningKeys>>) -> Result<JwtAccessTokens, CredentialsError> {
    let auth = &settings.auth;
    let jwt = JwtSettings {
        secret: token_secret(settings)?,
        issuer: auth.jwt_issuer.clone(),
        audience: auth.jwt_audience.clone(),
        leeway: LEEWAY,
    };
    match keys {
        Some(keys) => JwtAccessTokens::with_keys(&jwt, keys, auth.jwt_secret_key.is_some()),
        None => JwtAccessTokens::new(&jwt),
    }
}
