use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use coinlink_domain::{
    market::{Quote, Symbol},
    shared::backoff::FullJitter,
};
use coinlink_ports::{
    market::{LiveFeedHealth, LiveQuotes},
    shared::Clock,
};
use coinlink_upstream::{InvalidSettings, SocketConnector, SocketSettings, Upstream, UpstreamSettings};
use tokio::{
    sync::watch,
    task::{JoinHandle, JoinSet},
    time::{Instant, sleep, timeout},
};

use super::{
    book::Book,
    listing::{BELIEVED, Listing},
    session::{self, End, Surroundings},
};
use crate::{CoinbaseSettings, product::read_error};

/// The longest message that is read. A ticker has about 500 bytes, an acknowledgement of all products some thousands.
const MAX_MESSAGE: usize = 256 * 1024;

/// How the live feed is followed.
#[derive(Debug, Clone)]
pub struct LiveSettings {
    pub ws_url: String,
    /// The REST address, which knows the listed products.
    pub base_url: String,
    /// For the handshake, and for each message that is sent.
    pub timeout: Duration,
    /// A connection without a message for this long is given up. Batches come every 5 s.
    pub silence: Duration,
    /// Waits between attempts to connect. A connection that lived longer than the cap starts them again from the base.
    pub backoff: FullJitter,
}

impl Default for LiveSettings {
    fn default() -> Self {
        Self {
            ws_url: "wss://ws-feed.exchange.coinbase.com".to_owned(),
            base_url: CoinbaseSettings::default().base_url,
            timeout: UpstreamSettings::TIMEOUT,
            silence: Duration::from_secs(15),
            backoff: FullJitter { base: time::Duration::milliseconds(100), cap: time::Duration::seconds(30) },
        }
    }
}

/// Coinbase Exchange's live prices. A task of its own keeps the connection; it ends with this value.
pub struct CoinbaseLiveFeed {
    watched: watch::Sender<Arc<[Symbol]>>,
    book: Arc<Mutex<Book>>,
    task: JoinHandle<()>,
}

impl CoinbaseLiveFeed {
    /// Starts the task on the current tokio runtime. It connects once something is watched.
    pub fn spawn(settings: LiveSettings, clock: Arc<dyn Clock>) -> Result<Self, InvalidSettings> {
        let mut rest = UpstreamSettings::new("coinbase", settings.base_url, read_error);
        rest.timeout = settings.timeout;
        let rest = Arc::new(Upstream::new(rest, clock.clone())?);
        let socket =
            SocketSettings { name: "coinbase_live", url: settings.ws_url, timeout: settings.timeout, max_message: MAX_MESSAGE };
        let connector = SocketConnector::new(&socket)?;
        let book = Arc::new(Mutex::new(Book::default()));
        let (watched, follow) = watch::channel(Arc::from([]));
        let around =
            Arc::new(Surroundings { connector, timeout: settings.timeout, silence: settings.silence, book: book.clone(), clock });
        let task = tokio::spawn(supervise(around, rest, follow, settings.backoff));
        Ok(Self { watched, book, task })
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LiveQuotes for CoinbaseLiveFeed {
    fn watch(&self, symbols: &[Symbol]) {
        self.watched.send_if_modified(|watched| {
            let changed = **watched != *symbols;
            if changed {
                *watched = symbols.into();
            }
            changed
        });
    }

    fn latest(&self) -> Vec<Quote> {
        self.book().quotes()
    }

    fn health(&self) -> LiveFeedHealth {
        self.book().health()
    }
}

impl Drop for CoinbaseLiveFeed {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Starts the following again should it panic: a feed that died quietly would only be noticed by prices that stand still.
async fn supervise(around: Arc<Surroundings>, rest: Arc<Upstream>, watched: watch::Receiver<Arc<[Symbol]>>, backoff: FullJitter) {
    let mut tasks = JoinSet::new();
    loop {
        tasks.spawn(follow(around.clone(), rest.clone(), watched.clone(), backoff));
        match tasks.join_next().await {
            Some(Err(error)) if error.is_panic() => {
                tracing::error!("the live feed panicked and is started again");
                around.book().disconnected(true);
                sleep(backoff.cap.unsigned_abs()).await;
            }
            _ => return,
        }
    }
}

async fn follow(
    around: Arc<Surroundings>,
    rest: Arc<Upstream>,
    mut watched: watch::Receiver<Arc<[Symbol]>>,
    backoff: FullJitter,
) {
    let mut listing = Listing::new(rest);
    let mut attempt = 0;
    loop {
        if watched.wait_for(|symbols| !symbols.is_empty()).await.is_err() {
            return;
        }
        listing.learn().await;
        let symbols = watched.borrow_and_update().clone();
        if listing.products(&symbols).is_empty() {
            // Nothing to follow until something else is watched, or listed.
            if let Ok(Err(_)) = timeout(BELIEVED, watched.changed()).await {
                return;
            }
            continue;
        }
        let started = Instant::now();
        let end = session::run(&around, &mut listing, &mut watched).await;
        around.book().disconnected(matches!(end, End::Lost(_)));
        let End::Lost(reason) = end else {
            attempt = 0;
            continue;
        };
        if started.elapsed() >= backoff.cap.unsigned_abs() {
            attempt = 0;
        }
        let wait = backoff.delay(attempt, getrandom::u64().unwrap_or(u64::MAX)).unsigned_abs();
        let wait_ms = wait.as_millis();
        if attempt == 0 {
            tracing::warn!(reason, wait_ms, "the live feed is lost");
        } else {
            tracing::debug!(reason, wait_ms, attempt, "the live feed is still lost");
        }
        attempt = attempt.saturating_add(1);
        sleep(wait).await;
    }
}
