//! The secrets are those that the database is written with. With another pepper no password matches, and with another key nothing that
//! is encrypted can be read: both look like people who mistype, for as long as nobody looks here.

use std::{fmt, path::PathBuf};

use coinlink_domain::shared::audit::AuditEntry;
use coinlink_embedded::SystemClock;
use coinlink_ports::shared::Clock as _;
use coinlink_postgres::{Database, SealedCounts, SecretPrint, SqlSecretPrints};

use crate::{
    config::{Mode, Settings},
    serve::StartError,
    wiring,
};

pub(crate) const PEPPER: &str = "PASSWORD_PEPPER";
pub(crate) const BOX_KEY: &str = "TOTP_ENCRYPTION_KEY";

/// The settings have other secrets than the database is written with.
#[derive(Debug)]
pub struct OtherSecrets {
    /// The settings' names; never empty.
    names: Vec<&'static str>,
    /// Where `coinlink dev` keeps its own.
    kept_in: Option<PathBuf>,
}

impl std::error::Error for OtherSecrets {}

impl fmt::Display for OtherSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for name in &self.names {
            let (follows, place) = match *name {
                PEPPER => ("no password would match any more", ""),
                _ => ("nobody's second factor could be read any more", ", or into TOTP_ENCRYPTION_KEY_PREVIOUS"),
            };
            write!(f, "{name} is not the one that this database is written with: {follows}. Put the old one back{place}. ")?;
        }
        if let Some(folder) = &self.kept_in {
            write!(f, "`coinlink dev` keeps those that are not set in {}. ", folder.display())?;
        }
        f.write_str(
            "Where it is lost, or was changed on purpose, `coinlink admin accept-secrets` says what that costs (docs/runbooks/rotate-keys.md)",
        )
    }
}

fn watched(settings: &Settings) -> Result<[SecretPrint<'static>; 2], StartError> {
    let (newest, earlier) = wiring::prints_of_box_keys(settings)?;
    Ok([
        SecretPrint { name: PEPPER, print: wiring::print_of_pepper(settings), earlier: Vec::new() },
        SecretPrint { name: BOX_KEY, print: newest, earlier },
    ])
}

/// What the database knows of a secret.
#[derive(PartialEq, Eq)]
enum Known {
    Ours,
    /// It was never written to.
    Nothing,
    /// One whose successor we have.
    Earlier,
    Other,
}

async fn known(secret: &SecretPrint<'static>, settings: &Settings, database: &Database) -> Result<Known, StartError> {
    Ok(match SqlSecretPrints::new(database.clone()).kept(secret.name).await? {
        None if is_foreign(secret, settings, database).await? => Known::Other,
        None => Known::Nothing,
        Some(kept) if kept == secret.print => Known::Ours,
        Some(kept) if secret.earlier.iter().any(|earlier| kept == earlier) => Known::Earlier,
        Some(_) => Known::Other,
    })
}

/// Ends the start where the database is written with another secret, and changes nothing then. The first start keeps its own.
pub(crate) async fn check_secrets(settings: &Settings, database: &Database) -> Result<(), StartError> {
    let prints = SqlSecretPrints::new(database.clone());
    let secrets = watched(settings)?;
    let (mut others, mut earlier, mut is_kept) = (Vec::new(), Vec::new(), true);
    for secret in &secrets {
        let found = known(secret, settings, database).await?;
        is_kept &= found == Known::Ours;
        match found {
            Known::Ours | Known::Nothing => {}
            Known::Earlier => earlier.push(secret.name),
            Known::Other => others.push(secret.name),
        }
    }
    if others.is_empty() && !is_kept {
        let told = prints.keep(&secrets).await?;
        others.extend(secrets.iter().map(|secret| secret.name).filter(|name| told.iter().any(|other| other == name)));
    }
    if !others.is_empty() {
        let kept_in = (settings.mode == Mode::Dev).then(|| settings.server.data_dir.join("secrets"));
        return Err(OtherSecrets { names: others, kept_in }.into());
    }
    for setting in earlier {
        tracing::info!(setting, "the database is written with the successor of this secret from now on");
    }
    tell_of_unreadable(settings, &prints).await
}

/// The right key does not read what a successor of it, or one before it, encrypted: an earlier key was taken away too soon.
async fn tell_of_unreadable(settings: &Settings, prints: &SqlSecretPrints) -> Result<(), StartError> {
    let keys = wiring::secret_box(settings)?;
    let keys: Vec<&str> = keys.ids().collect();
    match prints.sealed_otherwise(&keys, SystemClock::default().now()).await {
        Ok(none) if none == SealedCounts::default() => {}
        Ok(SealedCounts { second_factors, webhooks, letters, links }) => tracing::warn!(
            second_factors,
            webhooks,
            letters,
            links,
            "some of what is stored was encrypted with neither TOTP_ENCRYPTION_KEY nor TOTP_ENCRYPTION_KEY_PREVIOUS, and cannot be read"
        ),
        Err(error) => tracing::warn!(%error, "whether all that is stored encrypted can be read is not known"),
    }
    Ok(())
}

/// Which of the settings' secrets are other ones than the database is written with. Nothing is changed.
pub(crate) async fn other_secrets(settings: &Settings, database: &Database) -> Result<Vec<&'static str>, StartError> {
    let mut names = Vec::new();
    for secret in watched(settings)? {
        if known(&secret, settings, database).await? == Known::Other {
            names.push(secret.name);
        }
    }
    Ok(names)
}

/// Whether a database of which nothing is kept, since it was written before anything was, shows that another secret wrote it: by what
/// stored passwords say of their pepper, and what is stored encrypted of its key. Where it does not, the first start is believed.
async fn is_foreign(secret: &SecretPrint<'static>, settings: &Settings, database: &Database) -> Result<bool, StartError> {
    let prints = SqlSecretPrints::new(database.clone());
    let is_ours = if secret.name == PEPPER {
        prints.is_keyed_with(&wiring::id_of_pepper(settings)?).await?
    } else {
        let keys = wiring::secret_box(settings)?;
        prints.is_sealed_with(&keys.ids().collect::<Vec<_>>()).await?
    };
    Ok(is_ours == Some(false))
}

/// Ends a command that reads what the pepper signed, where another one is kept: all of it would look forged. Where none is kept, nothing is
/// known.
pub(crate) async fn check_pepper(settings: &Settings, database: &Database) -> Result<(), StartError> {
    match SqlSecretPrints::new(database.clone()).kept(PEPPER).await? {
        Some(kept) if kept != wiring::print_of_pepper(settings) => {
            let kept_in = settings.database.url.is_none().then(|| settings.server.data_dir.join("secrets"));
            Err(OtherSecrets { names: vec![PEPPER], kept_in }.into())
        }
        _ => Ok(()),
    }
}

/// From now on the database is written with the secrets of these settings.
pub(crate) async fn accept(settings: &Settings, database: &Database, entry: &AuditEntry) -> Result<(), StartError> {
    let prints = watched(settings)?.map(|secret| (secret.name, secret.print));
    Ok(SqlSecretPrints::new(database.clone()).accept(&prints, entry).await?)
}
