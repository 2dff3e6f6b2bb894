//! The real application on a port of its own, with routes that misbehave on request.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

pub(crate) mod accounts;
pub(crate) mod answers;
pub(crate) mod cookies;
pub(crate) mod gated;
pub(crate) mod limits;
pub(crate) mod lines;

use std::{
    num::NonZeroU32,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration as StdDuration,
};

use actix_web::{HttpResponse, HttpServer, dev::ServerHandle, web};
use async_trait::async_trait;
use coinlink::{
    broadcast::Broadcaster,
    http::{ChatCookie, Endpoint, Environment, Gated, HttpParts, JsonObject, Origins, app_with},
    telemetry::Metrics,
    ws::Connections,
};
use coinlink_application::{
    assistant::{AssistantAdapters, AssistantUseCases},
    identity::IdentityAdapters,
    market::{Bulletins, MarketAdapters, MarketUseCases},
    notifications::{NotificationsAdapters, NotificationsUseCases},
    operations::CheckReadiness,
};
use coinlink_domain::{
    assistant::VisitorKey,
    market::{BulletinPeriods, Percent, Price, Quote, Source, Symbol, Tick, TickId, TickItem},
};
use coinlink_ports::{
    market::TickAudience as _,
    operations::DependencyProbe,
    shared::{Clock, Entropy, Pause},
};
use coinlink_testkit::{identity::FixedPublicKeys, notifications::MemoryNotifications, shared::TokioPause};
use coinlink_webhooks::{AllowedNetworks, HttpWebhooks};
use gated::{Behind, Said, Setup};
use reqwest::{Client, Method, RequestBuilder, Response};
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::Value;
use time::{Duration, OffsetDateTime, macros::datetime};

pub(crate) const NOW: OffsetDateTime = datetime!(2026-01-01 0:00 UTC);
pub(crate) const ORIGIN: &str = "https://app.example.com";
/// That of the server itself, by its public URL.
pub(crate) const OWN_ORIGIN: &str = "https://api.example.com";
/// What tells sessions of visitors that were given out.
pub(crate) const VISITORS: VisitorKey = VisitorKey::new([11; 32]);
const TIMEOUT: StdDuration = StdDuration::from_millis(200);

/// Moves a second with every look, so that no answer is shared.
#[derive(Default)]
struct Fast(Mutex<Duration>);

impl Clock for Fast {
    fn now(&self) -> OffsetDateTime {
        NOW
    }
    fn monotonic(&self) -> Duration {
        let mut now = self.0.lock().unwrap();
        *now += Duration::SECOND;
        *now
    }
}

struct Never;

#[async_trait]
impl Pause for Never {
    async fn pause(&self, _: Duration) {
        std::future::pending::<()>().await;
    }
}

struct Probe(Arc<AtomicBool>);

#[async_trait]
impl DependencyProbe for Probe {
    fn name(&self) -> &'static str {
        "database"
    }
    async fn check(&self) -> Result<(), String> {
        if self.0.load(Ordering::SeqCst) { Ok(()) } else { Err("password=hunter2 refused".to_owned()) }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Echo {
    number: u32,
}

/// Routes that do what routes should not, under the rules for all of them.
pub(crate) const MISBEHAVING: &[Endpoint] = &[
    Endpoint::new("/test/slow", "GET", Gated::General, |at| at.route(web::get().to(std::future::pending::<HttpResponse>))),
    Endpoint::new("/test/panic", "GET", Gated::General, |at| at.route(web::get().to(panics))),
    Endpoint::new("/test/echo", "GET, POST", Gated::General, |at| {
        at.route(
            web::post().to(|JsonObject(body): JsonObject<Echo>| async move { HttpResponse::Ok().body(body.number.to_string()) }),
        )
        .route(web::get().to(|query: web::Query<Echo>| async move { HttpResponse::Ok().body(query.number.to_string()) }))
    }),
    Endpoint::new("/test/text/{length}", "GET", Gated::General, |at| {
        at.route(web::get().to(|length: web::Path<usize>| async move {
            HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("x".repeat(*length))
        }))
    }),
];

async fn panics() -> HttpResponse {
    panic!("as asked")
}

pub(crate) struct Server {
    pub(crate) base: String,
    pub(crate) broadcaster: Broadcaster,
    pub(crate) bulletins: Arc<Bulletins>,
    pub(crate) database_up: Arc<AtomicBool>,
    pub(crate) behind: Behind,
    client: Client,
    handle: ServerHandle,
}

impl Server {
    /// With limits that no test reaches.
    pub(crate) fn start() -> Self {
        Self::start_with(Setup::default())
    }

    pub(crate) fn start_with(setup: Setup) -> Self {
        let database_up = Arc::new(AtomicBool::new(true));
        let broadcaster = Broadcaster::new(Arc::new(Fast::default()));
        let behind = Behind::default();
        let parts = parts(setup, &behind, &broadcaster, &database_up);
        let bulletins = Arc::clone(&parts.market.bulletins);
        let more = [MISBEHAVING, gated::ENDPOINTS].concat();
        let server = HttpServer::new(move || app_with(&parts, &more)).workers(1).disable_signals().bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", server.addrs()[0]);
        let running = server.run();
        let handle = running.handle();
        actix_web::rt::spawn(running);
        let client = Client::builder().no_gzip().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { base, broadcaster, bulletins, database_up, behind, client, handle }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base))
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.request(Method::GET, path).send().await.unwrap()
    }

    pub(crate) async fn get_with(&self, path: &str, header: &str, value: &str) -> Response {
        self.request(Method::GET, path).header(header, value).send().await.unwrap()
    }

    /// Shows a list of `lines` assets, BTC first.
    pub(crate) fn tick(&self, lines: u32) {
        let items = (0..lines).map(|n| TickItem { quote: quote(n), stale: false });
        self.broadcaster.deliver(Arc::new(Tick {
            id: TickId { epoch: 7, seq: u64::from(lines) },
            timestamp: NOW,
            source: Some(Source::CoinGecko),
            as_of: Some(NOW),
            stale: false,
            held: None,
            items: items.collect(),
        }));
    }

    pub(crate) async fn stop(self) {
        self.handle.stop(false).await;
    }
}

/// What the application is made of.
pub(crate) fn parts(setup: Setup, behind: &Behind, broadcaster: &Broadcaster, database_up: &Arc<AtomicBool>) -> HttpParts {
    let probe = Arc::new(Probe(Arc::clone(database_up)));
    let metrics = Metrics::new("0", "test").unwrap();
    let require_verified_email = setup.require_verified_email;
    let adapters = IdentityAdapters { require_verified_email, ..behind.adapters() };
    let around = || (Arc::clone(&adapters.clock), Arc::clone(&adapters.entropy));
    let market = market(broadcaster, behind, around().0);
    let assistant = assistant(&market, &behind.said, around());
    let notifications = notifications(broadcaster, behind, &adapters);
    HttpParts {
        environment: Environment("test".into()),
        origins: Origins::exactly([ORIGIN.to_owned(), OWN_ORIGIN.to_owned()]),
        request_timeout: TIMEOUT,
        max_body_bytes: 1024,
        serves_metrics: true,
        metrics: metrics.clone(),
        broadcaster: broadcaster.clone(),
        connections: Connections::default(),
        readiness: Arc::new(CheckReadiness::new(vec![probe], Arc::new(Fast::default()), Arc::new(Never))),
        public_keys: Arc::new(FixedPublicKeys::of_each_kind()),
        gatekeeper: Arc::new(behind.gatekeeper(setup, &adapters, metrics)),
        identity: behind.identity_on(&adapters),
        market,
        assistant,
        chat_cookie: ChatCookie::at(OWN_ORIGIN, VISITORS),
        notifications,
        operations: behind.operations_on(&adapters),
    }
}

fn market(broadcaster: &Broadcaster, behind: &Behind, clock: Arc<dyn Clock>) -> MarketUseCases {
    let candles = Arc::clone(&behind.candles) as _;
    let periods = BulletinPeriods::default();
    MarketUseCases::new(MarketAdapters { prices: Arc::new(broadcaster.clone()), candles, periods, asks_for_news: true, clock })
}

fn assistant(market: &MarketUseCases, said: &Said, (clock, entropy): (Arc<dyn Clock>, Arc<dyn Entropy>)) -> AssistantUseCases {
    AssistantUseCases::new(AssistantAdapters {
        market: market.clone(),
        clock,
        entropy,
        pause: Arc::new(TokioPause),
        alerts: Arc::new(MemoryNotifications::default()),
        model: None,
        users: Arc::clone(&said.users) as _,
        visitors: Arc::clone(&said.visitors) as _,
        feedback: Arc::clone(&said.feedback) as _,
    })
}

fn notifications(broadcaster: &Broadcaster, behind: &Behind, around: &IdentityAdapters) -> NotificationsUseCases {
    NotificationsUseCases::new(NotificationsAdapters {
        prices: Arc::new(broadcaster.clone()),
        store: Arc::new(behind.notifications.clone()),
        alerts: Arc::new(behind.notifications.clone()),
        webhook_sender: Arc::new(HttpWebhooks::new(AllowedNetworks::default()).unwrap()),
        secrets: Arc::clone(&around.secrets),
        clock: Arc::clone(&around.clock),
        entropy: Arc::clone(&around.entropy),
    })
}

fn quote(n: u32) -> Quote {
    let symbol = if n == 0 { Symbol::btc() } else { Symbol::try_new(&format!("S{n}")).unwrap() };
    let price = Price::try_new("97012.123456789".parse::<Decimal>().unwrap()).unwrap();
    let change = Percent::new(Decimal::new(125, 2));
    Quote { rank: NonZeroU32::new(n + 1), change_24h: Some(change), ..Quote::bare(symbol, price, Source::CoinGecko, NOW) }
}

pub(crate) fn header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    response.headers().get(name).map(|value| value.to_str().unwrap())
}

pub(crate) async fn json(response: Response) -> Value {
    serde_json::from_str(&response.text().await.unwrap()).unwrap()
}

/// The `error.code` of an answer.
pub(crate) async fn code(response: Response) -> String {
    json(response).await["error"]["code"].as_str().unwrap_or_default().to_owned()
}
