//! What stands behind the gate in tests: windows in this process under a clock that stands still, tokens that anyone can make,
//! and routes of every kind.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use actix_web::{HttpRequest, HttpResponse, web};
use async_trait::async_trait;
use coinlink::{
    config::ForwardedHeader,
    http::{ApiError, Caller, Client, Endpoint, Gated, Gatekeeper, Origins, Pages, SignedIn, TrustedProxies},
    telemetry::Metrics,
    wiring::gatekeeper,
};
use coinlink_application::{
    identity::{IdentityAdapters, RevokedSessions},
    operations::monitoring::NodeSamples,
};
use coinlink_domain::{
    identity::{Email, SessionId, UserId},
    shared::{
        rate_limit::{Charge, PromptQuota, RateLimits},
        sliding_window::WindowPolicy,
    },
};
use coinlink_embedded::{EmbeddedBus, EmbeddedConversations, EmbeddedGate, EmbeddedLease};
use coinlink_ports::{
    identity::{AccessGrant, AccessTokens as _},
    shared::{Admission, Admitted, BusError, RequestGate, WindowState},
};
use coinlink_testkit::{
    assistant::{MemoryFeedback, MemoryUserConversations},
    identity::{MemoryIdentity, PlainAccessTokens, PlainCsrfTokens, PlainHasher},
    market::MemoryCandles,
    notifications::{MemoryMailQueue, MemoryNotifications},
    operations::MemoryMonitorAlerts,
    shared::StoppedClock,
};
use time::Duration;
use uuid::Uuid;

use super::{NOW, ORIGIN, OWN_ORIGIN};

/// What differs between tests.
pub(crate) struct Setup {
    pub(crate) limits: RateLimits,
    pub(crate) trusted_proxies: TrustedProxies,
    /// Whether an account owns its address only once it was verified.
    pub(crate) require_verified_email: bool,
}

/// Requests of each class a minute, all the same.
pub(crate) fn all(limit: u32) -> RateLimits {
    RateLimits {
        anonymous: limit,
        authenticated: limit,
        api_key: limit,
        credentials: limit,
        session: limit,
        chat: limit,
        price: limit,
        prompts: PromptQuota::OFF,
    }
}

fn trusted(networks: &[&str], header: ForwardedHeader) -> TrustedProxies {
    TrustedProxies { networks: networks.iter().map(|network| network.parse().unwrap()).collect(), header }
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            limits: all(100_000),
            trusted_proxies: trusted(&[], ForwardedHeader::XForwardedFor),
            require_verified_email: false,
        }
    }
}

impl Setup {
    pub(crate) fn limited(limits: RateLimits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Where an account owns its address only once it was verified.
    pub(crate) fn strict() -> Self {
        Self { require_verified_email: true, ..Self::default() }
    }

    /// Requests come from 127.0.0.1: it speaks for whom it names in `X-Forwarded-For`.
    pub(crate) fn behind_a_proxy(self) -> Self {
        self.behind_a_proxy_that_writes(ForwardedHeader::XForwardedFor)
    }

    /// Alike, by another header perhaps.
    pub(crate) fn behind_a_proxy_that_writes(self, header: ForwardedHeader) -> Self {
        Self { trusted_proxies: trusted(&["127.0.0.0/8"], header), ..self }
    }
}

/// What the nodes share, until it is not to be reached.
pub(crate) struct Shared {
    gate: EmbeddedGate,
    pub(crate) down: AtomicBool,
}

impl Shared {
    fn reached(&self) -> Result<&EmbeddedGate, BusError> {
        if self.down.load(Ordering::SeqCst) { Err(BusError("down, as asked".to_owned())) } else { Ok(&self.gate) }
    }
}

#[async_trait]
impl RequestGate for Shared {
    async fn admit(&self, admission: &Admission) -> Result<Admitted, BusError> {
        self.reached()?.admit(admission).await
    }
    async fn peek(&self, charges: &[(Charge, WindowPolicy)]) -> Result<Vec<WindowState>, BusError> {
        self.reached()?.peek(charges).await
    }
    async fn revoke(&self, sessions: &[Uuid], keep: Duration) -> Result<(), BusError> {
        self.reached()?.revoke(sessions, keep).await
    }
}

pub(crate) struct Behind {
    pub(crate) clock: Arc<StoppedClock>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) revoked: Arc<RevokedSessions>,
    pub(crate) store: MemoryIdentity,
    pub(crate) hasher: Arc<PlainHasher>,
    pub(crate) mail: Arc<MemoryMailQueue>,
    pub(crate) bus: Arc<EmbeddedBus>,
    pub(crate) lease: EmbeddedLease,
    pub(crate) said: Said,
    pub(crate) candles: Arc<MemoryCandles>,
    pub(crate) notifications: MemoryNotifications,
    pub(crate) monitor: Monitor,
}

/// What the monitor found, and what this node measured.
pub(crate) struct Monitor {
    pub(crate) alerts: Arc<MemoryMonitorAlerts>,
    pub(crate) samples: Arc<NodeSamples>,
}

/// What people said to the assistant, and what they think of it.
pub(crate) struct Said {
    pub(crate) users: Arc<MemoryUserConversations>,
    pub(crate) visitors: Arc<EmbeddedConversations>,
    pub(crate) feedback: Arc<MemoryFeedback>,
}

impl Default for Behind {
    fn default() -> Self {
        let clock = Arc::new(StoppedClock::at(NOW));
        let gate = EmbeddedGate::new(Arc::clone(&clock) as _);
        let shared = Arc::new(Shared { gate, down: AtomicBool::new(false) });
        let lease = EmbeddedLease::new(Arc::clone(&clock) as _);
        let bus = Arc::new(EmbeddedBus::new(&lease, 60));
        let visitors = Arc::new(EmbeddedConversations::new(Arc::clone(&clock) as _));
        let said = Said { users: Arc::default(), visitors, feedback: Arc::default() };
        Self {
            monitor: Monitor { alerts: Arc::default(), samples: Arc::new(NodeSamples::new("a:8000".to_owned())) },
            notifications: MemoryNotifications::default(),
            clock,
            shared,
            revoked: Arc::default(),
            store: MemoryIdentity::default(),
            hasher: Arc::default(),
            mail: Arc::default(),
            bus,
            lease,
            said,
            candles: Arc::default(),
        }
    }
}

impl Behind {
    /// Of a node of its own: what the routes know of keys it does not.
    pub(crate) fn gatekeeper(&self, setup: Setup, adapters: &IdentityAdapters, metrics: Metrics) -> Gatekeeper {
        let Setup { limits, trusted_proxies, .. } = setup;
        let origins = Origins::exactly([ORIGIN.to_owned(), OWN_ORIGIN.to_owned()]);
        let pages = Pages { origins, tokens: Arc::new(PlainCsrfTokens) };
        gatekeeper(adapters, &self.identity_on(adapters), limits, pages, trusted_proxies, metrics)
    }
}

/// Who a test signs in as.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Holder {
    pub(crate) user: UserId,
    pub(crate) session: SessionId,
    pub(crate) generation: u32,
}

impl Holder {
    pub(crate) fn new() -> Self {
        Self { user: UserId(Uuid::now_v7()), session: SessionId(Uuid::now_v7()), generation: 1 }
    }

    /// A token good from `from` to `to`, counted from the start of the test.
    pub(crate) fn token(&self, from: Duration, to: Duration) -> String {
        let Self { user, session, generation } = *self;
        let grant = AccessGrant { user, session, generation, issued_at: NOW + from, expires_at: NOW + to };
        PlainAccessTokens.mint(&grant).unwrap().0
    }

    /// The header of a good one.
    pub(crate) fn bearer(&self) -> String {
        format!("Bearer {}", self.token(Duration::ZERO, Duration::minutes(15)))
    }
}

/// A route of each kind that is not among the real ones, and what handlers learn of their caller.
pub(crate) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::new("/test/caller", "GET", Gated::General, |at| at.route(web::get().to(caller))),
    Endpoint::new("/test/client", "GET", Gated::General, |at| at.route(web::get().to(client))),
    Endpoint::new("/test/signed-in", "GET", Gated::General, |at| at.route(web::get().to(signed_in))),
    Endpoint::new("/test/act", "GET, HEAD, POST, PUT, PATCH, DELETE", Gated::General, |at| at.route(web::route().to(signed_in))),
    Endpoint::new("/test/chat", "GET", Gated::Chat, |at| at.route(web::get().to(caller))),
    Endpoint::new("/test/credentials", "POST", Gated::Credentials, |at| at.route(web::post().to(credentials))),
    Endpoint::new("/test/session", "POST", Gated::Session, |at| at.route(web::post().to(session))),
];

async fn caller(request: HttpRequest) -> HttpResponse {
    HttpResponse::Ok().body(match Caller::of(&request).unwrap() {
        Caller::Anonymous { ip } => format!("anonymous {ip}"),
        Caller::User { user, session, generation, ip } => format!("{user} {session} {generation} {ip}"),
        Caller::Key { user, key, scopes, ip } => format!("{user} {key} {scopes:?} {ip}"),
    })
}

async fn client(client: Client) -> HttpResponse {
    HttpResponse::Ok().body(format!("{:?} {:?}", client.0.ip, client.0.user_agent))
}

async fn signed_in(caller: SignedIn) -> HttpResponse {
    HttpResponse::Ok().body(caller.user.to_string())
}

type Query = web::Query<HashMap<String, String>>;

async fn credentials(request: HttpRequest, gatekeeper: web::Data<Gatekeeper>, query: Query) -> Result<HttpResponse, ApiError> {
    let email = Email::try_new(query.get("email").map_or("ada@example.org", String::as_str)).unwrap();
    gatekeeper.charge_sign_in(&request, &email, None).await?;
    Ok(HttpResponse::Ok().finish())
}

async fn session(request: HttpRequest, gatekeeper: web::Data<Gatekeeper>, query: Query) -> Result<HttpResponse, ApiError> {
    let session = query.get("session").map(|text| text.parse().unwrap());
    gatekeeper.charge_session(&request, session).await?;
    Ok(HttpResponse::Ok().finish())
}
