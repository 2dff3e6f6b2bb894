//! `coinlink keys`: the keys that sign access tokens.

use std::{fmt::Write as _, path::PathBuf};

use coinlink_credentials::{KeyFolder, KeyFolderError, KeyListing, NewKey};
use coinlink_domain::identity::{
    LEEWAY,
    signing_keys::{KeyState, RotationPolicy},
};
use time::{Duration, OffsetDateTime};

use crate::{
    cli::{KeyKind, KeysCommand},
    config::Settings,
    http::JWKS_MAX_AGE_SECS,
    jobs::NODES_KNOW_AFTER_SECS,
    wire::rfc3339,
    wiring,
};

/// What was asked for was not done.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// Nobody said where the keys are.
    #[error("there is no folder for keys: set JWT_KEYS_DIR, or name one with --dir")]
    NoFolder,
    /// The folder is in the way.
    #[error(transparent)]
    Folder(#[from] KeyFolderError),
}

/// Does it in `folder`, or in that of the settings. The text says what was done.
pub fn run(
    settings: &Settings,
    folder: Option<PathBuf>,
    command: &KeysCommand,
    now: OffsetDateTime,
) -> Result<String, KeysError> {
    let folder = folder.map(KeyFolder::at).or_else(|| wiring::key_folder(settings)).ok_or(KeysError::NoFolder)?;
    Ok(match command {
        KeysCommand::Generate { alg, rsa_bits, publish_secs } => {
            let key = folder.generate(new_key(*alg, *rsa_bits), Duration::seconds((*publish_secs).into()), now)?;
            let (name, from) = (key.algorithm.name(), rfc3339(key.period.signs_from));
            format!("{name} {} is made. It signs from {from} on: start the servers with JWT_KEYS_DIR.\n", key.id)
        }
        KeysCommand::Rotate { alg, rsa_bits, publish_secs } => {
            let policy = RotationPolicy { publish: Duration::seconds((*publish_secs).into()), overlap: overlap(settings) };
            let keep = Duration::days(settings.auth.refresh_token_ttl_days.into());
            let key = folder.rotate(alg.map(|alg| new_key(alg, *rsa_bits)), policy, keep, now)?;
            rotated(&key, *publish_secs)
        }
        KeysCommand::List => table(&folder.list(now)?),
        KeysCommand::Revoke { kid } => {
            let signing = folder.revoke(kid, overlap(settings), now)?;
            format!(
                "{kid} is gone: within seconds no server takes what it signed, and clients refresh.\n\
                 {} {} signs now. Other services may keep the old one for {} minutes more.\n",
                signing.algorithm.name(),
                signing.id,
                JWKS_MAX_AGE_SECS / 60
            )
        }
        KeysCommand::Prune => match &folder.prune(now)?[..] {
            [] => "No key has retired, and none was revoked long enough ago: nothing is removed.\n".to_owned(),
            gone => format!("Removed: {}.\n", gone.join(", ")),
        },
    })
}

/// For so long a key is believed after it signed last.
fn overlap(settings: &Settings) -> Duration {
    Duration::minutes(settings.auth.access_token_ttl_min.into()) + LEEWAY
}

const fn new_key(kind: KeyKind, rsa_bits: u16) -> NewKey {
    match kind {
        KeyKind::EdDsa => NewKey::EdDsa,
        KeyKind::Rs256 => NewKey::Rs256(rsa_bits),
    }
}

fn rotated(key: &KeyListing, publish_secs: u32) -> String {
    let from = rfc3339(key.period.signs_from);
    let mut text = format!("{} {} is made and published. It signs from {from} on.\n", key.algorithm.name(), key.id);
    if publish_secs < NODES_KNOW_AFTER_SECS {
        let _ = writeln!(
            text,
            "Warning: servers look for new keys every few seconds, and one that does not know this key yet refuses its tokens: \
             give --publish-secs {NODES_KNOW_AFTER_SECS} or more."
        );
    }
    if publish_secs <= JWKS_MAX_AGE_SECS {
        let _ = writeln!(
            text,
            "Warning: other services keep their copy of the keys for {} minutes, and may not know it by then: --publish-secs {} is safe.",
            JWKS_MAX_AGE_SECS / 60,
            JWKS_MAX_AGE_SECS + 1
        );
    }
    text
}

fn table(keys: &[KeyListing]) -> String {
    let mut text =
        format!("{:<32}  {:<5}  {:<9}  {:<20}  {:<20}  RETIRES AT\n", "KID", "ALG", "STATE", "CREATED AT", "SIGNS FROM");
    for key in keys {
        let retires = key.period.retires_at.map_or_else(|| "-".to_owned(), rfc3339);
        // Writing to a String does not fail.
        let _ = writeln!(
            text,
            "{:<32}  {:<5}  {:<9}  {:<20}  {:<20}  {retires}",
            key.id,
            key.algorithm.name(),
            key.state.name(),
            rfc3339(key.created_at),
            rfc3339(key.period.signs_from)
        );
    }
    if keys.iter().all(|key| key.state != KeyState::Signing) {
        text.push_str("Warning: none of them signs.\n");
    }
    text
}
