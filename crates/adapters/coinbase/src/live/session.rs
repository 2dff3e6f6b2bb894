//! One connection, from the handshake to its end.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use coinlink_domain::market::Symbol;
use coinlink_ports::shared::Clock;
use coinlink_upstream::{Socket, SocketConnector};
use futures_util::{SinkExt, StreamExt};
use tokio::{
    sync::watch,
    time::{Instant, timeout, timeout_at},
};
use tokio_tungstenite::tungstenite::Message;

use super::{
    book::Book,
    frames::{Incoming, names, request},
    listing::Listing,
};

/// The longest part of a provider's words that is logged.
const WORDS: usize = 200;

/// Why a connection is over.
pub(super) enum End {
    /// Nothing is left to follow.
    Unwatched,
    /// It failed; for logs.
    Lost(String),
}

/// What outlives a connection.
pub(super) struct Surroundings {
    pub(super) connector: SocketConnector,
    /// For each message that is sent.
    pub(super) timeout: Duration,
    pub(super) silence: Duration,
    pub(super) book: Arc<Mutex<Book>>,
    pub(super) clock: Arc<dyn Clock>,
}

impl Surroundings {
    pub(super) fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Session<'a> {
    around: &'a Surroundings,
    listing: &'a mut Listing,
    socket: Socket,
    subscribed: BTreeSet<String>,
}

/// Follows `watched` until nothing is left to follow or the connection fails.
pub(super) async fn run(around: &Surroundings, listing: &mut Listing, watched: &mut watch::Receiver<Arc<[Symbol]>>) -> End {
    let socket = match around.connector.open().await {
        Ok(socket) => socket,
        Err(reason) => return End::Lost(reason),
    };
    let session = Session { around, listing, socket, subscribed: BTreeSet::new() };
    match session.follow(watched).await {
        Ok(()) => End::Unwatched,
        Err(reason) => End::Lost(reason),
    }
}

impl Session<'_> {
    async fn follow(mut self, watched: &mut watch::Receiver<Arc<[Symbol]>>) -> Result<(), String> {
        let symbols = watched.borrow_and_update().clone();
        // Coinbase closes a connection that asks for nothing within five seconds.
        self.subscribe_to(&symbols, true).await?;
        let mut heard = Instant::now();
        while !self.subscribed.is_empty() {
            tokio::select! {
                changed = watched.changed() => {
                    if changed.is_err() {
                        break;
                    }
                    let symbols = watched.borrow_and_update().clone();
                    self.subscribe_to(&symbols, false).await?;
                }
                message = timeout_at(heard + self.around.silence, self.socket.next()) => {
                    let message = message.map_err(|_| format!("silent for {:?}", self.around.silence))?;
                    let message = message.ok_or("closed")?.map_err(|error| error.to_string())?;
                    match message {
                        Message::Text(text) => {
                            heard = Instant::now();
                            if let Some(words) = self.take(&text) {
                                let symbols = watched.borrow().clone();
                                self.drop_refused(&words, &symbols).await?;
                            }
                        }
                        Message::Close(reason) => {
                            return Err(reason.map_or_else(|| "closed".to_owned(), |reason| format!("closed: {reason}")));
                        }
                        // Pings are answered below, and say nothing about the data: only data ends a silence.
                        _ => {}
                    }
                }
            }
        }
        // A courtesy: the connection is dropped either way.
        let _ = timeout(self.around.timeout, self.socket.close(None)).await;
        Ok(())
    }

    /// A refusal's words, where the frame is one.
    fn take(&mut self, text: &str) -> Option<String> {
        let mut book = self.around.book();
        match Incoming::read(text) {
            Incoming::Ticker(ticker) => {
                book.connected();
                book.take(*ticker, self.around.clock.now());
            }
            Incoming::Acknowledged => book.connected(),
            Incoming::Refused(words) => return Some(words),
            Incoming::Unreadable => book.unreadable(),
            Incoming::Other => {}
        }
        None
    }

    /// One unknown product fails the whole subscription: the rest is asked for again without it.
    async fn drop_refused(&mut self, words: &str, symbols: &[Symbol]) -> Result<(), String> {
        let refused: Vec<_> = self.subscribed.iter().filter(|product| names(words, product)).cloned().collect();
        if refused.is_empty() {
            return Err(format!("refused: {}", words.chars().take(WORDS).collect::<String>()));
        }
        for product in refused {
            tracing::info!(product, "Coinbase does not list this product live");
            self.listing.refuse(product);
        }
        self.subscribe_to(symbols, true).await
    }

    /// Subscribes to what is new (or, `again`, to all) and unsubscribes from what is no longer wanted.
    async fn subscribe_to(&mut self, symbols: &[Symbol], again: bool) -> Result<(), String> {
        let wanted = self.listing.products(symbols);
        let added: Vec<_> = wanted.iter().filter(|product| again || !self.subscribed.contains(*product)).collect();
        let removed: Vec<_> = self.subscribed.iter().filter(|product| !again && !wanted.contains(*product)).collect();
        let requests = [("subscribe", added), ("unsubscribe", removed)];
        let requests: Vec<_> = requests
            .into_iter()
            .filter(|(_, products)| !products.is_empty())
            .map(|(kind, products)| request(kind, products))
            .collect();
        self.subscribed = wanted;
        for text in requests {
            let sent = timeout(self.around.timeout, self.socket.send(Message::text(text))).await;
            sent.map_err(|_| "takes no messages".to_owned())?.map_err(|error| error.to_string())?;
        }
        Ok(())
    }
}
