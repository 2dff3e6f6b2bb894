//! The settings as the rest of the program reads them.

use std::{net::SocketAddr, path::PathBuf};

use coinlink_domain::{
    identity::Network,
    market::Source,
    shared::{quota::QuotaPolicy, rate_limit::PromptQuota, sliding_window::WindowPolicy},
};
use ipnet::IpNet;
use secrecy::SecretString;
use serde::{Deserialize, Deserializer, de::Error as _};
use time::Duration;

use super::kind::network;
use crate::http::Origins;

/// How the program runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// One node, nothing needed beside it.
    #[default]
    Dev,
    /// Production.
    Serve,
}

/// All settings. `config/default.toml` says what each means, in the same order.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// How the program runs.
    #[serde(skip)]
    pub mode: Mode,
    /// Which settings file was read: `local`, `production`, …
    #[serde(skip)]
    pub environment: String,
    pub server: Server,
    pub database: Database,
    pub redis: Redis,
    pub log: Log,
    pub metrics: Metrics,
    pub observability: Observability,
    pub ticker: Ticker,
    pub coingecko: CoinGecko,
    pub coinbase: Coinbase,
    pub kraken: Kraken,
    pub ws: Ws,
    pub rate_limits: RateLimits,
    pub auth: Auth,
    pub wallet: Wallet,
    pub mail: Mail,
    pub webhook: Webhook,
    pub binance: Binance,
    pub history: History,
    pub news: News,
    pub sentiment: Sentiment,
    pub assistant: Assistant,
    pub monitoring: Monitoring,
}

/// The header in which trusted proxies write the client's address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ForwardedHeader {
    /// `X-Forwarded-For`, as most do.
    XForwardedFor,
    /// `Forwarded`, RFC 7239.
    Forwarded,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    pub host: String,
    pub port: u16,
    pub public_url: String,
    pub allowed_origins: Vec<String>,
    #[serde(deserialize_with = "networks")]
    pub trusted_proxies: Vec<IpNet>,
    pub forwarded_header: ForwardedHeader,
    pub data_dir: PathBuf,
    pub workers: usize,
    pub request_timeout_secs: u64,
    pub max_body_bytes: usize,
    pub shutdown_drain_secs: u64,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    #[serde(deserialize_with = "secret")]
    pub url: Option<SecretString>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Redis {
    #[serde(deserialize_with = "secret")]
    pub url: Option<SecretString>,
    pub prefix: String,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    pub level: String,
    pub format: LogFormat,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metrics {
    pub enabled: bool,
    #[serde(deserialize_with = "address")]
    pub addr: Option<SocketAddr>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Observability {
    #[serde(deserialize_with = "secret")]
    pub sentry_dsn: Option<SecretString>,
    pub otlp_endpoint: String,
    #[serde(deserialize_with = "secret")]
    pub otlp_headers: Option<SecretString>,
    pub trace_ratio: f64,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ticker {
    pub interval_ms: u64,
    pub size: usize,
    #[serde(deserialize_with = "sources")]
    pub providers: Vec<Source>,
    pub overlay: bool,
}

/// CoinGecko's plans.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Plan {
    /// Without a key.
    Keyless,
    /// A free key.
    Demo,
    /// A paid key, on its own host.
    Pro,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoinGecko {
    #[serde(deserialize_with = "secret")]
    pub api_key: Option<SecretString>,
    pub plan: Plan,
    /// Empty: the plan's host.
    pub base_url: String,
    /// Whether figures of the market and searches are fetched too.
    pub overview: bool,
    pub calls_per_minute: u32,
    pub calls_per_month: u32,
}

impl CoinGecko {
    /// The budget: what is set, else the plan's. Plans and their pages differ; these are the lower figures seen.
    pub fn quota(&self) -> QuotaPolicy {
        let (minute, month) = match self.plan {
            Plan::Keyless => (5, None),
            Plan::Demo => (30, Some(10_000)),
            Plan::Pro => (250, Some(500_000)),
        };
        let set = |calls: u32| (calls > 0).then_some(calls);
        QuotaPolicy { per_minute: set(self.calls_per_minute).or(Some(minute)), per_month: set(self.calls_per_month).or(month) }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Coinbase {
    #[serde(deserialize_with = "secret")]
    pub api_key: Option<SecretString>,
    #[serde(deserialize_with = "secret")]
    pub api_secret: Option<SecretString>,
    pub base_url: String,
    pub ws_url: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kraken {
    pub base_url: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ws {
    pub max_connections: usize,
    pub handshake_burst: u32,
    pub handshake_refill_ms: u32,
    pub messages_per_minute: u32,
    pub max_frame_bytes: usize,
    pub ping_secs: u32,
    pub dead_after_secs: u32,
    pub write_stall_secs: u32,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateLimits {
    pub anonymous: u32,
    pub authenticated: u32,
    pub api_key: u32,
    pub credentials: u32,
    pub session: u32,
    pub chat: u32,
    pub price: u32,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Auth {
    #[serde(deserialize_with = "secret")]
    pub jwt_secret_key: Option<SecretString>,
    /// Empty: a shared secret signs.
    pub jwt_keys_dir: String,
    pub jwt_issuer: String,
    pub jwt_audience: String,
    #[serde(deserialize_with = "secret")]
    pub password_pepper: Option<SecretString>,
    #[serde(deserialize_with = "secret")]
    pub totp_encryption_key: Option<SecretString>,
    /// Earlier ones, newest first, separated by commas.
    #[serde(deserialize_with = "secret")]
    pub totp_encryption_key_previous: Option<SecretString>,
    pub access_token_ttl_min: u32,
    pub refresh_token_ttl_days: u32,
    pub session_max_days: u32,
    pub max_sessions: usize,
    pub bcrypt_cost: u32,
    pub hash_threads: usize,
    pub hash_queue: usize,
    pub hash_wait_ms: u64,
    pub require_verified_email: bool,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wallet {
    #[serde(deserialize_with = "chain")]
    pub network: Network,
    pub lenient_headers: bool,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mail {
    #[serde(deserialize_with = "secret")]
    pub smtp_url: Option<SecretString>,
    pub from: String,
    pub reply_to: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    #[serde(deserialize_with = "networks")]
    pub allowed_private: Vec<IpNet>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Binance {
    pub base_url: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct History {
    /// Whether what is missing is fetched from providers.
    pub fill: bool,
    /// In order of preference.
    #[serde(deserialize_with = "sources")]
    pub providers: Vec<Source>,
    /// Between two calls.
    pub pace_ms: u64,
    pub minutes_days: u32,
    pub five_minutes_days: u32,
    pub hours_days: u32,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct News {
    #[serde(deserialize_with = "secret")]
    pub api_key: Option<SecretString>,
    pub base_url: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sentiment {
    pub enabled: bool,
    pub base_url: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assistant {
    /// Empty: the baseline answers alone.
    pub base_url: String,
    pub model: String,
    #[serde(deserialize_with = "secret")]
    pub api_key: Option<SecretString>,
    pub prompts_anonymous: u32,
    pub prompts_anonymous_window_secs: u32,
    pub prompts_user: u32,
    pub prompts_user_window_secs: u32,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Monitoring {
    pub period_ms: u64,
    /// Empty: the machine's name and the port.
    pub node_name: String,
}

impl Assistant {
    /// Questions it answers in a time longer than a minute.
    pub fn prompts(&self) -> PromptQuota {
        let policy = |limit, secs: u32| WindowPolicy { limit, window: Duration::seconds(secs.into()) };
        PromptQuota {
            anonymous: policy(self.prompts_anonymous, self.prompts_anonymous_window_secs),
            user: policy(self.prompts_user, self.prompts_user_window_secs),
        }
    }
}

impl Settings {
    /// Takes the port that was listened on for port 0, which takes any free one, in our own addresses too: nobody is reached at port 0.
    pub fn listens_on(&mut self, port: u16) {
        if std::mem::replace(&mut self.server.port, port) != 0 {
            return;
        }
        for url in self.server.allowed_origins.iter_mut().chain([&mut self.server.public_url]) {
            if let Some(host) = url.strip_suffix(":0") {
                *url = format!("{host}:{port}");
            }
        }
    }

    /// The origins browsers may call from: those allowed, and our own, which serves the page at `/`; in development any page of
    /// this machine, unless some are named.
    pub fn origins(&self) -> Origins {
        let own = url::Url::parse(&self.server.public_url).map(|url| url.origin().ascii_serialization());
        let mut origins = self.server.allowed_origins.clone();
        origins.extend(own.ok().filter(|own| !self.server.allowed_origins.contains(own)));
        Origins::new(origins, self.mode == Mode::Dev && self.server.allowed_origins.is_empty())
    }
}

fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SecretString>, D::Error> {
    let text = String::deserialize(deserializer)?;
    Ok((!text.is_empty()).then(|| text.into()))
}

fn address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SocketAddr>, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.is_empty() { Ok(None) } else { text.parse().map(Some).map_err(D::Error::custom) }
}

fn chain<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Network, D::Error> {
    let text = String::deserialize(deserializer)?;
    Network::from_name(&text).ok_or_else(|| D::Error::custom("not a network"))
}

fn networks<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<IpNet>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    texts.iter().map(|text| network(text).ok_or_else(|| D::Error::custom("not a network"))).collect()
}

fn sources<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Source>, D::Error> {
    let names = Vec::<String>::deserialize(deserializer)?;
    names.iter().map(|name| Source::from_name(name).ok_or_else(|| D::Error::custom("not a source"))).collect()
}
