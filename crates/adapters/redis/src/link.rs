use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use coinlink_domain::shared::backoff::FullJitter;
use coinlink_ports::shared::{BusError, Dice};
use deadpool_redis::redis::{
    AsyncConnectionConfig, Client, ErrorKind, PushInfo, PushKind, RedisError, RedisResult, ServerErrorKind,
    aio::MultiplexedConnection, cmd,
};
use fred::types::config::Config;
use tokio::{
    sync::watch,
    time::{Instant, timeout},
};
use tracing::{Instrument as _, field::Empty};

use crate::{
    keys::Keys,
    settings::{RedisSettings, RedisSettingsError},
};

/// Waits between attempts to connect.
const RECONNECT: FullJitter = FullJitter { base: time::Duration::milliseconds(100), cap: time::Duration::seconds(2) };

/// This node's connection to Redis, shared by everything that sends it commands. Made by the first command that needs it,
/// dropped on the first error, made again by the next command; between attempts that fail, commands fail at once.
#[derive(Clone)]
pub struct RedisLink {
    shared: Arc<Shared>,
}

struct Shared {
    client: Client,
    subscriptions: Config,
    keys: Keys,
    command_timeout: Duration,
    connect_timeout: Duration,
    dice: Arc<dyn Dice>,
    state: watch::Sender<State>,
    connections: AtomicU64,
    newest_epoch: AtomicU64,
    /// Whether a PING is under way because somebody with little patience got no answer.
    doubted: AtomicBool,
    under_way: AtomicUsize,
}

/// How much of the link is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkUse {
    /// Open connections for commands: 0 or 1.
    pub open: usize,
    /// Commands that were begun and have neither an answer nor been given up.
    pub under_way: usize,
}

/// A command under way.
struct UnderWay<'a>(&'a AtomicUsize);

impl<'a> UnderWay<'a> {
    fn begin(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[derive(Clone)]
enum State {
    Down { failures: u32, retry_at: Instant, reason: Arc<str> },
    Connecting { failures: u32 },
    Up { connection: MultiplexedConnection, number: u64 },
}

enum Failure {
    Down(Arc<str>),
    Command(RedisError),
}

impl RedisLink {
    /// A link by `settings`. Connects to nothing yet.
    pub fn try_new(settings: &RedisSettings, dice: Arc<dyn Dice>) -> Result<Self, RedisSettingsError> {
        let endpoint = settings.endpoint()?;
        let idle = State::Down { failures: 0, retry_at: Instant::now(), reason: "not connected yet".into() };
        let shared = Shared {
            client: Client::open(endpoint.commands).map_err(|_| RedisSettingsError::Url)?,
            subscriptions: endpoint.subscriptions,
            keys: Keys::under(&settings.prefix),
            command_timeout: settings.command_timeout,
            connect_timeout: settings.connect_timeout,
            dice,
            state: watch::Sender::new(idle),
            connections: AtomicU64::new(0),
            newest_epoch: AtomicU64::new(0),
            doubted: AtomicBool::new(false),
            under_way: AtomicUsize::new(0),
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// How much of it is used now.
    #[must_use]
    pub fn in_use(&self) -> LinkUse {
        let open = usize::from(matches!(&*self.shared.state.borrow(), State::Up { .. }));
        LinkUse { open, under_way: self.shared.under_way.load(Ordering::Relaxed) }
    }

    pub(crate) fn keys(&self) -> &Keys {
        &self.shared.keys
    }

    pub(crate) fn subscriptions(&self) -> &Config {
        &self.shared.subscriptions
    }

    pub(crate) fn command_timeout(&self) -> Duration {
        self.shared.command_timeout
    }

    pub(crate) fn connect_timeout(&self) -> Duration {
        self.shared.connect_timeout
    }

    /// The newest epoch this node has heard of: what a wiped Redis with a clock set back can be reminded of.
    pub(crate) fn newest_epoch(&self) -> u64 {
        self.shared.newest_epoch.load(Ordering::Relaxed)
    }

    pub(crate) fn heard_of_epoch(&self, epoch: u64) {
        self.shared.newest_epoch.fetch_max(epoch, Ordering::Relaxed);
    }

    /// Runs one command or script, which traces know as `name`. Takes no longer than the command time-out, whatever Redis does.
    pub(crate) async fn run<T, F>(
        &self,
        name: &'static str,
        command: impl FnOnce(MultiplexedConnection) -> F + Send,
    ) -> Result<T, BusError>
    where
        F: Future<Output = RedisResult<T>> + Send,
    {
        self.run_within(self.shared.command_timeout, name, command).await
    }

    /// The same for a caller with less patience. When it gets no answer, the connection stays, for others wait on it for
    /// longer; whether it is of any use is then found out by a PING.
    pub(crate) async fn run_within<T, F>(
        &self,
        patience: Duration,
        name: &'static str,
        command: impl FnOnce(MultiplexedConnection) -> F + Send,
    ) -> Result<T, BusError>
    where
        F: Future<Output = RedisResult<T>> + Send,
    {
        let span = tracing::debug_span!(
            "redis",
            otel.name = %format_args!("Redis {name}"),
            otel.kind = "client",
            otel.status_code = Empty,
            db.system = "redis",
            db.operation = name,
        );
        let answer = self.answer_within(patience, command).instrument(span.clone()).await;
        if answer.is_err() {
            span.record("otel.status_code", "ERROR");
        }
        answer
    }

    async fn answer_within<T, F>(
        &self,
        patience: Duration,
        command: impl FnOnce(MultiplexedConnection) -> F + Send,
    ) -> Result<T, BusError>
    where
        F: Future<Output = RedisResult<T>> + Send,
    {
        let _under_way = UnderWay::begin(&self.shared.under_way);
        let mut used = None;
        let answer = timeout(patience, async {
            let (connection, number) = self.connection().await.map_err(Failure::Down)?;
            used = Some(number);
            command(connection).await.map_err(Failure::Command)
        })
        .await;
        let error = match answer {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(Failure::Down(reason))) => return Err(BusError(reason.to_string())),
            Ok(Err(Failure::Command(error))) if leaves_connection_usable(&error) => return Err(BusError(error.to_string())),
            Ok(Err(Failure::Command(error))) => error.to_string(),
            Err(_) if used.is_none() => return Err(BusError(format!("no connection after {patience:?}"))),
            Err(_) if patience < self.shared.command_timeout => {
                self.doubt();
                return Err(BusError(format!("no answer within {patience:?}")));
            }
            Err(_) => format!("no answer within {patience:?}"),
        };
        if let Some(number) = used {
            self.shared.lost(number, &error);
        }
        Err(BusError(error))
    }

    /// Tries the connection, unless somebody already does; without an answer within the command time-out it is lost.
    fn doubt(&self) {
        if self.shared.doubted.swap(true, Ordering::AcqRel) {
            return;
        }
        let link = self.clone();
        tokio::spawn(async move {
            // Where it fails, `run` has drawn the conclusion.
            let _ = link.run("PING", |mut connection| async move { cmd("PING").exec_async(&mut connection).await }).await;
            link.shared.doubted.store(false, Ordering::Release);
        });
    }

    async fn connection(&self) -> Result<(MultiplexedConnection, u64), Arc<str>> {
        if let State::Up { connection, number } = &*self.shared.state.borrow() {
            return Ok((connection.clone(), *number));
        }
        let mut changes = self.shared.state.subscribe();
        loop {
            let state = changes.borrow_and_update().clone();
            match state {
                State::Up { connection, number } => return Ok((connection, number)),
                State::Down { retry_at, reason, .. } if Instant::now() < retry_at => return Err(reason),
                State::Down { .. } => self.shared.start_connecting(),
                State::Connecting { .. } => {}
            }
            changes.changed().await.map_err(|_| "the link is gone")?;
        }
    }
}

/// Redis refused this command, and is well otherwise.
fn leaves_connection_usable(error: &RedisError) -> bool {
    let refused =
        [ServerErrorKind::ResponseError, ServerErrorKind::ExecAbort, ServerErrorKind::NoScript, ServerErrorKind::NoPerm];
    match error.kind() {
        ErrorKind::Server(kind) => refused.contains(&kind),
        // Among these are those of a Redis that takes no writes for now (OOM, MISCONF, BUSY), also those of a pipeline, which have no
        // code: a new connection would hear the same. One that has to sign in again is of no use.
        ErrorKind::Extension => error.code() != Some("NOAUTH"),
        kind => kind == ErrorKind::UnexpectedReturnType,
    }
}

impl Shared {
    /// Begins one attempt, unless somebody else just did. It is a task of its own: a caller that gives up waiting does not
    /// take it along.
    fn start_connecting(self: &Arc<Self>) {
        let ours = self.state.send_if_modified(|state| match *state {
            State::Down { failures, .. } => {
                *state = State::Connecting { failures };
                true
            }
            _ => false,
        });
        if ours {
            tokio::spawn(self.clone().connect());
        }
    }

    async fn connect(self: Arc<Self>) {
        let number = self.connections.fetch_add(1, Ordering::Relaxed) + 1;
        let link = Arc::downgrade(&self);
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.connect_timeout))
            .set_response_timeout(Some(self.command_timeout))
            .set_push_sender(move |push: PushInfo| {
                if push.kind == PushKind::Disconnection
                    && let Some(link) = link.upgrade()
                {
                    link.lost(number, "Redis closed the connection");
                }
                Ok::<_, std::convert::Infallible>(())
            });
        let connected =
            match timeout(self.connect_timeout, self.client.get_multiplexed_async_connection_with_config(&config)).await {
                Ok(Ok(connection)) => Ok(connection),
                Ok(Err(error)) => Err(error.to_string()),
                Err(_) => Err(format!("no connection within {:?}", self.connect_timeout)),
            };
        self.state.send_modify(|state| {
            let failures = if let State::Connecting { failures } = state { *failures } else { 0 };
            *state = match connected {
                Ok(connection) => {
                    tracing::info!(number, "connected to Redis");
                    State::Up { connection, number }
                }
                Err(reason) => {
                    if failures == 0 {
                        tracing::warn!(reason, "Redis cannot be reached");
                    }
                    let wait = RECONNECT.delay(failures, self.dice.roll());
                    let retry_at = Instant::now() + wait.try_into().unwrap_or_default();
                    State::Down { failures: failures.saturating_add(1), retry_at, reason: reason.into() }
                }
            };
        });
    }

    /// Connection `number` is of no use any more.
    fn lost(&self, number: u64, reason: &str) {
        self.state.send_if_modified(|state| match state {
            State::Up { number: current, .. } if *current == number => {
                tracing::warn!(number, reason, "the connection to Redis is lost");
                *state = State::Down { failures: 0, retry_at: Instant::now(), reason: reason.into() };
                true
            }
            _ => false,
        });
    }
}
