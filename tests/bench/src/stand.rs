//! A deployment that stands until it is told to end, with accounts whose tokens are handed out: for load that comes from other programs.

use crate::{
    Outcome, accounts,
    deployment::{Deployment, LIMITS, NO_LIMIT},
    table,
};
use serde_json::json;
use std::{
    fs::File,
    io::{self, Read as _},
    path::PathBuf,
};

#[derive(clap::Args)]
pub(crate) struct Plan {
    /// The binary to run.
    #[arg(long, default_value = "target/release/coinlink")]
    binary: PathBuf,
    /// Accounts to open. Each takes the time of a password, so a thousand take minutes.
    #[arg(long, default_value_t = 1000)]
    accounts: usize,
    /// Refuse nobody as too many: for more requests than people would send.
    #[arg(long)]
    no_limits: bool,
    /// Where the address and the accounts are written, once all is there: JSON.
    #[arg(long)]
    write: PathBuf,
}

impl Plan {
    pub(crate) fn run(&self) -> Outcome<()> {
        // Nobody signs in again while the load lasts. Everybody comes from an address of their own, so the limits stay as they are.
        let mut settings = vec![("ACCESS_TOKEN_TTL_MIN", "60".to_owned())];
        if self.no_limits {
            settings.extend(LIMITS.map(|name| (name, NO_LIMIT.to_owned())));
        }
        let deployment = Deployment::with(&self.binary, &settings)?;
        let address = deployment.server.address();
        table::say(&format!("http://{address}: opening {} accounts", self.accounts))?;
        let accounts: Vec<_> = accounts::open_from_everywhere(address, "load", self.accounts)?
            .into_iter()
            .enumerate()
            .map(|(number, holder)| json!({"access": holder.access, "refresh": holder.refresh, "address": accounts::elsewhere(number)}))
            .collect();
        let stand = json!({"url": format!("http://{address}"), "pid": deployment.server.pid(), "accounts": accounts});
        // Whole or not at all: whoever waits for the file reads it as soon as it is there.
        let unfinished = self.write.with_extension("unfinished");
        serde_json::to_writer(File::create(&unfinished)?, &stand)?;
        std::fs::rename(&unfinished, &self.write)?;
        table::say("standing until standard input ends")?;
        io::stdin().read_to_end(&mut Vec::new())?;
        table::say(&format!("memory at the end: {} KiB", deployment.server.resident_kib()?))?;
        Ok(())
    }
}
