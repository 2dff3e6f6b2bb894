//! All sockets of one worker thread.

use std::{cell::RefCell, net::IpAddr, rc::Rc, sync::Arc, time::Duration as StdDuration};

use bytes::Bytes;
use coinlink_application::identity::SocketAccess;
use coinlink_domain::shared::sliding_window::WindowPolicy;
use coinlink_ports::shared::Clock;
use prometheus::{Histogram, IntCounter, IntGauge};
use slab::Slab;
use time::OffsetDateTime;
use tokio::{
    net::TcpStream,
    sync::{Semaphore, broadcast::error::RecvError, watch},
    time::{MissedTickBehavior, interval},
};

use super::{
    Admission, Assistant, Channel, Close, Feeds, Place, Private, Refusal, connection::Connection, rooms::Rooms,
    subscription::Encoded, visitor::Visitor,
};
use crate::{
    broadcast::{Broadcaster, Published},
    http::{TrustedProxies, client_ip},
    telemetry::Metrics,
};

/// Sockets written before the thread's other work gets a turn.
const BATCH: usize = 64;
/// The hint to come back is spread over this long.
const COME_BACK_WITHIN_MS: u32 = 10_000;

/// What a socket may cost.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Messages from a client.
    pub messages: WindowPolicy,
    /// Bytes of one message from a client.
    pub max_message: usize,
    /// Between pings of ours.
    pub ping_every_ms: u64,
    /// Without a sign of life.
    pub dead_after_ms: u64,
    /// Without progress of a write.
    pub write_stall_ms: u64,
    /// Between ticks: told to clients.
    pub tick_every_ms: u64,
    /// Send buffer the kernel may keep for one socket, bytes.
    pub send_buffer: usize,
}

/// What is counted.
#[derive(Debug, Clone)]
pub struct Figures {
    /// Sockets open that are nobody's.
    pub open: IntGauge,
    /// Sockets open of signed-in users.
    pub open_of_users: IntGauge,
    /// Ticker frames begun.
    pub ticks_sent: IntCounter,
    /// All other frames.
    pub answers_sent: IntCounter,
    /// From a provider's answer to the last socket of its tick, seconds.
    pub send_lag: Histogram,
    /// Sockets closed because they did not read or answer.
    pub slow_closed: IntCounter,
}

impl Figures {
    /// Among those of the process.
    pub fn of(metrics: &Metrics) -> Self {
        Self {
            open: metrics.ws_connections_anonymous.clone(),
            open_of_users: metrics.ws_connections_user.clone(),
            ticks_sent: metrics.ws_messages_sent.with_label_values(&["ticker"]),
            answers_sent: metrics.ws_messages_sent.with_label_values(&["other"]),
            send_lag: metrics.ws_send_lag.clone(),
            slow_closed: metrics.ws_slow_closed.clone(),
        }
    }
}

/// What every socket of the node shares.
pub struct Context {
    /// The newest tick.
    pub broadcaster: Broadcaster,
    /// What is written beside it.
    pub feeds: Arc<Feeds>,
    /// Who may come in.
    pub admission: Admission,
    /// Says whose a socket is.
    pub access: Arc<SocketAccess>,
    /// Answers questions.
    pub assistant: Arc<dyn Assistant>,
    /// Questions it may be asked at once on this node.
    pub thinking: Semaphore,
    /// What a socket may cost.
    pub limits: Limits,
    /// What is counted.
    pub figures: Figures,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Proxies whose word on the client's address is taken.
    pub trusted_proxies: TrustedProxies,
    /// True once the node goes away.
    pub draining: watch::Receiver<bool>,
}

impl Context {
    /// Milliseconds of the monotonic clock.
    pub(super) fn millis(&self) -> u64 {
        u64::try_from(self.clock.monotonic().whole_milliseconds()).unwrap_or(0)
    }

    /// The monotonic clock as a moment: what limiters count by, so that a wall clock set back locks nobody out.
    pub(super) fn steady(&self) -> OffsetDateTime {
        OffsetDateTime::UNIX_EPOCH + self.clock.monotonic()
    }

    /// Takes a place for a reader of server-sent events, by the same rules as a socket's.
    pub fn admit_reader(&self, peer: Option<IpAddr>, headers: &actix_http::header::HeaderMap) -> Result<Place, Refusal> {
        if *self.draining.borrow() {
            return Err(Refusal::Draining);
        }
        self.admission.admit(self.client(peer, headers), None, self.steady())
    }

    /// The address a limiter counts: that of the client behind trusted proxies, an IPv6 one as its /64.
    pub(super) fn client(&self, peer: Option<IpAddr>, headers: &actix_http::header::HeaderMap) -> IpAddr {
        let peer = peer.unwrap_or(IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED));
        client_ip(peer, headers, &self.trusted_proxies)
    }
}

pub(super) struct Hub {
    context: Arc<Context>,
    connections: RefCell<Slab<Rc<Connection>>>,
    rooms: Rc<Rooms>,
}

impl Hub {
    pub(super) fn new(context: Arc<Context>) -> Self {
        Self { context, connections: RefCell::default(), rooms: Rc::default() }
    }

    pub(super) const fn context(&self) -> &Arc<Context> {
        &self.context
    }

    /// Takes over a socket after its handshake.
    pub(super) async fn serve(&self, stream: TcpStream, early: Vec<u8>, visitor: Visitor) {
        let socket = socket2::SockRef::from(&stream);
        let _ = socket.set_tcp_nodelay(true);
        let _ = socket.set_send_buffer_size(self.context.limits.send_buffer);
        let connection = Rc::new(Connection::new(stream, &early, visitor, &self.rooms, &self.context));
        // What it needs of it, it has; the socket may live for days.
        drop(early);
        let key = self.connections.borrow_mut().insert(Rc::clone(&connection));
        self.context.figures.open.inc();
        if *self.context.draining.borrow() {
            connection.close(Close::Draining { retry_after_ms: 1_000 }, &self.context);
        }
        Rc::clone(&connection).run(Arc::clone(&self.context)).await;
        self.context.figures.open.dec();
        self.connections.borrow_mut().remove(key);
        let conversation = connection.left_behind();
        drop(connection);
        if let Some(conversation) = conversation {
            self.context.assistant.forget(conversation).await;
        }
    }

    /// Writes every tick to every socket, and looks after them, for as long as the thread lives.
    pub(super) async fn run(&self) {
        let mut showings = self.context.broadcaster.watch();
        let feeds = &self.context.feeds;
        let (mut private, mut prompts, mut news) = (feeds.private(), feeds.prompts(), feeds.news());
        let mut draining = self.context.draining.clone();
        let mut every_second = interval(StdDuration::from_secs(1));
        every_second.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                changed = showings.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    let shown = Arc::clone(&showings.borrow_and_update());
                    self.fan_out(&shown).await;
                }
                told = private.recv() => match told {
                    Ok(told) => self.tell(&told),
                    Err(RecvError::Lagged(missed)) => tracing::warn!(missed, "sockets were not told of private events"),
                    Err(RecvError::Closed) => return,
                },
                Ok(()) = prompts.changed() => {
                    let frame = prompts.borrow_and_update().clone();
                    if let Some(frame) = frame {
                        self.each(|connection, _| connection.show_all(&frame, &self.context)).await;
                    }
                }
                Ok(()) = news.changed() => {
                    let frames = Arc::clone(&news.borrow_and_update().new);
                    self.push(Channel::MarketNews, &frames).await;
                }
                _ = every_second.tick() => self.each(|connection, _| connection.tend(&self.context)).await,
                changed = draining.changed() => {
                    self.drain().await;
                    if changed.is_err() {
                        return;
                    }
                }
            }
        }
    }

    async fn fan_out(&self, shown: &Published) {
        let mut encoded = Encoded::default();
        let now = self.context.millis();
        let mut sent = 0;
        self.each(|connection, _| {
            sent += u64::from(connection.show(shown, &mut encoded, now));
            if let Some(frame) = &shown.bitcoin_frame {
                connection.push(Channel::BitcoinPrices, frame, &self.context);
            }
        })
        .await;
        self.context.figures.ticks_sent.inc_by(sent);
        if let Some(received) = shown.received
            && !self.connections.borrow().is_empty()
        {
            self.context.figures.send_lag.observe((self.context.clock.monotonic() - received).as_seconds_f64());
        }
    }

    /// At most a user's seats on the node.
    fn tell(&self, private: &Private) {
        for connection in self.rooms.of(private.user) {
            connection.tell(private, &self.context);
        }
    }

    async fn push(&self, channel: Channel, frames: &[Bytes]) {
        self.each(|connection, _| frames.iter().for_each(|frame| connection.push(channel, frame, &self.context))).await;
    }

    async fn drain(&self) {
        if !*self.context.draining.borrow() {
            return;
        }
        let count = u32::try_from(self.connections.borrow().len().max(1)).unwrap_or(u32::MAX);
        self.each(|connection, index| {
            let place = u32::try_from(index).unwrap_or(u32::MAX) % count;
            let retry_after_ms = u32::try_from(u64::from(COME_BACK_WITHIN_MS) * u64::from(place) / u64::from(count)).unwrap_or(0);
            connection.close(Close::Draining { retry_after_ms }, &self.context);
        })
        .await;
    }

    /// Visits every socket, giving way to the thread's other work in between.
    async fn each(&self, mut visit: impl FnMut(&Connection, usize)) {
        let end = self.connections.borrow().capacity();
        for index in 0..end {
            let connection = self.connections.borrow().get(index).cloned();
            if let Some(connection) = connection {
                visit(&connection, index);
            }
            if index % BATCH == BATCH - 1 {
                tokio::task::yield_now().await;
            }
        }
    }
}
