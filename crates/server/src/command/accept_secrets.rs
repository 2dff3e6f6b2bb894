//! `coinlink admin accept-secrets`: goes on with other secrets than the database was written with, and tells before what that costs.

use std::fmt::Write as _;

use coinlink_domain::shared::audit::AuditEntry;
use coinlink_embedded::SystemClock;
use coinlink_ports::shared::Clock as _;
use coinlink_postgres::{ConnectSettings, Database, SqlSecretPrints};
use uuid::Uuid;

use super::{admin::AdminError, connected, database_url};
use crate::{
    config::Settings,
    starting::{BOX_KEY, PEPPER, accept, other_secrets},
    wiring,
};

const NO_PASSWORD: &str = "With this PASSWORD_PEPPER no password matches any more: everybody sets a new one by a letter (\"forgot password\"), so see \
     that mail works. Checkpoints of the audit log cannot be verified but with the old one, and visitors' chats begin anew.\n";
const NO_FACTOR: &str = "With this TOTP_ENCRYPTION_KEY what was encrypted with the old one cannot be read any more:\n";

/// From now on the database is written with the secrets of these settings, if `yes`. The text says what was done.
pub async fn run(settings: Settings, yes: bool) -> Result<String, AdminError> {
    let url = database_url(&settings)?;
    let settings = with_secrets(settings)?;
    let database = connected(&ConnectSettings::new(url)).await?;
    let others = other_secrets(&settings, &database).await?;
    if others.is_empty() {
        return Ok("The database is written with these secrets already: nothing is changed.\n".to_owned());
    }
    let cost = cost(&settings, &database, &others).await?;
    if !yes {
        return Err(AdminError::Unaccepted(cost));
    }
    let now = SystemClock::default().now();
    let entry = AuditEntry::new(Uuid::now_v7(), now, "operations.accept_secrets", "setting").on(others.join(" "));
    accept(&settings, &database, &entry).await?;
    Ok(format!("{cost}Servers with these secrets start from now on, and those with the old ones do not.\n"))
}

async fn cost(settings: &Settings, database: &Database, others: &[&str]) -> Result<String, AdminError> {
    let mut text = String::new();
    if others.contains(&PEPPER) {
        text.push_str(NO_PASSWORD);
    }
    if others.contains(&BOX_KEY) {
        let keys = wiring::secret_box(settings)?;
        let keys: Vec<&str> = keys.ids().collect();
        let now = SystemClock::default().now();
        let lost = SqlSecretPrints::new(database.clone()).sealed_otherwise(&keys, now).await?;
        text.push_str(NO_FACTOR);
        // Writing to a String does not fail.
        let _ = writeln!(
            text,
            "- second factors: {}. Recovery codes are still good; who has none left needs `coinlink admin reset-second-factor`.\n\
             - webhooks: {}. They are not called any more, and have to be made anew.\n\
             - letters that wait: {}. They are not sent.\n\
             - links that are open: {}. Their codes cannot be typed; another letter brings a new one.",
            lost.second_factors, lost.webhooks, lost.letters, lost.links
        );
    }
    Ok(text)
}

/// Those of `coinlink dev` only for its own database, and where they are kept already.
fn with_secrets(settings: Settings) -> Result<Settings, AdminError> {
    let folder = settings.server.data_dir.join("secrets");
    let unset = [
        (PEPPER, settings.auth.password_pepper.is_none(), "password_pepper"),
        (BOX_KEY, settings.auth.totp_encryption_key.is_none(), "totp_encryption_key"),
    ];
    let mut unset = unset.into_iter().filter(|(_, is_unset, _)| *is_unset).peekable();
    if unset.peek().is_none() {
        return Ok(settings);
    }
    let is_anothers = settings.database.url.is_some();
    match unset.find(|(_, _, file)| is_anothers || !folder.join(file).exists()) {
        Some((name, _, _)) => Err(AdminError::NoSecret(name)),
        None => Ok(settings.with_dev_secrets()?),
    }
}
