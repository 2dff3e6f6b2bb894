//! Nodes of the real binary.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use coinlink_testkit::{
    servers::{Launch, Process, built_binary, free_port},
    upstream_stub::StubUpstream,
};
use serde_json::Value;

use crate::Serve;

/// Start-up under load on a small machine.
const START: Duration = Duration::from_secs(30);

/// A running node.
pub struct Node {
    /// The process.
    pub process: Process,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Node {
    /// `coinlink dev` with these settings.
    pub async fn dev(settings: &[(&str, &str)]) -> Self {
        Self::dev_with(&[], settings).await
    }

    /// `coinlink dev` with these flags and settings.
    pub async fn dev_with(flags: &[&str], settings: &[(&str, &str)]) -> Self {
        let mut node = Self::launch(&[&["dev"], flags].concat(), settings);
        node.is_live().await;
        node
    }

    /// `coinlink dev` as the last arguments of another program, which becomes it.
    pub async fn dev_under(program: &[&str], flags: &[&str], settings: &[(&str, &str)]) -> Self {
        let (first, rest) = program.split_first().expect("a program");
        let launch = Launch::new(first).args(rest).args([built_binary("coinlink")]);
        let mut node = Self::begin(launch.args([&["dev"], flags].concat()), settings);
        node.is_live().await;
        node
    }

    /// `coinlink serve`, which answers once it waited for.
    #[must_use]
    pub fn serve(cluster: &Serve<'_>, settings: &[(&str, &str)]) -> Self {
        let required = [
            ("DATABASE_URL", cluster.database),
            ("REDIS_URL", cluster.redis),
            ("REDIS_PREFIX", cluster.prefix),
            ("HOST", "127.0.0.1"),
            ("JWT_SECRET_KEY", "0123456789abcdef0123456789abcdef-e2e"),
            ("JWT_ISSUER", "coinlink-api"),
            ("JWT_AUDIENCE", "coinlink-app"),
            ("ALLOWED_ORIGINS", "https://app.example.org"),
            ("PASSWORD_PEPPER", "fedcba9876543210fedcba9876543210-e2e"),
            ("TOTP_ENCRYPTION_KEY", "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"),
            ("PUBLIC_URL", "https://api.example.org"),
        ];
        Self::launch(&["serve"], &[&required, settings].concat())
    }

    fn launch(arguments: &[&str], settings: &[(&str, &str)]) -> Self {
        Self::begin(Launch::new(built_binary("coinlink")).args(arguments), settings)
    }

    fn begin(launch: Launch, settings: &[(&str, &str)]) -> Self {
        let port = free_port();
        let launch = launch.env("PORT", port.to_string());
        let launch = settings.iter().fold(launch, |launch, (name, value)| launch.env(name, value));
        Self { process: launch.start(), address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)) }
    }

    /// Stops as an operator would, and starts again at the same place.
    pub async fn restart(&mut self) {
        self.process.terminate();
        let status = self.process.wait().await;
        assert!(status.success(), "{status}");
        self.process.start_again();
        self.is_live().await;
    }

    /// Waits until it answers.
    pub async fn is_live(&mut self) {
        let url = self.url("/livez");
        self.process.wait_for(&url, START).await;
    }

    /// The URL of `path`.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Answers to a GET: status and body.
    pub async fn get(&self, path: &str) -> (u16, String) {
        let response = reqwest::get(self.url(path)).await.expect("an answer");
        (response.status().as_u16(), response.text().await.expect("a body"))
    }

    /// The JSON body of a GET.
    pub async fn json(&self, path: &str) -> Value {
        serde_json::from_str(&self.get(path).await.1).expect("JSON")
    }

    /// The value of a counter or gauge of whole numbers, with its labels where it has any. Panics where there is no such series.
    pub async fn metric(&self, series: &str) -> u64 {
        self.metric_if_any(series).await.unwrap_or_else(|| panic!("there is no series {series}"))
    }

    /// The same of one that may not be there yet: most with labels begin with the first that is counted.
    pub async fn metric_if_any(&self, series: &str) -> Option<u64> {
        let (status, text) = self.get("/metrics").await;
        assert_eq!(status, 200, "{text}");
        let value = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '))?;
        Some(value.parse().unwrap_or_else(|error| panic!("{series} {value}: {error}")))
    }

    /// Memory in use, KiB.
    #[must_use]
    pub fn resident_kib(&self) -> u64 {
        resident_kib(self.process.pid())
    }
}

/// Memory that the process of this id uses, KiB. Panics where that cannot be read.
#[must_use]
pub fn resident_kib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("a running process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("VmRSS");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

/// The settings that put `stub` in every provider's place.
#[must_use]
pub fn upstreams(stub: &StubUpstream) -> [(&'static str, String); 8] {
    [
        ("COINGECKO_BASE_URL", stub.coingecko_url()),
        ("COINBASE_BASE_URL", stub.coinbase_url()),
        ("COINBASE_WS_URL", stub.coinbase_ws_url()),
        ("KRAKEN_BASE_URL", stub.kraken_url()),
        ("BINANCE_BASE_URL", stub.binance_url()),
        // Tests that count calls count those of the ticker.
        ("HISTORY_FILL", "false".to_owned()),
        ("NEWSAPI_BASE_URL", stub.newsapi_url()),
        ("FNG_BASE_URL", stub.alternative_me_url()),
    ]
}
