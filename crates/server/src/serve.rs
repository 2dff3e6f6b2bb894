//! From settings to a running node, and to its end.

use std::{fs, io, os::unix::fs::DirBuilderExt as _, sync::Arc, time::Duration as StdDuration};

use actix_server::Server;
use coinlink_application::operations::CheckReadiness;
use coinlink_migration::{DbErr, Migrator, MigratorTrait as _};
use coinlink_ports::shared::StoreError;
use coinlink_postgres::MigrationError;
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
    task::{JoinHandle, JoinSet},
    time::Instant,
};

use crate::{
    broadcast::Broadcaster,
    cli::{Feed, MigrateCommand},
    command::take_back::{TakeBackError, take_back},
    config::{Mode, Settings},
    http::{ChatCookie, Environment, HttpParts},
    jobs::{self, Led, Sampled},
    listening::{LISTENS_ON_FOR, listen, raise_open_files, servers},
    starting::{OtherSecrets, WrongSchema, bring_up_to_date, check_secrets, migrate_up, take_folder},
    telemetry::Metrics,
    wiring::{self, ContextParts, Feeds, Identity, MonitorParts, Shared, SocketParts, Surroundings},
    ws::Connections,
};

/// Sockets get this long to hear that the node goes away.
const SOCKETS_LEAVE_WITHIN: StdDuration = StdDuration::from_secs(3);
/// Leadership is given up within this, or lapses.
const RELEASE_WITHIN: StdDuration = StdDuration::from_secs(1);
/// The minute that was collected is stored within this, or lost.
const RECORD_WITHIN: StdDuration = StdDuration::from_secs(4);
/// Letters that are under way get this long, beside all that.
const MAIL_WITHIN: StdDuration = StdDuration::from_secs(5);
/// The node ends within this, whatever hangs: requests get what the others left of it. Operators are told of 15 s, which leaves one
/// for what is still to be written out.
const ENDS_WITHIN: StdDuration = StdDuration::from_secs(14);

/// The node could not start, or could not go on.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address} ({setting}): {source}")]
    Listen {
        /// By which setting.
        setting: &'static str,
        /// Which.
        address: String,
        /// Why.
        source: io::Error,
    },
    /// The data folder cannot be made.
    #[error("the data folder {folder} cannot be made: {source}")]
    DataDir {
        /// Which.
        folder: String,
        /// Why.
        source: io::Error,
    },
    /// Somebody else has the data folder.
    #[error("another `coinlink dev` runs on the data folder {folder}: end that one, or name another folder with --data-dir")]
    FolderTaken {
        /// Which.
        folder: String,
    },
    /// The file of the database cannot be made, or not for us alone.
    #[error("the database {file} cannot be made: {source}")]
    File {
        /// Which.
        file: String,
        /// Why.
        source: io::Error,
    },
    /// The database's settings are wrong.
    #[error(transparent)]
    Database(#[from] coinlink_postgres::ConnectError),
    /// The schema could not be brought up to date.
    #[error("the database's schema could not be migrated: {0}")]
    Migration(#[source] MigrationError),
    /// Nobody came as far as the schema.
    #[error(transparent)]
    NoDatabase(MigrationError),
    /// The schema is not one to run on.
    #[error(transparent)]
    Schema(#[from] WrongSchema),
    /// The database is written with other secrets.
    #[error(transparent)]
    OtherSecrets(#[from] OtherSecrets),
    /// The database did not do what was asked.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The newest migration stays.
    #[error(transparent)]
    TakeBack(#[from] TakeBackError),
    /// Redis's settings are wrong.
    #[error(transparent)]
    Redis(#[from] coinlink_redis::RedisSettingsError),
    /// The signing keys cannot be used.
    #[error("the signing keys cannot be used: {0}")]
    SigningKeys(#[from] coinlink_credentials::KeyFolderError),
    /// The settings of passwords or tokens are wrong.
    #[error(transparent)]
    Credentials(#[from] coinlink_credentials::CredentialsError),
    /// What encrypts stored secrets cannot be read: nothing else is used in its place.
    #[error("{0} is not made of keys of 32 bytes in hex or base64")]
    BoxKey(&'static str),
    /// The mail server's settings are wrong.
    #[error("SMTP_URL {0}")]
    Smtp(#[from] coinlink_mail::SmtpSettingsError),
    /// No letters can be written.
    #[error("mail cannot be written: {0}")]
    Stationery(#[from] coinlink_mail::StationeryError),
    /// Webhooks cannot be called.
    #[error(transparent)]
    Webhooks(#[from] coinlink_webhooks::StartError),
    /// A provider's settings are wrong.
    #[error(transparent)]
    Provider(#[from] coinlink_upstream::InvalidSettings),
    /// The source is no provider that can be asked.
    #[error("{0} is not a source that can be asked")]
    NotPolled(&'static str),
    /// The metrics could not be made.
    #[error(transparent)]
    Metrics(#[from] prometheus::Error),
    /// The operating system is in the way.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A job ended: the node would only seem to work.
    #[error("stopped: {0}")]
    Job(String),
}

impl From<MigrationError> for StartError {
    fn from(error: MigrationError) -> Self {
        if matches!(error, MigrationError::Database(_)) { Self::Migration(error) } else { Self::NoDatabase(error) }
    }
}

impl From<DbErr> for StartError {
    fn from(error: DbErr) -> Self {
        MigrationError::from(error).into()
    }
}

/// Runs one node that needs nothing beside it, until a signal.
pub async fn dev(settings: Settings, feed: Feed) -> Result<(), StartError> {
    let folder = &settings.server.data_dir;
    // Password hashes and mail lie in it.
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|source| StartError::DataDir { folder: folder.display().to_string(), source })?;
    let _held = take_folder(folder)?;
    let around = Surroundings::of_process();
    let shared = Shared::embedded(&around);
    run(settings, feed, shared, around).await
}

/// Runs one of several nodes, until a signal.
pub async fn serve(settings: Settings) -> Result<(), StartError> {
    for warning in settings.warnings(Mode::Serve) {
        tracing::warn!("{warning}");
    }
    let around = Surroundings::of_process();
    let shared = Shared::redis(&settings, &around)?;
    run(settings, Feed::Live, shared, around).await
}

/// Changes the schema, or tells of it.
pub async fn migrate(settings: Settings, command: MigrateCommand) -> Result<(), StartError> {
    let database = wiring::database(&settings).await?;
    match command {
        MigrateCommand::Up => migrate_up(&database).await?,
        MigrateCommand::Status => {
            // Only looks, as the role of a server may: `Migrator::status` makes its table first.
            let steps = database.with_migration_lock(async |db| Migrator::get_migration_with_status_read_only(db).await).await?;
            for step in steps {
                tracing::info!("Migration '{}'... {}", step.name(), step.status());
            }
        }
        MigrateCommand::Down { yes } => take_back(&database, yes).await?,
    }
    Ok(())
}

async fn run(mut settings: Settings, feed: Feed, shared: Shared, around: Surroundings) -> Result<(), StartError> {
    raise_open_files(settings.ws.max_connections);
    let metrics = Metrics::new(env!("CARGO_PKG_VERSION"), &settings.environment)?;
    let listener = listen("HOST and PORT", &settings.server.host, settings.server.port)?;
    let address = listener.local_addr()?;
    settings.listens_on(address.port());
    let observed = metrics.clone();
    let database = wiring::database(&settings).await?.observed(move |statement, took| observed.stores.queried(statement, took));
    bring_up_to_date(&database).await?;
    check_secrets(&settings, &database).await?;
    let feeds = Feeds::choose(&settings, feed, &around)?;

    let broadcaster = Broadcaster::new(Arc::clone(&around.clock));
    let (draining, drained) = watch::channel(false);
    let connections = Connections::default();
    let Identity { use_cases: identity, gatekeeper, jobs: mut identity_jobs, hasher, adapters, public_keys } =
        wiring::identity(&settings, &shared, &database, &metrics, &around)?;
    // A request that comes in the first moment must not find a session that is over.
    if let Err(error) = identity_jobs.follow.execute().await {
        tracing::warn!(%error, "which sessions are over is not known yet");
    }
    let contexts = wiring::contexts(&ContextParts {
        settings: &settings,
        feed,
        shared: &shared,
        database: &database,
        secrets: &adapters.secrets,
        metrics: &metrics,
        broadcaster: &broadcaster,
        around: &around,
    })?;
    let context = Arc::new(wiring::sockets(SocketParts {
        settings: &settings,
        broadcaster: &broadcaster,
        connections: &connections,
        metrics: &metrics,
        access: Arc::clone(&identity.sockets),
        assistant: wiring::socket_assistant(&contexts.assistant, &gatekeeper),
        around: &around,
        draining: drained.clone(),
    }));
    let reseal = wiring::resealing(&settings, &identity, &contexts.notifications.use_cases, &database, &around.clock)?;
    let feeds_of_sockets = Arc::clone(&context.feeds);
    let samples = wiring::node_samples(&settings, address.port());
    let parts = HttpParts {
        environment: Environment(settings.environment.as_str().into()),
        origins: settings.origins(),
        request_timeout: StdDuration::from_secs(settings.server.request_timeout_secs),
        max_body_bytes: settings.server.max_body_bytes,
        serves_metrics: settings.metrics.enabled && settings.metrics.addr.is_none(),
        metrics: metrics.clone(),
        broadcaster: broadcaster.clone(),
        connections: connections.clone(),
        readiness: Arc::new(CheckReadiness::new(shared.probes(&database), Arc::clone(&around.clock), Arc::clone(&around.pause))),
        gatekeeper,
        public_keys,
        operations: wiring::operations(&adapters, &identity.api_keys.known, &shared, &database, &samples),
        identity,
        market: contexts.market.use_cases.clone(),
        assistant: contexts.assistant.use_cases.clone(),
        chat_cookie: ChatCookie::at(&settings.server.public_url, wiring::visitor_key(&settings)),
        notifications: contexts.notifications.use_cases.clone(),
    };
    let servers = servers(&settings, listener, parts, &context, &metrics)?;

    let leader = wiring::leader(&settings, &feeds, &shared, &database, &around);
    let follower = wiring::follower(&settings, &feeds, &shared, &database, &broadcaster, &metrics, &around);
    let (mut jobs, mut led) = (JoinSet::new(), Led::default());
    wiring::spawn_feeds(&feeds_of_sockets, &shared, &contexts, &around, &mut jobs);
    let recording = contexts.spawn(&mut jobs, &mut led);
    jobs.spawn(async move { follower.execute().await });
    let looked_at = Sampled {
        broadcaster,
        live: feeds.live.clone(),
        redis: shared.redis.clone(),
        database: database.clone(),
        hasher,
        clock: Arc::clone(&around.clock),
        metrics: metrics.clone(),
    };
    wiring::measure(&settings, looked_at, &mut jobs);
    identity_jobs.spawn(&mut jobs, &metrics);
    jobs.spawn(jobs::reseal_secrets(reseal, metrics.clone()));
    let monitor = MonitorParts {
        settings: &settings,
        identity: &adapters,
        shared: &shared,
        database: &database,
        metrics: &metrics,
        samples: &samples,
        around: &around,
    };
    wiring::spawn_monitor(&monitor, &mut jobs);
    let (mail, prune_mail) = wiring::mail(&settings, &database, &adapters.secrets, &metrics, &around)?;
    jobs.spawn(jobs::prune_mail(prune_mail, metrics.clone()));
    let mailing = tokio::spawn(jobs::deliver_mail(mail, drained.clone()));
    jobs.spawn(jobs::seal_audit(wiring::sealer(&settings, &database, &metrics, &around), metrics.clone()));
    let leading = tokio::spawn(jobs::lead(leader, wiring::interval(&settings), Arc::clone(&around.clock), metrics, led, drained));
    let lasting = Lasting { leading, recording, mailing };
    tracing::info!(%address, mode = mode_name(settings.mode), environment = settings.environment, "listening");

    until_stopped(servers, jobs, lasting, draining, &connections).await
}

/// Serves until a signal comes or a job ends, and then comes to its end.
async fn until_stopped(
    servers: Vec<Server>,
    jobs: JoinSet<()>,
    mut lasting: Lasting,
    draining: watch::Sender<bool>,
    connections: &Connections,
) -> Result<(), StartError> {
    let handles: Vec<_> = servers.iter().map(Server::handle).collect();
    let running = futures_util::future::try_join_all(servers);
    let mut running = std::pin::pin!(running);
    let outcome = tokio::select! {
        ended = &mut running => return ended.map(|_| ()).map_err(StartError::Io),
        job = jobs::watch_over(jobs) => Err(StartError::Job(job)),
        job = lasting.ended() => Err(StartError::Job(job)),
        signal = stop_signal() => signal.map(|name| tracing::info!(signal = name, "stopping")).map_err(StartError::Io),
    };
    let deadline = Instant::now() + ENDS_WITHIN;
    let _ = draining.send(true);
    tokio::join!(lasting.leave(connections), tokio::time::sleep(LISTENS_ON_FOR));
    // A server hears of its end only while it is polled.
    let stops = futures_util::future::join_all(handles.iter().map(|handle| handle.stop(true)));
    let Ok((_, ended)) = tokio::time::timeout_at(deadline, async { tokio::join!(stops, running) }).await else {
        tracing::warn!("stopped while requests were under way");
        return outcome;
    };
    tracing::info!("stopped");
    outcome.and(ended.map(|_| ()).map_err(StartError::Io))
}

/// Jobs that have something to finish before the node ends.
struct Lasting {
    leading: JoinHandle<()>,
    recording: JoinHandle<()>,
    mailing: JoinHandle<()>,
}

impl Lasting {
    /// Why one of them ended before it was asked to.
    async fn ended(&mut self) -> String {
        let Self { leading, recording, mailing } = self;
        jobs::why_ended(tokio::select! {
            job = leading => job,
            job = recording => job,
            job = mailing => job,
        })
    }

    /// Lets them, and the sockets, finish.
    async fn leave(self, connections: &Connections) {
        let within = async |job: JoinHandle<()>, wait| {
            if !job.is_finished() {
                let _ = tokio::time::timeout(wait, job).await;
            }
        };
        let prices = async {
            // Leadership first: another node goes on while this one is still saying goodbye.
            within(self.leading, RELEASE_WITHIN).await;
            // Where no more ticks come, what was collected is stored.
            tokio::join!(wait_for_sockets(connections), within(self.recording, RECORD_WITHIN));
        };
        // What was handed over is marked, or it would be sent again.
        tokio::join!(prices, within(self.mailing, MAIL_WITHIN));
    }
}

const fn mode_name(mode: Mode) -> &'static str {
    match mode {
        Mode::Dev => "dev",
        Mode::Serve => "serve",
    }
}

async fn stop_signal() -> io::Result<&'static str> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(tokio::select! {
        _ = interrupt.recv() => "SIGINT",
        _ = terminate.recv() => "SIGTERM",
    })
}

async fn wait_for_sockets(connections: &Connections) {
    let left = async {
        while connections.counts().total > 0 {
            tokio::time::sleep(StdDuration::from_millis(20)).await;
        }
    };
    let _ = tokio::time::timeout(SOCKETS_LEAVE_WITHIN, left).await;
}
