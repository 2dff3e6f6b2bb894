//! `coinlink`: reads the command line and the settings, and hands over.

use std::{
    error::Error,
    io::{self, Write as _},
    path::PathBuf,
    process::ExitCode,
};

use clap::Parser as _;
use coinlink::{
    cli::{AdminCommand, AuditCommand, Cli, Command, ConfigCommand, data_dir_flag},
    command::{
        accept_secrets, admin, audit,
        audit_retire::{self, Told},
        healthcheck, keys,
        verify::{self, VerifyOptions},
    },
    config::{self, Mode, Settings, Sources},
    http, serve,
    telemetry::{self, logs},
};
use coinlink_application::operations::RetireOrder;
use coinlink_domain::{identity::Role, operations::Checkpoint};
use coinlink_embedded::SystemClock;
use coinlink_ports::shared::Clock as _;

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(code) => code,
        Err(error) => {
            // With standard error gone there is nobody to tell.
            let _ = writeln!(io::stderr(), "coinlink: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<ExitCode, Box<dyn Error>> {
    match command {
        Command::Dev(dev) => {
            let settings = settings(Mode::Dev, dev.settings())?.with_dev_secrets()?;
            let _telemetry = telemetry::start(&settings)?;
            actix_rt::System::new().block_on(serve::dev(settings, dev.feed))?;
        }
        Command::Serve => {
            let settings = settings(Mode::Serve, vec![])?;
            let _telemetry = telemetry::start(&settings)?;
            actix_rt::System::new().block_on(serve::serve(settings))?;
        }
        Command::Migrate { data_dir, direction } => {
            let settings = settings(Mode::Dev, data_dir_flag(data_dir.as_ref()))?;
            let _logs = logs::start(&settings.log)?;
            actix_rt::System::new().block_on(serve::migrate(settings, direction))?;
        }
        Command::Admin { data_dir, command } => {
            let settings = settings(Mode::Dev, data_dir_flag(data_dir.as_ref()))?;
            let done = actix_rt::System::new().block_on(async {
                match command {
                    AdminCommand::Grant { email } => admin::change_role(&settings, &email, Role::Admin).await,
                    AdminCommand::Revoke { email } => admin::change_role(&settings, &email, Role::User).await,
                    AdminCommand::ResetSecondFactor { email } => admin::reset_second_factor(settings, &email).await,
                    AdminCommand::AcceptSecrets { yes } => accept_secrets::run(settings, yes).await,
                }
            })?;
            io::stdout().write_all(done.as_bytes())?;
        }
        Command::Audit { data_dir, command: AuditCommand::Verify { checkpoint } } => {
            return Ok(verify_audit(data_dir.as_ref(), checkpoint));
        }
        Command::Audit { data_dir, command: AuditCommand::Retire { before, dry_run, checkpoint } } => {
            let order = RetireOrder { before, dry_run, exported: checkpoint };
            return Ok(retire_audit(data_dir.as_ref(), order));
        }
        Command::Keys { dir, command } => {
            let settings = settings(Mode::Dev, vec![])?;
            let done = keys::run(&settings, dir, &command, SystemClock::default().now())?;
            io::stdout().write_all(done.as_bytes())?;
        }
        Command::Config { command: ConfigCommand::Check { purpose } } => {
            let mode = Mode::from(purpose);
            let loaded = config::load(&Sources::of_process(mode, vec![]));
            io::stdout().write_all(loaded.report(mode).as_bytes())?;
            return Ok(if loaded.all_problems(mode).is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        Command::Openapi => writeln!(io::stdout(), "{}", http::openapi_json())?,
        Command::Verify(options) => return Ok(verify_server(&options)),
        Command::Healthcheck { ready, url } => {
            // Settings that are wrong are the server's to tell of.
            let own = || healthcheck::own_url(&config::load(&Sources::of_process(Mode::Serve, vec![])).settings, ready);
            healthcheck::ask(&url.or_else(own).ok_or("HOST and PORT are no address")?, healthcheck::WITHIN)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A log that could not be looked at is not one that was tampered with: jobs tell them apart by the code.
fn verify_audit(data_dir: Option<&PathBuf>, exported: Option<Checkpoint>) -> ExitCode {
    let verify = || -> Result<bool, Box<dyn Error>> {
        let settings = settings(Mode::Dev, data_dir_flag(data_dir))?;
        let (text, sound) = actix_rt::System::new().block_on(audit::verify(settings, exported))?;
        io::stdout().write_all(text.as_bytes())?;
        Ok(sound)
    };
    match verify() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            // With standard error gone there is nobody to tell.
            let _ = writeln!(io::stderr(), "coinlink: the audit log could not be verified: {error}");
            ExitCode::from(2)
        }
    }
}

/// As above; what could not be done is told after what was.
fn retire_audit(data_dir: Option<&PathBuf>, order: RetireOrder) -> ExitCode {
    let retire = || -> Result<Told, Box<dyn Error>> {
        let settings = settings(Mode::Dev, data_dir_flag(data_dir))?;
        Ok(actix_rt::System::new().block_on(audit_retire::retire(settings, order))?)
    };
    let Told { text, stopped, tampered } = retire().unwrap_or_else(|error| Told::nothing(&error));
    // With standard output or error gone there is nobody to tell; what was done is done, and in the log.
    let _ = io::stdout().write_all(text.as_bytes());
    let Some(why) = stopped else { return ExitCode::SUCCESS };
    let _ = writeln!(io::stderr(), "coinlink: {why}");
    ExitCode::from(if tampered { 1 } else { 2 })
}

/// A server that could not be looked at is neither green nor red.
fn verify_server(options: &VerifyOptions) -> ExitCode {
    let verified = actix_rt::System::new().block_on(verify::run(options));
    let told = verified
        .map_err(|error| error.to_string())
        .and_then(|(text, green)| io::stdout().write_all(text.as_bytes()).map(|()| green).map_err(|error| error.to_string()));
    match told {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            // With standard error gone there is nobody to tell.
            let _ = writeln!(io::stderr(), "coinlink: {why}");
            ExitCode::from(2)
        }
    }
}

fn settings(mode: Mode, flags: impl IntoIterator<Item = (&'static str, String)>) -> Result<Settings, config::ConfigError> {
    config::load(&Sources::of_process(mode, flags.into_iter().collect())).into_settings()
}
