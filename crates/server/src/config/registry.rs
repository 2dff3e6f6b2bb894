//! Every setting: its path in the files, its environment variables, and what it may hold.

use super::kind::Kind::{self, Bool, Choice, Cidrs, Int, LogLevel, Origins, Providers, Secret, SocketAddress, Text, Url};
use super::kind::SecretForm;
use coinlink_domain::market::Source;

/// One setting.
#[derive(Debug)]
pub(super) struct Entry {
    /// Its place in the files, `section.key`.
    pub(super) path: &'static str,
    /// Its environment variables; the first that is set counts, and names the setting in messages.
    pub(super) variables: &'static [&'static str],
    /// What it may hold.
    pub(super) kind: Kind,
}

impl Entry {
    /// What it is called in messages.
    pub(super) fn name(&self) -> &'static str {
        self.variables[0]
    }
}

const fn entry(path: &'static str, variables: &'static [&'static str], kind: Kind) -> Entry {
    Entry { path, variables, kind }
}

const fn int(min: i64, max: i64) -> Kind {
    Int { min, max }
}

const WEB: Kind = Url(&["http", "https"]);
const LIMIT: Kind = int(1, 1_000_000);
/// Sources that can be in the chain; the live socket and the simulation are switched on by other means.
const ASKABLE: &[Source] = &[Source::CoinGecko, Source::Coinbase, Source::Kraken];
/// Sources that have past prices.
const WITH_HISTORY: &[Source] = &[Source::Coinbase, Source::Kraken, Source::CoinGecko, Source::BinanceUsdt];
const ANY: Kind = Secret(SecretForm::Any);

/// The table. Adding a setting: a line here, one in `config/default.toml`, a field in `Settings`; a test compares them.
pub(super) const SETTINGS: &[Entry] = &[
    entry("server.host", &["HOST"], Text),
    entry("server.port", &["PORT"], int(0, 65_535)),
    entry("server.public_url", &["PUBLIC_URL"], Kind::OwnUrl),
    entry("server.allowed_origins", &["ALLOWED_ORIGINS"], Origins),
    entry("server.trusted_proxies", &["TRUSTED_PROXIES"], Cidrs),
    entry("server.forwarded_header", &["FORWARDED_HEADER"], Choice(&["x-forwarded-for", "forwarded"])),
    entry("server.data_dir", &["DATA_DIR"], Text),
    entry("server.workers", &["WORKERS"], int(0, 1024)),
    entry("server.request_timeout_secs", &["REQUEST_TIMEOUT_SECS"], int(1, 600)),
    entry("server.max_body_bytes", &["MAX_BODY_BYTES"], int(1024, 16 << 20)),
    entry("server.shutdown_drain_secs", &["SHUTDOWN_DRAIN_SECS"], int(0, 10)),
    entry("database.url", &["DATABASE_URL"], Secret(SecretForm::Database)),
    entry("redis.url", &["REDIS_URL"], Secret(SecretForm::Url(&["redis", "rediss"]))),
    entry("redis.prefix", &["REDIS_PREFIX"], Text),
    entry("log.level", &["LOG_LEVEL"], LogLevel),
    entry("log.format", &["LOG_FORMAT"], Choice(&["auto", "json", "text"])),
    entry("metrics.enabled", &["PROMETHEUS_ENABLED"], Bool),
    entry("metrics.addr", &["METRICS_ADDR"], SocketAddress),
    entry("observability.sentry_dsn", &["SENTRY_DSN"], Secret(SecretForm::Url(&["http", "https"]))),
    entry("observability.otlp_endpoint", &["OTEL_EXPORTER_OTLP_ENDPOINT"], WEB),
    entry("observability.otlp_headers", &["OTEL_EXPORTER_OTLP_HEADERS"], ANY),
    entry("observability.trace_ratio", &["OTEL_TRACES_SAMPLER_ARG"], Kind::Ratio),
    entry("ticker.interval_ms", &["TICKER_INTERVAL_MS"], int(100, 60_000)),
    entry("ticker.size", &["TICKER_SIZE"], int(1, 250)),
    entry("ticker.providers", &["TICKER_PROVIDERS"], Providers(ASKABLE)),
    entry("ticker.overlay", &["TICKER_OVERLAY"], Bool),
    entry("coingecko.api_key", &["COINGECKO_API_KEY", "CoinGecko_API_key"], ANY),
    entry("coingecko.plan", &["COINGECKO_PLAN"], Choice(&["auto", "keyless", "demo", "pro"])),
    entry("coingecko.base_url", &["COINGECKO_BASE_URL"], WEB),
    entry("coingecko.overview", &["COINGECKO_OVERVIEW"], Bool),
    entry("coingecko.calls_per_minute", &["COINGECKO_CALLS_PER_MINUTE"], int(0, 100_000)),
    entry("coingecko.calls_per_month", &["COINGECKO_CALLS_PER_MONTH"], int(0, 1_000_000_000)),
    entry("coinbase.api_key", &["COINBASE_API_KEY"], ANY),
    entry("coinbase.api_secret", &["COINBASE_API_SECRET"], ANY),
    entry("coinbase.base_url", &["COINBASE_BASE_URL"], WEB),
    entry("coinbase.ws_url", &["COINBASE_WS_URL"], Url(&["ws", "wss"])),
    entry("kraken.base_url", &["KRAKEN_BASE_URL"], WEB),
    entry("ws.max_connections", &["WS_MAX_CONNECTIONS"], int(1, 1_000_000)),
    entry("ws.handshake_burst", &["WS_HANDSHAKE_BURST"], LIMIT),
    entry("ws.handshake_refill_ms", &["WS_HANDSHAKE_REFILL_MS"], int(1, 60_000)),
    entry("ws.messages_per_minute", &["RATE_LIMIT_WS_MESSAGES"], LIMIT),
    entry("ws.max_frame_bytes", &["WS_MAX_FRAME_BYTES"], int(256, 1 << 20)),
    entry("ws.ping_secs", &["WS_PING_SECS"], int(1, 300)),
    entry("ws.dead_after_secs", &["WS_DEAD_AFTER_SECS"], int(2, 900)),
    entry("ws.write_stall_secs", &["WS_WRITE_STALL_SECS"], int(1, 300)),
    entry("rate_limits.anonymous", &["RATE_LIMIT_ANONYMOUS"], LIMIT),
    entry("rate_limits.authenticated", &["RATE_LIMIT_AUTHENTICATED"], LIMIT),
    entry("rate_limits.api_key", &["RATE_LIMIT_API_KEY"], LIMIT),
    entry("rate_limits.credentials", &["RATE_LIMIT_CREDENTIALS"], LIMIT),
    entry("rate_limits.session", &["RATE_LIMIT_SESSION"], LIMIT),
    entry("rate_limits.chat", &["RATE_LIMIT_CHAT"], LIMIT),
    entry("rate_limits.price", &["RATE_LIMIT_PRICE"], LIMIT),
    entry("auth.jwt_secret_key", &["JWT_SECRET_KEY"], ANY),
    entry("auth.jwt_keys_dir", &["JWT_KEYS_DIR"], Text),
    entry("auth.jwt_issuer", &["JWT_ISSUER"], Text),
    entry("auth.jwt_audience", &["JWT_AUDIENCE"], Text),
    entry("auth.password_pepper", &["PASSWORD_PEPPER"], ANY),
    entry("auth.totp_encryption_key", &["TOTP_ENCRYPTION_KEY"], ANY),
    entry("auth.totp_encryption_key_previous", &["TOTP_ENCRYPTION_KEY_PREVIOUS"], ANY),
    entry("auth.access_token_ttl_min", &["ACCESS_TOKEN_TTL_MIN"], int(1, 1440)),
    entry("auth.refresh_token_ttl_days", &["REFRESH_TOKEN_TTL_DAYS"], int(1, 365)),
    entry("auth.session_max_days", &["SESSION_MAX_DAYS"], int(1, 365)),
    entry("auth.max_sessions", &["MAX_SESSIONS"], int(1, 1_000)),
    entry("auth.bcrypt_cost", &["BCRYPT_COST"], int(12, 15)),
    entry("auth.hash_threads", &["HASH_THREADS"], int(0, 256)),
    entry("auth.hash_queue", &["HASH_QUEUE"], int(1, 10_000)),
    entry("auth.hash_wait_ms", &["HASH_WAIT_MS"], int(100, 30_000)),
    entry("auth.require_verified_email", &["REQUIRE_VERIFIED_EMAIL"], Bool),
    entry("wallet.network", &["WALLET_NETWORK"], Choice(&["mainnet", "testnet", "signet", "regtest"])),
    entry("wallet.lenient_headers", &["WALLET_LENIENT_HEADERS"], Bool),
    entry("mail.smtp_url", &["SMTP_URL"], Secret(SecretForm::Url(&["smtp", "smtps"]))),
    entry("mail.from", &["MAIL_FROM"], Kind::MailAddress),
    entry("mail.reply_to", &["MAIL_REPLY_TO"], Kind::MailAddress),
    entry("webhook.allowed_private", &["WEBHOOK_ALLOWED_PRIVATE"], Cidrs),
    entry("binance.base_url", &["BINANCE_BASE_URL"], WEB),
    entry("history.fill", &["HISTORY_FILL"], Bool),
    entry("history.providers", &["HISTORY_PROVIDERS"], Providers(WITH_HISTORY)),
    entry("history.pace_ms", &["HISTORY_PACE_MS"], int(100, 3_600_000)),
    entry("history.minutes_days", &["HISTORY_MINUTES_DAYS"], int(7, 36_500)),
    entry("history.five_minutes_days", &["HISTORY_FIVE_MINUTES_DAYS"], int(7, 36_500)),
    entry("history.hours_days", &["HISTORY_HOURS_DAYS"], int(7, 36_500)),
    entry("news.api_key", &["NEWSAPI_API_KEY", "newsapi_api_key"], ANY),
    entry("news.base_url", &["NEWSAPI_BASE_URL"], WEB),
    entry("sentiment.enabled", &["FNG_ENABLED"], Bool),
    entry("sentiment.base_url", &["FNG_BASE_URL"], WEB),
    entry("assistant.base_url", &["LLM_BASE_URL"], WEB),
    entry("assistant.model", &["LLM_MODEL"], Text),
    entry("assistant.api_key", &["LLM_API_KEY"], ANY),
    entry("assistant.prompts_anonymous", &["PROMPTS_ANONYMOUS"], int(0, 1_000_000)),
    entry("assistant.prompts_anonymous_window_secs", &["PROMPTS_ANONYMOUS_WINDOW_SECS"], int(60, 2_592_000)),
    entry("assistant.prompts_user", &["PROMPTS_USER"], int(0, 1_000_000)),
    entry("assistant.prompts_user_window_secs", &["PROMPTS_USER_WINDOW_SECS"], int(60, 2_592_000)),
    entry("monitoring.period_ms", &["MONITORING_PERIOD_MS"], int(500, 3_600_000)),
    entry("monitoring.node_name", &["NODE_NAME"], Text),
];

/// The setting at `path`.
pub(super) fn find(path: &str) -> Option<&'static Entry> {
    SETTINGS.iter().find(|entry| entry.path == path)
}
