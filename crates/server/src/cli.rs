//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum, builder::RangedI64ValueParser};
use coinlink_domain::{
    identity::Email,
    operations::{Checkpoint, LogMonth},
};

use crate::{command::verify::VerifyOptions, config::Mode};

/// The backend a crypto front end wants on its first day: live prices over HTTP and WebSocket, in one binary.
#[derive(Debug, Parser)]
#[command(
    name = "coinlink",
    version,
    arg_required_else_help = true,
    after_help = "Start with `coinlink dev` and open http://localhost:8000.\n\
                  Settings come from config/*.toml, environment variables and flags, in this order; `coinlink config check` shows them all."
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run on this machine, with nothing else needed
    ///
    /// Keeps its data in SQLite and its secrets in files under the data folder, both made on first use. Listens on
    /// 127.0.0.1:8000 unless told otherwise.
    Dev(Dev),
    /// Run in production
    ///
    /// Needs PostgreSQL, Redis and secrets; without them it says everything that is missing at once and exits with 1.
    Serve,
    /// Change the database's schema, or look at it
    ///
    /// Works on the database of the settings, or on the SQLite file of `coinlink dev` where they name none.
    Migrate {
        /// Folder of the SQLite file [default: data]
        #[arg(long, global = true, value_name = "FOLDER")]
        data_dir: Option<PathBuf>,
        /// Which way.
        #[command(subcommand)]
        direction: MigrateCommand,
    },
    /// Say who may look after other accounts, help who lost a second factor, and go on with other secrets
    ///
    /// Works on the database of the settings, or on the SQLite file of `coinlink dev` where they name none. Takes effect at once.
    Admin {
        /// Folder of the SQLite file [default: data]
        #[arg(long, global = true, value_name = "FOLDER")]
        data_dir: Option<PathBuf>,
        /// What to do.
        #[command(subcommand)]
        command: AdminCommand,
    },
    /// Make and change the keys that sign access tokens
    ///
    /// Works on the folder of `JWT_KEYS_DIR`. Servers that read it follow a change within seconds; without such a folder a shared secret
    /// signs. docs/signing-keys.md tells the whole story.
    Keys {
        /// Folder of the keys [default: that of `JWT_KEYS_DIR`]
        #[arg(long, global = true, value_name = "FOLDER")]
        dir: Option<PathBuf>,
        /// What to do.
        #[command(subcommand)]
        command: KeysCommand,
    },
    /// Look at the audit log
    ///
    /// Works on the database of the settings, or on the SQLite file of `coinlink dev` where they name none.
    Audit {
        /// Folder of the SQLite file [default: data]
        #[arg(long, global = true, value_name = "FOLDER")]
        data_dir: Option<PathBuf>,
        /// What to do with it.
        #[command(subcommand)]
        command: AuditCommand,
    },
    /// Look at the settings
    Config {
        /// What to do with them.
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Print the OpenAPI document of the HTTP API as JSON
    Openapi,
    /// Check a server that runs, from outside: does it hold what was promised
    ///
    /// Looks at nine areas of any CoinLink, here or elsewhere: how it is set up, headers and CORS, accounts and limits, the socket, every route
    /// of the front end, metrics, what its tests showed, its container, its documents. Prints a table of what was seen and what to do about it.
    /// docs/verify.md says what each check means.
    ///
    /// It makes an account of its own with a random name at the domain coinlink-verify.invalid, signs in three times, and signs out; no
    /// route deletes accounts, so that one stays. Where mail is sent, its letter cannot be delivered: use --account there, or --read-only. Of the
    /// ten sign-ins a minute that an address has it takes four, and of other requests about 100; where a limit is in its way it waits.
    ///
    /// Certificates are those that this machine trusts; `SSL_CERT_FILE` names others. It shows no token and no password.
    ///
    /// Exits with 0 when nothing failed (warnings are for you to judge), with 1 when something did, and with 2 when it could not be run.
    Verify(Box<VerifyOptions>),
    /// Ask a running server whether it works: the health check of a container
    ///
    /// Asks `/livez` of the server that these settings start, from beside it: does its process work? With --ready it asks `/readyz`: does all that it
    /// needs work, too? Exits with 0 when 200 is answered within three seconds, or else says why not and exits with 1.
    Healthcheck {
        /// Ask `/readyz`, which wants the database and Redis too
        #[arg(long)]
        ready: bool,
        /// Ask this instead, an http address [default: `/livez` of this machine, at PORT and HOST]
        #[arg(long, value_name = "URL", conflicts_with = "ready")]
        url: Option<url::Url>,
    },
}

/// Flags of `dev`.
#[derive(Debug, Args)]
pub struct Dev {
    /// Where prices come from: the real providers, or made up (and marked so) for work without a network
    #[arg(long, value_enum, default_value_t = Feed::Live)]
    pub feed: Feed,
    /// Port to listen on; 0 takes any free one [default: 8000]
    #[arg(long)]
    pub port: Option<u16>,
    /// Address to listen on [default: 127.0.0.1]
    #[arg(long)]
    pub host: Option<String>,
    /// Folder for the database, secrets and mail [default: data]
    #[arg(long, value_name = "FOLDER")]
    pub data_dir: Option<PathBuf>,
}

/// Where prices come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Feed {
    /// The real providers.
    Live,
    /// Made up.
    Simulated,
}

/// What to do with the schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Subcommand)]
pub enum MigrateCommand {
    /// Bring the schema up to this release; does nothing when it is
    Up,
    /// Take the newest migration back, and with it what was stored by it
    ///
    /// Says what goes and asks first; where nobody can be asked it wants --yes. Make a copy of the database before.
    Down {
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// List migrations, and which of them are applied
    Status,
}

/// What is done to an account from here.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum AdminCommand {
    /// Make an account an administrator's
    ///
    /// Says whether its address is verified, and whether it has the second factor without which administrators get nowhere.
    Grant {
        /// The account's e-mail address
        #[arg(value_parser = Email::try_new)]
        email: Email,
    },
    /// Make it an ordinary one again
    ///
    /// Refused for the last administrator: grant the role to another account first.
    Revoke {
        /// The account's e-mail address
        #[arg(value_parser = Email::try_new)]
        email: Email,
    },
    /// Remove the second factor of somebody who lost the app and the recovery codes
    ///
    /// Make sure who asks: the password alone signs in afterwards. The recovery codes go too, all sessions end, and the owner gets a
    /// mail. It needs the `TOTP_ENCRYPTION_KEY` of the servers, with which mail is stored.
    ResetSecondFactor {
        /// The account's e-mail address
        #[arg(value_parser = Email::try_new)]
        email: Email,
    },
    /// Go on with another `PASSWORD_PEPPER` or `TOTP_ENCRYPTION_KEY` than the database was written with
    ///
    /// For when the old one is lost, or was changed on purpose: servers refuse to start until then. Says what is lost with it: everybody
    /// has to set a new password, or every second factor has to be reset. Run it with the servers' settings, once they are all stopped.
    AcceptSecrets {
        /// Do it; without this nothing is changed
        #[arg(long)]
        yes: bool,
    },
}

/// What to do with the keys.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum KeysCommand {
    /// Make the first key
    Generate {
        /// How it signs
        #[arg(long, value_enum, ignore_case = true, default_value_t = KeyKind::EdDsa)]
        alg: KeyKind,
        /// Size of an RS256 key: 3072 or 4096
        #[arg(long, value_name = "BITS", default_value_t = 3072, value_parser = rsa_bits)]
        rsa_bits: u16,
        /// Seconds from now until it signs: time to give it to servers that sign with a shared secret so far
        #[arg(long, value_name = "N", default_value_t = 0, value_parser = publish_secs())]
        publish_secs: u32,
    },
    /// Make the next key, published now and signing later
    ///
    /// Every server and every service that checks tokens knows the new key before it signs, and what the old one signed is good until it
    /// expires: nobody notices. Keys that retired long ago are removed.
    Rotate {
        /// How it signs [default: as the newest one]
        #[arg(long, value_enum, ignore_case = true)]
        alg: Option<KeyKind>,
        /// Size of an RS256 key: 3072 or 4096
        #[arg(long, value_name = "BITS", default_value_t = 3072, value_parser = rsa_bits, requires = "alg")]
        rsa_bits: u16,
        /// Seconds from now until it signs; others keep their copy of the keys for 300
        #[arg(long, value_name = "N", default_value_t = 600, value_parser = publish_secs())]
        publish_secs: u32,
    },
    /// Show every key and where it is in its life
    List,
    /// Take a leaked key away at once
    ///
    /// Whatever it signed is refused within seconds, and clients refresh. Where it is the one that signs, the next one does, or a new one.
    Revoke {
        /// Its name, as `list` shows it
        kid: String,
    },
    /// Remove keys that have retired
    Prune,
}

/// How a key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum KeyKind {
    /// Ed25519: short tokens, quick to make
    #[value(name = "EdDSA")]
    EdDsa,
    /// RSA: where a service that checks tokens knows nothing else
    #[value(name = "RS256")]
    Rs256,
}

/// At most a month.
fn publish_secs() -> RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(..=2_592_000)
}

fn rsa_bits(text: &str) -> Result<u16, &'static str> {
    text.parse().ok().filter(|bits| [3072, 4096].contains(bits)).ok_or("write 3072 or 4096")
}

/// What to do with the audit log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Subcommand)]
pub enum AuditCommand {
    /// Tell whether every entry is what it was when it was sealed
    ///
    /// Reads the whole log and its chain of seals, and tells apart what was edited, deleted, reordered, cut off or made anew. It
    /// changes nothing, and may run while servers do. It needs the `PASSWORD_PEPPER` of the servers, which signs checkpoints.
    ///
    /// At the end it prints the newest checkpoint. Keep it where nobody who can write to the database can, and give it to a
    /// later run: only then does it show when the newest entries, or all of them, were taken away. Servers also log each
    /// checkpoint they sign (target `coinlink::audit`).
    ///
    /// Exits with 0 when the log is sound, with 1 when it was tampered with, and with 2 when that could not be found out.
    Verify {
        /// A checkpoint that was kept elsewhere, as an earlier run or a server's log printed it
        #[arg(long, value_name = "SEQ:HASH:MAC:TIME")]
        checkpoint: Option<Checkpoint>,
    },
    /// Drop the months that ended a year ago or earlier
    ///
    /// Twelve whole months and the current one always stay. Before it drops something it verifies the whole log, as `verify` does, and drops
    /// nothing of one that was tampered with; where nothing is due it verifies nothing. The seals of what goes stay, and which
    /// of them lost their entries is signed: `verify` tells it from what somebody took away. Each month goes in one transaction, with an entry
    /// `audit.retire`; servers may run meanwhile.
    ///
    /// It needs PostgreSQL, the `DATABASE_URL` of the owner of the schema, who migrates, and the `PASSWORD_PEPPER` of the servers. Run it once a
    /// month, at another time than backups.
    ///
    /// Exits with 0 when it was done or there was nothing to do, with 1 when the log was tampered with, and with 2 when it could not be done.
    Retire {
        /// Only what is before this month; one that is less than a year old is refused
        #[arg(long, value_name = "YYYY-MM")]
        before: Option<LogMonth>,
        /// Say what would go, verify where something would, and change nothing
        #[arg(long)]
        dry_run: bool,
        /// A checkpoint that was kept elsewhere, as for `verify`
        #[arg(long, value_name = "SEQ:HASH:MAC:TIME")]
        checkpoint: Option<Checkpoint>,
    },
}

/// What to do with the settings.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Print what is in effect, where it comes from, and what is wrong with it
    ///
    /// Secrets are masked. Exits with 1 when anything is wrong.
    Check {
        /// For which command the settings should do
        #[arg(long = "for", value_enum, default_value_t = Purpose::Serve)]
        purpose: Purpose,
    },
}

/// A command that settings are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Purpose {
    /// `coinlink dev`
    Dev,
    /// `coinlink serve`
    Serve,
}

impl From<Purpose> for Mode {
    fn from(purpose: Purpose) -> Self {
        match purpose {
            Purpose::Dev => Self::Dev,
            Purpose::Serve => Self::Serve,
        }
    }
}

/// `--data-dir` as a layer of settings.
pub fn data_dir_flag(folder: Option<&PathBuf>) -> Option<(&'static str, String)> {
    folder.map(|folder| ("server.data_dir", folder.display().to_string()))
}

impl Dev {
    /// The flags as the uppermost layer of settings.
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        let flags = [("server.port", self.port.map(|port| port.to_string())), ("server.host", self.host.clone())];
        let set = flags.into_iter().filter_map(|(path, text)| Some((path, text?)));
        set.chain(data_dir_flag(self.data_dir.as_ref())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_of_the_specification_is_understood() {
        for line in [
            "coinlink dev --feed simulated --port 0 --host 127.0.0.1 --data-dir /tmp/x",
            "coinlink serve",
            "coinlink migrate up",
            "coinlink migrate down",
            "coinlink migrate down --yes",
            "coinlink migrate status",
            "coinlink migrate status --data-dir /tmp/x",
            "coinlink admin grant ada@example.org --data-dir /tmp/x",
            "coinlink audit verify --data-dir /tmp/x",
            "coinlink audit verify",
            "coinlink audit retire",
            "coinlink audit retire --before 2025-01 --dry-run",
            "coinlink admin grant ada@example.org",
            "coinlink admin revoke ada@example.org",
            "coinlink admin reset-second-factor ada@example.org --data-dir /tmp/x",
            "coinlink admin accept-secrets --yes",
            "coinlink keys generate --alg EdDSA",
            "coinlink keys rotate --alg rs256 --rsa-bits 4096 --publish-secs 900 --dir /tmp/keys",
            "coinlink keys --dir /tmp/keys list",
            "coinlink keys revoke 0123456789abcdef0123456789abcdef",
            "coinlink keys prune",
            "coinlink config check --for dev",
            "coinlink openapi",
            "coinlink verify --url https://api.example.org --origin https://app.example.org --metrics-url http://10.0.0.1:9100 --settings",
            "coinlink verify --url http://127.0.0.1:8000 --read-only --only headers,docs --json --timeout 5 --within 60",
            "coinlink verify --url http://127.0.0.1:8000 --account ada@example.org --password-file /tmp/p --evidence e.json --commit 284df41",
            "coinlink healthcheck",
            "coinlink healthcheck --ready",
            "coinlink healthcheck --url http://127.0.0.1:8000/readyz",
        ] {
            Cli::try_parse_from(line.split(' ')).unwrap();
        }
        let Cli { command: Command::Dev(dev) } = Cli::try_parse_from(["coinlink", "dev", "--port", "9"]).unwrap() else {
            panic!()
        };
        assert_eq!((dev.feed, dev.settings()), (Feed::Live, vec![("server.port", "9".to_owned())]));
    }
}
