//! What signs and seals tokens.

use std::{path::Path, sync::Arc};

use coinlink_credentials::{CredentialsError, JwtAccessTokens, JwtSettings, KeyFolder, SigningKeys, token_secret_of};
use coinlink_domain::identity::LEEWAY;
use secrecy::SecretString;

use super::Surroundings;
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

#[cfg(test)]
mod tests {
    use coinlink_domain::identity::{SessionId, UserId};
    use coinlink_ports::identity::{AccessGrant, AccessRefusal, AccessTokens as _};
    use time::{Duration, macros::datetime};
    use uuid::Uuid;

    use super::*;
    use crate::config::{self, Mode, Sources};

    /// The figure that clients and other services were promised.
    #[test]
    fn a_node_judges_tokens_with_sixty_seconds_of_leeway_and_not_one_more() {
        let folder = tempfile::tempdir().unwrap();
        let flags = vec![("server.data_dir", folder.path().display().to_string())];
        let loaded = config::load(&Sources { mode: Mode::Dev, flags, ..Sources::default() });
        let settings = loaded.into_settings().unwrap().with_dev_secrets().unwrap();
        let tokens = access_tokens(&settings, None).unwrap();
        let noon = datetime!(2026-11-22 12:00 UTC);
        let (user, session) = (UserId(Uuid::from_u128(1)), SessionId(Uuid::from_u128(2)));
        let grant = AccessGrant { user, session, generation: 1, issued_at: noon, expires_at: noon + Duration::minutes(15) };
        let token = tokens.mint(&grant).unwrap().0;
        let at = |now| tokens.verify(&token, now).map(|_| ());
        assert_eq!(at(noon - Duration::seconds(60)), Ok(()));
        assert_eq!(at(noon - Duration::seconds(61)), Err(AccessRefusal::NotYetValid));
        assert_eq!(at(grant.expires_at + Duration::seconds(59)), Ok(()));
        assert_eq!(at(grant.expires_at + Duration::seconds(60)), Err(AccessRefusal::Expired));
        for (page, promise) in [
            (include_str!("../../../../docs/authentication.md"), "Tokens are judged with 60 s of leeway"),
            (include_str!("../../../../docs/signing-keys.md"), "with 60 s of leeway at most"),
        ] {
            assert!(page.contains(promise), "{promise}");
        }
    }
}
