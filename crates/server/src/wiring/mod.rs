//! Which adapter stands behind which port: chosen once, at the start, and nowhere else.

mod assistant;
mod audit;
mod bulletins;
mod contexts;
mod database;
mod derived_key;
mod history;
mod identity;
mod mail;
mod market;
mod measuring;
mod monitoring;
mod notifications;
mod operations;
mod resealing;
mod socket_assistant;
mod sockets;
mod tokens;

use std::{collections::HashSet, sync::Arc};

use coinlink_application::market::{CollectQuotes, FollowTicker, LeadTicker, LeaderParts, LeaderPolicy, RecallTicker};
use coinlink_coinbase::{CoinbaseLiveFeed, CoinbasePrices, CoinbaseSettings, LiveSettings};
use coinlink_coingecko::{CoinGeckoPrices, CoinGeckoSettings, Plan as CoinGeckoPlan};
use coinlink_domain::{
    market::{DEFAULT_UNIVERSE, OverlayPolicy, Source, SourcePolicy, Sourcing, Symbol, Ticker, TickerPolicy},
    shared::breaker::BreakerPolicy,
};
use coinlink_embedded::{
    EmbeddedBulletins, EmbeddedBus, EmbeddedConversations, EmbeddedGate, EmbeddedLease, EmbeddedLiveEvents, EmbeddedQuota,
    EmbeddedSocketTickets, SystemClock, SystemDice, TokioPause,
};
use coinlink_kraken::{KrakenPrices, KrakenSettings};
use coinlink_ports::{
    assistant::VisitorConversations,
    identity::SocketTickets,
    market::{BulletinBoard, LeaderLease, LiveQuotes, PriceProvider, QuotaLedger, TickAudience, TickerBus},
    notifications::LiveEvents,
    operations::{ClearableCache, DependencyProbe},
    shared::{Clock, Dice, Pause, RequestGate},
};
use coinlink_postgres::{Database, DatabaseProbe, SqlLastKnownPrices};
use coinlink_redis::{
    RedisBulletins, RedisBus, RedisConversations, RedisGate, RedisLease, RedisLink, RedisLiveEvents, RedisProbe, RedisQuota,
    RedisSettings, RedisSocketTickets,
};
use coinlink_simulated::SimulatedPrices;
use secrecy::ExposeSecret as _;
use time::Duration;

use crate::{
    broadcast::Broadcaster,
    cli::Feed,
    config::{Plan, Settings},
    jobs::Counted,
    serve::StartError,
    telemetry::Metrics,
};

pub use assistant::{Assistant, assistant};
pub use audit::{checkpoint_key, retirement_key, sealer};
pub use contexts::{ContextParts, Contexts, contexts};
pub use database::database;
pub use derived_key::{id_of_pepper, print_of_pepper, prints_of_box_keys, visitor_key};
pub use identity::{Identity, gatekeeper, identity};
pub use identity::{secret_box, session_policy};
pub use mail::mail;
pub use market::{Market, market};
pub use measuring::measure;
pub use monitoring::{MonitorParts, node_samples, spawn_monitor};
pub use notifications::{Notifications, notifications};
pub use operations::operations;
pub use resealing::resealing;
pub use socket_assistant::socket_assistant;
pub use sockets::{SocketParts, sockets, spawn_feeds};
pub use tokens::key_folder;

/// Ticks kept for nodes and clients that were away.
const HISTORY: usize = 60;
/// How long the live overlay's prices count as its own period: see [`OverlayPolicy`].
const LIVE_PERIOD: Duration = Duration::seconds(30);
/// What a lease lasts at least.
const SHORTEST_LEASE: Duration = Duration::seconds(10);
/// Between writes of the last known prices.
const REMEMBER_EVERY: Duration = Duration::seconds(60);
/// Prices change on every exchange at least this often.
const EXCHANGE_PERIOD: Duration = Duration::seconds(5);

/// Time and chance, as the process has them.
#[derive(Clone)]
pub struct Surroundings {
    pub clock: Arc<dyn Clock>,
    pub pause: Arc<dyn Pause>,
    pub dice: Arc<dyn Dice>,
}

impl Surroundings {
    pub fn of_process() -> Self {
        Self { clock: Arc::new(SystemClock::default()), pause: Arc::new(TokioPause), dice: Arc::new(SystemDice::default()) }
    }
}

/// What the nodes share, or this process alone.
pub struct Shared {
    pub leases: Arc<dyn LeaderLease>,
    pub bus: Arc<dyn TickerBus>,
    pub ledger: Arc<dyn QuotaLedger>,
    /// What was fetched from outside for all nodes.
    pub bulletins: Arc<dyn BulletinBoard>,
    pub gate: Arc<dyn RequestGate>,
    /// What visitors and the assistant said.
    pub visitors: Arc<dyn VisitorConversations>,
    /// Tickets for sockets.
    pub tickets: Arc<dyn SocketTickets>,
    /// What users' open sockets are told.
    pub live: Arc<dyn LiveEvents>,
    /// What may be forgotten.
    pub caches: Vec<Arc<dyn ClearableCache>>,
    /// The link to Redis, where there is a Redis.
    pub redis: Option<RedisLink>,
}

impl Shared {
    /// In this process.
    pub fn embedded(around: &Surroundings) -> Self {
        let leases = EmbeddedLease::new(Arc::clone(&around.clock));
        let bus = Arc::new(EmbeddedBus::new(&leases, HISTORY));
        let caches: Vec<Arc<dyn ClearableCache>> = vec![Arc::clone(&bus) as _];
        let gate = Arc::new(EmbeddedGate::new(Arc::clone(&around.clock)));
        let bulletins = Arc::new(EmbeddedBulletins::new(Arc::clone(&around.clock)));
        let tickets = Arc::new(EmbeddedSocketTickets::new(Arc::clone(&around.clock)));
        let live = Arc::new(EmbeddedLiveEvents::default());
        let visitors = Arc::new(EmbeddedConversations::new(Arc::clone(&around.clock)));
        Self {
            leases: Arc::new(leases),
            bus,
            ledger: Arc::new(EmbeddedQuota::default()),
            bulletins,
            gate,
            visitors,
            tickets,
            live,
            caches,
            redis: None,
        }
    }

    /// On Redis.
    pub fn redis(settings: &Settings, around: &Surroundings) -> Result<Self, StartError> {
        let url = settings.redis.url.as_ref().map_or("", |url| url.expose_secret());
        let redis = RedisSettings { prefix: settings.redis.prefix.clone(), ..RedisSettings::new(url) };
        let link = RedisLink::try_new(&redis, Arc::clone(&around.dice))?;
        let node = format!("{}:{}", settings.server.host, std::process::id());
        let bus = Arc::new(RedisBus::new(link.clone(), HISTORY));
        Ok(Self {
            leases: Arc::new(RedisLease::new(link.clone(), &node)),
            caches: vec![Arc::clone(&bus) as _],
            bus,
            ledger: Arc::new(RedisQuota::new(link.clone())),
            bulletins: Arc::new(RedisBulletins::new(link.clone())),
            gate: Arc::new(RedisGate::new(link.clone())),
            visitors: Arc::new(RedisConversations::new(link.clone())),
            tickets: Arc::new(RedisSocketTickets::new(link.clone())),
            live: Arc::new(RedisLiveEvents::new(link.clone())),
            redis: Some(link),
        })
    }

    /// What decides readiness.
    fn redis_probe(&self) -> Option<Arc<dyn DependencyProbe>> {
        Some(Arc::new(RedisProbe::new(self.redis.clone()?)))
    }

    pub fn probes(&self, database: &Database) -> Vec<Arc<dyn DependencyProbe>> {
        let database: Arc<dyn DependencyProbe> = Arc::new(DatabaseProbe::new(database.clone()));
        std::iter::once(database).chain(self.redis_probe()).collect()
    }
}

/// Where prices come from.
pub struct Feeds {
    providers: Vec<Arc<dyn PriceProvider>>,
    /// The live overlay, where it is switched on.
    pub live: Option<Arc<dyn LiveQuotes>>,
    policies: Vec<SourcePolicy>,
}

impl Feeds {
    /// By settings, or made up.
    pub fn choose(settings: &Settings, feed: Feed, around: &Surroundings) -> Result<Self, StartError> {
        let policy = |source, period| SourcePolicy { source, period, breaker: BreakerPolicy::default() };
        if feed == Feed::Simulated {
            return Ok(Self {
                providers: vec![Arc::new(SimulatedPrices::new(Arc::clone(&around.clock)))],
                live: None,
                policies: vec![policy(Source::Simulated, period(Source::Simulated, settings))],
            });
        }
        let mut seen = HashSet::new();
        let sources: Vec<Source> = settings.ticker.providers.iter().copied().filter(|source| seen.insert(*source)).collect();
        let providers = sources.iter().map(|&source| provider(source, settings, around)).collect::<Result<_, _>>()?;
        let live = settings.ticker.overlay.then(|| live(settings, around)).transpose()?;
        let policies = sources.iter().map(|&source| policy(source, period(source, settings))).collect();
        Ok(Self { providers, live, policies })
    }
}

fn provider(source: Source, settings: &Settings, around: &Surroundings) -> Result<Arc<dyn PriceProvider>, StartError> {
    let clock = Arc::clone(&around.clock);
    Ok(match source {
        Source::CoinGecko => Arc::new(CoinGeckoPrices::new(&coingecko(settings), clock)?),
        Source::Kraken => {
            let kraken = KrakenSettings { base_url: settings.kraken.base_url.clone(), ..KrakenSettings::default() };
            Arc::new(KrakenPrices::new(&kraken, clock)?)
        }
        Source::Coinbase => {
            let coinbase = CoinbaseSettings { base_url: settings.coinbase.base_url.clone(), ..CoinbaseSettings::default() };
            Arc::new(CoinbasePrices::new(&coinbase, clock)?)
        }
        Source::CoinbaseLive | Source::BinanceUsdt | Source::Simulated => return Err(StartError::NotPolled(source.name())),
    })
}

fn coingecko(settings: &Settings) -> CoinGeckoSettings {
    let key = settings.coingecko.api_key.clone();
    let plan = match (settings.coingecko.plan, key) {
        (Plan::Demo, Some(key)) => CoinGeckoPlan::Demo(key),
        (Plan::Pro, Some(key)) => CoinGeckoPlan::Pro(key),
        _ => CoinGeckoPlan::Keyless,
    };
    let base_url = Some(settings.coingecko.base_url.clone()).filter(|url| !url.is_empty());
    CoinGeckoSettings { plan, base_url, size: settings.ticker.size, ..CoinGeckoSettings::default() }
}

fn live(settings: &Settings, around: &Surroundings) -> Result<Arc<dyn LiveQuotes>, StartError> {
    let live = LiveSettings {
        ws_url: settings.coinbase.ws_url.clone(),
        base_url: settings.coinbase.base_url.clone(),
        ..LiveSettings::default()
    };
    Ok(Arc::new(CoinbaseLiveFeed::spawn(live, Arc::clone(&around.clock))?))
}

/// How long a source serves the same answer: CoinGecko's documentation for its plans, and the pace of exchanges.
fn period(source: Source, settings: &Settings) -> Duration {
    match (source, settings.coingecko.plan) {
        (Source::CoinGecko, Plan::Pro) => Duration::seconds(45),
        (Source::CoinGecko, _) => Duration::seconds(60),
        (Source::CoinbaseLive, _) => LIVE_PERIOD,
        _ => EXCHANGE_PERIOD.max(interval(settings)),
    }
}

/// Between ticks.
pub fn interval(settings: &Settings) -> Duration {
    Duration::milliseconds(i64::try_from(settings.ticker.interval_ms).unwrap_or(i64::MAX))
}

/// A ticker that knows nothing.
fn ticker(settings: &Settings, feeds: &Feeds) -> Ticker {
    let mut periods: Vec<(Source, Duration)> = Source::ALL.iter().map(|&source| (source, period(source, settings))).collect();
    for policy in &feeds.policies {
        periods.retain(|(source, _)| *source != policy.source);
        periods.push((policy.source, policy.period));
    }
    Ticker::new(TickerPolicy { size: settings.ticker.size, periods, overlay: OverlayPolicy::default() })
}

/// The leader's side of the ticker.
pub fn leader(settings: &Settings, feeds: &Feeds, shared: &Shared, database: &Database, around: &Surroundings) -> LeadTicker {
    let interval = interval(settings);
    LeadTicker::new(LeaderParts {
        collect: CollectQuotes {
            providers: feeds.providers.clone(),
            sourcing: Sourcing::new(&feeds.policies),
            metering: vec![(Source::CoinGecko, settings.coingecko.quota())],
            ledger: Arc::clone(&shared.ledger),
            clock: Arc::clone(&around.clock),
            pause: Arc::clone(&around.pause),
            dice: Arc::clone(&around.dice),
        },
        ticker: ticker(settings, feeds),
        leases: Arc::clone(&shared.leases),
        bus: Arc::clone(&shared.bus),
        live: feeds.live.clone(),
        last_known: Arc::new(SqlLastKnownPrices::new(database.clone())),
        clock: Arc::clone(&around.clock),
        policy: LeaderPolicy {
            ttl: SHORTEST_LEASE.max(interval * 2),
            margin: Duration::milliseconds(500),
            remember_every: REMEMBER_EVERY,
        },
        defaults: DEFAULT_UNIVERSE.iter().filter_map(|symbol| Symbol::try_new(symbol).ok()).collect(),
    })
}

/// Every node's side of the ticker.
pub fn follower(
    settings: &Settings,
    feeds: &Feeds,
    shared: &Shared,
    database: &Database,
    broadcaster: &Broadcaster,
    metrics: &Metrics,
    around: &Surroundings,
) -> FollowTicker {
    let counted = Arc::new(Counted { broadcaster: broadcaster.clone(), metrics: metrics.clone() });
    FollowTicker {
        bus: Arc::clone(&shared.bus),
        recall: RecallTicker {
            last_known: Arc::new(SqlLastKnownPrices::new(database.clone())),
            ticker: ticker(settings, feeds),
            sourcing: Sourcing::new(&feeds.policies),
            clock: Arc::clone(&around.clock),
        },
        audience: Arc::clone(&counted) as Arc<dyn TickAudience>,
        report: counted,
        clock: Arc::clone(&around.clock),
        pause: Arc::clone(&around.pause),
        dice: Arc::clone(&around.dice),
        interval: interval(settings),
    }
}
