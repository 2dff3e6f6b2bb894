//! Commands that do one thing with the database of the settings and end.

pub mod accept_secrets;
pub mod admin;
pub mod audit;
pub mod audit_retire;
pub mod healthcheck;
pub mod keys;
pub mod take_back;
pub mod verify;

use std::path::PathBuf;

use coinlink_postgres::{ConnectSettings, Database};
use secrecy::ExposeSecret as _;

use crate::{config::Settings, serve::StartError};

/// There is no database where the settings say.
#[derive(Debug, thiserror::Error)]
#[error("there is no database at {0}: set DATABASE_URL, or run this where `coinlink dev` runs")]
pub struct NoDatabase(PathBuf);

/// The database, which answers: one that does not is named, with the reason.
async fn connected(settings: &ConnectSettings) -> Result<Database, StartError> {
    let database = Database::connect(settings).await?;
    database.reachable().await?;
    Ok(database)
}

/// Where the database is. A new one would be made where none is, and be found empty and sound.
fn database_url(settings: &Settings) -> Result<String, NoDatabase> {
    if let Some(url) = &settings.database.url {
        return Ok(url.expose_secret().to_owned());
    }
    let file = settings.server.data_dir.join("coinlink.db");
    if file.exists() { Ok(format!("sqlite://{}?mode=rw", file.display())) } else { Err(NoDatabase(file)) }
}
