//! CoinGecko, Coinbase Exchange, Kraken, NewsAPI and alternative.me on one port of 127.0.0.1, in the shapes recorded from them, for tests of the
//! adapters and for a real binary pointed here by its base-URL settings. Each provider can be made to fail in each way
//! that was seen, prices can be set, calls are counted, and the whole can be stopped and started again on its port.

mod alternative_me;
mod candles;
mod coinbase;
mod coingecko;
mod http;
mod kraken;
mod market;
mod newsapi;
mod overview;
mod server;
mod socket;

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
};

use time::OffsetDateTime;

pub use http::Recorded;

use market::Market;

/// Whose shapes are served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provider {
    CoinGecko,
    Coinbase,
    Kraken,
    /// CoinGecko's `/global` and `/search/trending`, apart from its prices.
    Overview,
    NewsApi,
    AlternativeMe,
    /// Past prices in USDT.
    Binance,
}

impl Provider {
    const COUNT: usize = 7;

    const fn index(self) -> usize {
        self as usize
    }
}

/// How a provider answers.
#[derive(Debug, Clone, Default)]
pub enum Mode {
    /// As it does on a good day.
    #[default]
    Ok,
    /// With this status, body and headers.
    Status(u16, String, Vec<(String, String)>),
    /// Never: the request is read and the connection kept open.
    Hang,
    /// 200, a JSON content type, and bytes that are not JSON.
    Garbage,
    /// 200 and the good answer's first half, announced as such.
    TruncatedJson,
    /// 200 and the good answer's first half where the whole was announced; then the connection closes.
    BrokenOff,
    /// 403 and a content network's page.
    Html403,
    /// 200 and a content network's page.
    Html200,
}

impl Mode {
    /// What no provider means to answer.
    pub const BROKEN: [Self; 6] = [Self::Html403, Self::Html200, Self::Garbage, Self::TruncatedJson, Self::BrokenOff, Self::Hang];

    /// A status and a JSON body.
    #[must_use]
    pub fn status(status: u16, body: &str) -> Self {
        Self::Status(status, body.to_owned(), Vec::new())
    }

    /// The same with one more header.
    #[must_use]
    pub fn status_with(status: u16, body: &str, name: &str, value: &str) -> Self {
        Self::Status(status, body.to_owned(), vec![(name.to_owned(), value.to_owned())])
    }
}

#[derive(Debug, Default)]
struct State {
    modes: [Mode; Provider::COUNT],
    market: Market,
    frozen: Option<OffsetDateTime>,
    requests: Vec<(Option<Provider>, Recorded)>,
    sockets: Vec<socket::Client>,
    unlisted: BTreeSet<String>,
    pongs: u64,
}

type Shared = Arc<Mutex<State>>;

fn lock(state: &Shared) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// The stub. Serves from the runtime it was started on until it is stopped or dropped.
pub struct StubUpstream {
    address: SocketAddr,
    state: Shared,
    server: Mutex<Option<server::Running>>,
}

impl StubUpstream {
    /// Listens on a free port of 127.0.0.1.
    pub async fn start() -> Self {
        let state = Shared::default();
        let (address, running) = server::start(SocketAddr::from(([127, 0, 0, 1], 0)), state.clone()).await;
        Self { address, state, server: Mutex::new(Some(running)) }
    }

    /// Closes every connection; from now on the port refuses.
    pub async fn stop(&self) {
        let running = self.server.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        if let Some(running) = running {
            running.stop().await;
        }
        lock(&self.state).sockets.clear();
    }

    /// Listens on the same port again, with the same prices, modes and counts.
    pub async fn restart(&self) {
        self.stop().await;
        let (_, running) = server::start(self.address, self.state.clone()).await;
        *self.server.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(running);
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// For `COINGECKO_BASE_URL`.
    pub fn coingecko_url(&self) -> String {
        format!("http://{}/coingecko/api/v3", self.address)
    }

    /// For `COINBASE_BASE_URL`.
    pub fn coinbase_url(&self) -> String {
        format!("http://{}/coinbase", self.address)
    }

    /// For `COINBASE_WS_URL`.
    pub fn coinbase_ws_url(&self) -> String {
        format!("ws://{}/coinbase-ws", self.address)
    }

    /// For `KRAKEN_BASE_URL`.
    pub fn kraken_url(&self) -> String {
        format!("http://{}/kraken/0/public", self.address)
    }

    /// For `BINANCE_BASE_URL`.
    pub fn binance_url(&self) -> String {
        format!("http://{}/binance", self.address)
    }

    /// For `NEWSAPI_BASE_URL`.
    pub fn newsapi_url(&self) -> String {
        format!("http://{}/newsapi", self.address)
    }

    /// For `FNG_BASE_URL`.
    pub fn alternative_me_url(&self) -> String {
        format!("http://{}/alternative_me", self.address)
    }

    pub fn set_mode(&self, provider: Provider, mode: Mode) {
        lock(&self.state).modes[provider.index()] = mode;
    }

    /// All that have prices at once.
    pub fn set_modes(&self, mode: &Mode) {
        for provider in [Provider::CoinGecko, Provider::Coinbase, Provider::Kraken] {
            self.set_mode(provider, mode.clone());
        }
    }

    /// Sets an asset's price at every provider. `json` is put into CoinGecko's answer as it stands (`5.9e-06`, `null`);
    /// the exchanges write the same number as a plain decimal string.
    pub fn set_price(&self, symbol: &str, json: &str) {
        lock(&self.state).market.set_price(symbol, json);
    }

    /// CoinGecko's `last_updated` stays at this moment; `None` lets it be the time of the call again.
    pub fn freeze_last_updated(&self, at: Option<OffsetDateTime>) {
        lock(&self.state).frozen = at;
    }

    /// Takes an asset off Coinbase: its product answers 404, is not in the list, and a subscription to it is refused.
    pub fn unlist(&self, symbol: &str) {
        lock(&self.state).unlisted.insert(symbol.to_owned());
    }

    /// Requests this provider has had, whatever the answer; Coinbase's socket handshakes are not among them.
    pub fn calls(&self, provider: Provider) -> usize {
        lock(&self.state).requests.iter().filter(|(asked, _)| *asked == Some(provider)).count()
    }

    /// Requests whose path begins with this (`/coinbase/products/BTC-USD`).
    pub fn calls_to(&self, path: &str) -> usize {
        lock(&self.state).requests.iter().filter(|(_, request)| request.path.starts_with(path)).count()
    }

    /// Every request so far, oldest first.
    pub fn requests(&self) -> Vec<Recorded> {
        lock(&self.state).requests.iter().map(|(_, request)| request.clone()).collect()
    }

    /// Forgets the requests so far.
    pub fn reset_calls(&self) {
        lock(&self.state).requests.clear();
    }
}
