use std::time::Duration;

use async_trait::async_trait;
use coinlink_domain::market::Tick;
use coinlink_ports::{market::TickFollower, shared::BusError};
use fred::{
    clients::Client,
    interfaces::{ClientLike, EventInterface, PubsubInterface},
    types::{Builder, ConnectHandle, Message, config::UnresponsiveConfig},
};
use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    task::{AbortHandle, JoinSet},
    time::{sleep, timeout},
};

use crate::{link::RedisLink, payload};

/// How often the connection is tried, and how long the answer may take: together the time in which a connection that is
/// open but dead is found out.
const PING_EVERY: Duration = Duration::from_secs(5);
const PONG_WITHIN: Duration = Duration::from_secs(2);

/// Messages that may wait to be read. At one tick in seconds, a reader this far behind has missed more than it would read.
const MESSAGES_KEPT: usize = 64;

/// What a topic says next.
pub(crate) enum Heard {
    /// A message.
    Message(Message),
    /// So many messages came and went before this one asked.
    Missed(u64),
}

/// One topic on one connection, which is not mended: when it breaks, the caller begins another and reads what it missed.
pub(crate) struct TopicListener {
    messages: Receiver<Message>,
    /// One task, which ends with the reason when the connection does. Dropping it closes the connection.
    watch: JoinSet<String>,
}

impl TopicListener {
    /// Of messages that wait to be read, `kept` are.
    pub(crate) async fn begin(link: &RedisLink, topic: String, kept: usize) -> Result<Self, BusError> {
        let client = client(link, kept)?;
        let messages = client.message_rx();
        let connected = timeout(link.connect_timeout(), client.init()).await;
        let connection = connected.map_err(|_| BusError(format!("no connection within {:?}", link.connect_timeout())))?;
        let connection = CloseOnDrop::new(connection.map_err(|error| lost(&error))?);
        let subscribed = timeout(link.command_timeout(), client.subscribe(topic)).await;
        subscribed.map_err(|_| BusError("no answer to SUBSCRIBE".into()))?.map_err(|error| lost(&error))?;
        let mut watch = JoinSet::new();
        watch.spawn(watch_over(client, connection));
        Ok(Self { messages, watch })
    }

    /// What comes within `wait`. After an error there is nothing more to hear.
    pub(crate) async fn next(&mut self, wait: time::Duration) -> Result<Option<Heard>, BusError> {
        if self.watch.is_empty() {
            return Err(BusError("the subscription has ended".into()));
        }
        let wait = Duration::try_from(wait).unwrap_or_default();
        let message = tokio::select! {
            biased;
            message = self.messages.recv() => message,
            ended = self.watch.join_next() => {
                let reason = match ended {
                    Some(Ok(reason)) => reason,
                    _ => "the subscription has ended".into(),
                };
                return Err(self.end(reason));
            }
            () = sleep(wait) => return Ok(None),
        };
        match message {
            Ok(message) => Ok(Some(Heard::Message(message))),
            Err(RecvError::Lagged(missed)) => Ok(Some(Heard::Missed(missed))),
            Err(RecvError::Closed) => Err(self.end("the subscription has ended".into())),
        }
    }

    fn end(&mut self, reason: String) -> BusError {
        self.watch.abort_all();
        self.watch.detach_all();
        BusError(reason)
    }
}

/// The topic of ticks.
pub(crate) struct Subscription {
    link: RedisLink,
    topic: TopicListener,
}

impl Subscription {
    pub(crate) async fn begin(link: &RedisLink) -> Result<Self, BusError> {
        let topic = TopicListener::begin(link, link.keys().topic(), MESSAGES_KEPT).await?;
        Ok(Self { link: link.clone(), topic })
    }
}

fn lost(error: &fred::error::Error) -> BusError {
    BusError(error.to_string())
}

/// A client that neither reconnects nor retries.
fn client(link: &RedisLink, kept: usize) -> Result<Client, BusError> {
    let mut builder = Builder::from_config(link.subscriptions().clone());
    builder.with_performance_config(|performance| {
        performance.default_command_timeout = PONG_WITHIN;
        performance.broadcast_channel_capacity = kept;
    });
    builder.with_connection_config(|connection| {
        connection.connection_timeout = link.connect_timeout();
        connection.internal_command_timeout = link.command_timeout();
        connection.max_command_attempts = 1;
        connection.max_command_buffer_len = 16;
        connection.unresponsive = UnresponsiveConfig { max_timeout: None, ..UnresponsiveConfig::default() };
        connection.tcp.nodelay = Some(true);
    });
    builder.build().map_err(|error| lost(&error))
}

/// The task that drives a connection; the socket closes with it.
struct CloseOnDrop {
    task: ConnectHandle,
    abort: AbortHandle,
}

impl CloseOnDrop {
    fn new(task: ConnectHandle) -> Self {
        Self { abort: task.abort_handle(), task }
    }
}

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        self.abort.abort();
    }
}

/// The reason why the connection is over, once it is. The end of the connection is watched during a PING too: the client
/// forgets commands that were on their way when it came.
async fn watch_over(client: Client, mut connection: CloseOnDrop) -> String {
    tokio::select! {
        ended = &mut connection.task => match ended {
            Ok(Err(error)) => error.to_string(),
            Ok(Ok(())) => "Redis closed the connection".into(),
            Err(error) => error.to_string(),
        },
        reason = unanswered_ping(&client) => reason,
    }
}

async fn unanswered_ping(client: &Client) -> String {
    loop {
        sleep(PING_EVERY).await;
        match timeout(PONG_WITHIN, client.ping::<()>(None)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return error.to_string(),
            Err(_) => return format!("no answer to PING within {PONG_WITHIN:?}"),
        }
    }
}

#[async_trait]
impl TickFollower for Subscription {
    async fn next(&mut self, wait: time::Duration) -> Result<Option<Tick>, BusError> {
        let tick = match self.topic.next(wait).await? {
            Some(Heard::Message(message)) => payload::decode(message.value.as_bytes().unwrap_or_default()),
            Some(Heard::Missed(missed)) => Err(BusError(format!("{missed} messages behind"))),
            None => return Ok(None),
        };
        match tick {
            Ok(tick) => {
                self.link.heard_of_epoch(tick.id.epoch);
                Ok(Some(tick))
            }
            Err(error) => Err(self.topic.end(error.0)),
        }
    }
}
