//! The real binary as it runs in production: on a PostgreSQL and a Redis of its own, beside providers that always answer.

use crate::{Outcome, http::first_price, server::Server};
use coinlink_testkit::{
    servers::{PrivatePostgres, PrivateRedis, TestDatabase},
    upstream_stub::StubUpstream,
};
use std::path::Path;
use tokio::runtime::{Builder, Runtime};

/// The most that can be set; no user of a benchmark sends so many in a minute.
pub(crate) const NO_LIMIT: &str = "1000000";

/// What [`NO_LIMIT`] is for.
pub(crate) const LIMITS: [&str; 5] =
    ["RATE_LIMIT_ANONYMOUS", "RATE_LIMIT_AUTHENTICATED", "RATE_LIMIT_CREDENTIALS", "RATE_LIMIT_SESSION", "RATE_LIMIT_PRICE"];

const REQUIRED: [(&str, &str); 10] = [
    ("ALLOWED_ORIGINS", "https://app.example.org"),
    ("JWT_AUDIENCE", "coinlink-app"),
    ("JWT_ISSUER", "coinlink-api"),
    ("JWT_SECRET_KEY", "0123456789abcdef0123456789abcdef-bench"),
    ("PASSWORD_PEPPER", "fedcba9876543210fedcba9876543210-bench"),
    ("PUBLIC_URL", "https://api.example.org"),
    ("TICKER_OVERLAY", "false"),
    ("TOTP_ENCRYPTION_KEY", "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"),
    // Clients may say where they come from, so that one machine can be many.
    ("TRUSTED_PROXIES", "127.0.0.0/8"),
    ("BCRYPT_COST", "12"),
];

/// Dropped, it is gone: its fields end in their order.
pub(crate) struct Deployment {
    pub(crate) server: Server,
    _database: TestDatabase,
    // Commits reach the disk, as in production.
    _postgres: PrivatePostgres,
    pub(crate) redis: PrivateRedis,
    _providers: StubUpstream,
    _runtime: Runtime,
}

impl Deployment {
    /// Starts all of it, with limits that nobody meets, and waits for the first price.
    pub(crate) fn start(binary: &Path) -> Outcome<Self> {
        Self::with(binary, &LIMITS.map(|name| (name, NO_LIMIT.to_owned())))
    }

    /// The same with the product's limits, but for what `further` says.
    pub(crate) fn with(binary: &Path, further: &[(&'static str, String)]) -> Outcome<Self> {
        // The stub of the providers needs somebody to run it while the benchmark waits elsewhere.
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let (providers, redis, postgres, database) = runtime.block_on(async {
            let (providers, redis, postgres) =
                (StubUpstream::start().await, PrivateRedis::start().await, PrivatePostgres::durable().await);
            let database = postgres.fresh_database().await;
            (providers, redis, postgres, database)
        });
        let mut settings = vec![
            ("DATABASE_URL", database.url.clone()),
            ("REDIS_URL", redis.url()),
            ("COINGECKO_BASE_URL", providers.coingecko_url()),
            ("COINBASE_BASE_URL", providers.coinbase_url()),
            ("KRAKEN_BASE_URL", providers.kraken_url()),
            ("NEWSAPI_BASE_URL", providers.newsapi_url()),
            ("FNG_BASE_URL", providers.alternative_me_url()),
            ("HISTORY_FILL", "false".to_owned()),
        ];
        settings.extend(REQUIRED.map(|(name, value)| (name, value.to_owned())));
        settings.extend_from_slice(further);
        let server = Server::serve(binary, &settings)?;
        first_price(&server).map_err(|error| format!("{error}\n{}", server.log()))?;
        Ok(Self { server, _database: database, _postgres: postgres, redis, _providers: providers, _runtime: runtime })
    }

    /// How often Redis has run a script for the gate, or any other by its hash.
    pub(crate) fn scripts_run(&self) -> u64 {
        let figures = self.redis.ask(&["INFO", "commandstats"]);
        let line = figures.lines().find_map(|line| line.strip_prefix("cmdstat_evalsha:calls="));
        line.and_then(|line| line.split(',').next()?.parse().ok()).unwrap_or(0)
    }

    /// Forgets which requests there were, so that each turn finds its windows empty.
    pub(crate) fn forget_requests(&self) {
        const FORGET: &str = "local keys = redis.call('KEYS', '*rl:*')\n\
                              for _, key in ipairs(keys) do redis.call('DEL', key) end\n\
                              return #keys";
        self.redis.ask(&["EVAL", FORGET, "0"]);
    }
}
