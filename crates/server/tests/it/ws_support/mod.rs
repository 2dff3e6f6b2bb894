//! Sockets and routes on one port of a node in this process, under a clock that stands still.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(unreachable_pub, reason = "each test binary uses its part of this")]

use std::{
    net::{SocketAddr, TcpListener},
    sync::{Arc, Mutex, atomic::AtomicBool},
    time::Duration as StdDuration,
};

use actix_http::HttpService;
use actix_server::ServerHandle;
use actix_service::map_config;
use actix_web::dev::AppConfig;
use async_trait::async_trait;
use coinlink::{
    broadcast::Broadcaster,
    config::ForwardedHeader,
    http::{Origins, TrustedProxies, app},
    ws::{Admission, AdmissionPolicy, Asked, Assistant, Connections, Context, Feeds, Figures, Limits, NoAnswer, Upgrade},
};
use coinlink_domain::{
    market::{Percent, Price, Quote, Source, Symbol, Tick, TickId, TickItem},
    shared::{sliding_window::WindowPolicy, token_bucket::BucketPolicy},
};
use coinlink_embedded::EmbeddedLiveEvents;
use coinlink_ports::market::TickAudience as _;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use time::Duration;
use tokio::{
    net::TcpStream,
    sync::{Semaphore, watch},
    time::timeout,
};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Message, client::IntoClientRequest as _, handshake::client::Response},
};
use uuid::Uuid;

use super::http_support::{
    NOW, ORIGIN, OWN_ORIGIN,
    gated::{Behind, Holder, Setup},
    parts,
};

const PATIENCE: StdDuration = StdDuration::from_secs(10);

/// Repeats what it hears, once it may.
pub(crate) struct Echo {
    /// A permit a question; taken, not given back.
    pub(crate) may_answer: Semaphore,
    /// What was asked so far.
    pub(crate) asked: Mutex<Vec<Asked>>,
    /// Connections whose conversation was let go of.
    pub(crate) forgotten: Mutex<Vec<Uuid>>,
}

impl Echo {
    fn new() -> Self {
        Self { may_answer: Semaphore::new(0), asked: Mutex::default(), forgotten: Mutex::default() }
    }

    /// Waits until so many questions were asked in all.
    pub(crate) async fn heard(&self, count: usize) -> Asked {
        Self::come(|| self.asked.lock().unwrap().get(count - 1).cloned()).await
    }

    /// Waits until so many conversations were let go of.
    pub(crate) async fn forgot(&self, count: usize) -> Uuid {
        Self::come(|| self.forgotten.lock().unwrap().get(count - 1).copied()).await
    }

    async fn come<T>(look: impl Fn() -> Option<T>) -> T {
        let come = async {
            loop {
                if let Some(found) = look() {
                    return found;
                }
                tokio::task::yield_now().await;
            }
        };
        timeout(PATIENCE, come).await.expect("it in time")
    }
}

#[async_trait]
impl Assistant for Echo {
    async fn answer(&self, asked: Asked) -> Result<Arc<str>, NoAnswer> {
        self.asked.lock().unwrap().push(asked.clone());
        self.may_answer.acquire().await.unwrap().forget();
        let text = asked.message.text();
        if &**text == "too much" {
            let retry_after = Some(Duration::minutes(5));
            return Err(NoAnswer { retry_after, ..NoAnswer::new("prompt_quota_exceeded", "come back later") });
        }
        Ok(format!("you said {text}").into())
    }

    async fn forget(&self, connection: Uuid) {
        self.forgotten.lock().unwrap().push(connection);
    }
}

pub(crate) struct Node {
    pub(crate) address: SocketAddr,
    pub(crate) behind: Behind,
    pub(crate) feeds: Arc<Feeds>,
    pub(crate) live: Arc<EmbeddedLiveEvents>,
    pub(crate) connections: Connections,
    pub(crate) echo: Arc<Echo>,
    pub(crate) broadcaster: Broadcaster,
    pub(crate) client: reqwest::Client,
    handle: ServerHandle,
    /// Without it the hubs would end.
    _draining: watch::Sender<bool>,
}

impl Node {
    pub(crate) fn start() -> Self {
        Self::start_on(Behind::default())
    }

    /// One more node, that shares with this one what nodes share.
    pub(crate) fn beside(&self) -> Self {
        let Behind { clock, shared, store, .. } = &self.behind;
        let (clock, shared, store) = (Arc::clone(clock), Arc::clone(shared), store.clone());
        Self::start_on(Behind { clock, shared, store, ..Behind::default() })
    }

    fn start_on(behind: Behind) -> Self {
        let broadcaster = Broadcaster::new(Arc::clone(&behind.clock) as _);
        let parts = parts(Setup::default(), &behind, &broadcaster, &Arc::new(AtomicBool::new(true)));
        let (connections, feeds) = (parts.connections.clone(), Arc::<Feeds>::default());
        let echo = Arc::new(Echo::new());
        let policy = AdmissionPolicy {
            max_connections: 1_000,
            handshakes: BucketPolicy { burst: 1_000, refill: Duration::SECOND },
            origins: Origins::exactly([ORIGIN.to_owned(), OWN_ORIGIN.to_owned()]),
        };
        let draining = watch::Sender::new(false);
        let context = Arc::new(Context {
            broadcaster: broadcaster.clone(),
            feeds: Arc::clone(&feeds),
            admission: Admission::new(policy, connections.clone()),
            access: Arc::clone(&parts.identity.sockets),
            assistant: Arc::clone(&echo) as _,
            thinking: Semaphore::new(2),
            limits: Limits {
                messages: WindowPolicy { limit: 60, window: Duration::minutes(1) },
                max_message: 4096,
                ping_every_ms: 20_000,
                dead_after_ms: 45_000_000,
                write_stall_ms: 5_000,
                tick_every_ms: 5_000,
                send_buffer: 4096,
            },
            figures: Figures::of(&parts.metrics),
            clock: Arc::clone(&behind.clock) as _,
            trusted_proxies: TrustedProxies { networks: Arc::new([]), header: ForwardedHeader::XForwardedFor },
            draining: draining.subscribe(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = actix_server::Server::build().workers(1).disable_signals().listen("sockets", listener, move || {
            HttpService::build()
                .upgrade(Upgrade::new(Arc::clone(&context)))
                .h1(map_config(app(&parts), |()| AppConfig::default()))
                .tcp()
        });
        let running = server.unwrap().run();
        let handle = running.handle();
        actix_web::rt::spawn(running);
        let live = Arc::new(EmbeddedLiveEvents::default());
        let telling =
            coinlink::jobs::tell_live_events(Arc::clone(&live) as _, Arc::clone(&feeds), Arc::clone(&behind.clock) as _);
        actix_web::rt::spawn(telling);
        let client = reqwest::Client::new();
        Self { _draining: draining, address, behind, feeds, live, connections, echo, broadcaster, client, handle }
    }

    pub(crate) async fn connect(&self) -> Socket {
        self.connect_as(Some(ORIGIN), &[]).await.0
    }

    pub(crate) async fn connect_as(&self, origin: Option<&str>, protocols: &[&str]) -> (Socket, Response) {
        self.connect_at("/ws", origin, protocols).await
    }

    pub(crate) async fn connect_at(&self, path: &str, origin: Option<&str>, protocols: &[&str]) -> (Socket, Response) {
        let mut request = format!("ws://{}{path}", self.address).into_client_request().unwrap();
        if let Some(origin) = origin {
            request.headers_mut().insert("origin", origin.parse().unwrap());
        }
        if !protocols.is_empty() {
            request.headers_mut().insert("sec-websocket-protocol", protocols.join(", ").parse().unwrap());
        }
        let stream = TcpStream::connect(self.address).await.unwrap();
        let (stream, response) = client_async(request, stream).await.unwrap();
        (Socket { text: String::new(), stream }, response)
    }

    /// A socket that is `holder`'s.
    pub(crate) async fn connect_of(&self, holder: Holder) -> Socket {
        let mut socket = self.connect().await;
        socket.say(&json!({ "type": "authenticate", "token": holder.bearer() })).await;
        socket.frame_of("authenticated").await;
        socket
    }

    /// A ticket of `holder`, for a page of `origin`.
    pub(crate) async fn ticket(&self, holder: Holder, origin: Option<&str>) -> String {
        let request = self.client.post(format!("http://{}/api/v2/auth/ws-ticket", self.address));
        let request = origin.into_iter().fold(request, |request, origin| request.header("origin", origin));
        let response = request.header("authorization", holder.bearer()).send().await.unwrap();
        assert_eq!(response.status(), 201);
        assert_eq!(response.headers()["cache-control"], "no-store");
        let body: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
        assert_eq!(body["expires_in"], 30);
        body["ticket"].as_str().unwrap().to_owned()
    }

    /// Shows a list with this price of BTC.
    pub(crate) fn tick(&self, seq: u64, price: &str) {
        let price = Price::try_new(price.parse().unwrap()).unwrap();
        let quote = Quote {
            change_24h: Some(Percent::new("-1.25".parse().unwrap())),
            ..Quote::bare(Symbol::btc(), price, Source::CoinGecko, NOW)
        };
        self.broadcaster.deliver(Arc::new(Tick {
            id: TickId { epoch: 1, seq },
            timestamp: NOW,
            source: Some(Source::CoinGecko),
            as_of: Some(NOW),
            stale: false,
            held: None,
            items: Arc::new([TickItem { quote, stale: false }]),
        }));
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let response = self.client.get(format!("http://{}{path}", self.address)).send().await.unwrap();
        let text = response.text().await.unwrap();
        serde_json::from_str(&text).unwrap_or(Value::String(text))
    }

    pub(crate) async fn stop(self) {
        self.handle.stop(false).await;
    }
}

pub(crate) struct Socket {
    /// The last frame as it came, with every digit.
    pub(crate) text: String,
    stream: WebSocketStream<TcpStream>,
}

impl Socket {
    pub(crate) async fn say(&mut self, message: &Value) {
        self.stream.send(Message::text(message.to_string())).await.unwrap();
    }

    /// The next frame of any type.
    pub(crate) async fn frame(&mut self) -> Value {
        loop {
            match timeout(PATIENCE, self.stream.next()).await.expect("a frame in time") {
                Some(Ok(Message::Text(text))) => {
                    self.text = text.to_string();
                    return serde_json::from_str(&text).unwrap();
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => panic!("a frame was due, and there was {other:?}"),
            }
        }
    }

    /// The next frame of that type, whatever comes before.
    pub(crate) async fn frame_of(&mut self, kind: &str) -> Value {
        loop {
            let frame = self.frame().await;
            if frame["type"] == kind {
                return frame;
            }
        }
    }

    /// The code of the next `error`.
    pub(crate) async fn error(&mut self) -> String {
        self.frame_of("error").await["data"]["error_code"].as_str().unwrap().to_owned()
    }

    /// The types of all frames up to the answer to a ping that is sent now.
    pub(crate) async fn until_pong(&mut self) -> Vec<String> {
        self.say(&json!({ "type": "ping" })).await;
        let mut kinds = Vec::new();
        loop {
            let frame = self.frame().await;
            let kind = frame["type"].as_str().unwrap().to_owned();
            if kind == "pong" {
                return kinds;
            }
            kinds.push(kind);
        }
    }

    /// The code with which the server closes.
    pub(crate) async fn closed(&mut self) -> u16 {
        loop {
            match timeout(PATIENCE, self.stream.next()).await.expect("the end in time") {
                Some(Ok(Message::Close(Some(frame)))) => return frame.code.into(),
                Some(Ok(_)) => {}
                other => panic!("a close frame was due, and there was {other:?}"),
            }
        }
    }
}
