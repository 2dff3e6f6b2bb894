//! A real Prometheus over two real nodes under load: every panel of every dashboard shows something, every recorded series has a value, and what
//! must be told when a part is gone is told.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{collections::BTreeSet, fs, sync::Arc, time::Duration};

use coinlink_end_to_end_tests::{Api, Client, Held, Node, Override, Prometheus, Serve, UNLIMITED, deploy, eventually, somebody};
use coinlink_testkit::{
    servers::{PrivateMail, PrivatePostgres, PrivateRedis, free_port},
    upstream_stub::{Mode, Provider, StubUpstream},
};
use rcgen::{CertificateParams, KeyPair};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    task::JoinSet,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::aws_lc_rs::default_provider, pki_types::PrivateKeyDer},
};

/// Beside what [`Prometheus::start`] shortens: how old prices must be, and for how long only stale lists were shown. What the rules say in
/// full is tested by tests/prometheus.
const OVERRIDES: [Override<'static>; 2] = [
    ("coinlink_ticker_age_seconds > 60", "coinlink_ticker_age_seconds > 12"),
    ("{stale=\"false\"}[1m]", "{stale=\"false\"}[4s]"),
];
/// What of the runbooks shows nothing here, by a part of its query, and why.
const SILENT: [(&str, &str); 1] = [("coinlink_backup_last_success_timestamp_seconds", "no script of deploy/backup runs here")];
const SHOWN_WITHIN: Duration = Duration::from_secs(40);
const TOLD_WITHIN: Duration = Duration::from_secs(40);

/// What ends TLS in front of the nodes: it shows a certificate, and answers nothing else.
async fn public_url() -> String {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
    let config = ServerConfig::builder_with_provider(default_provider().into()).with_safe_default_protocol_versions().unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![certificate.der().clone()], key).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            if stream.read(&mut [0; 1024]).await.is_ok() {
                let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await;
            }
        }
    });
    url
}

/// Somebody whose alert comes true at once, with an open socket.
async fn user_with_alert(node: &Node) -> (Held, String, Client) {
    let (api, email) = (Api::at(node.url("")), somebody());
    let held = api.sign_up(&email).await;
    let mut socket = Client::connect(node.address).await;
    socket.say(&json!({ "type": "authenticate", "token": held.access })).await;
    socket.frame_of("authenticated").await;
    let rule = json!({ "symbol": "BTC", "condition": "above", "target_value": 1 });
    let _ = api.post_as(&held.access, "/api/v2/notifications/alerts", &rule).await.expect(201);
    (held, email, socket)
}

/// Everything that people do, again and again, until it is dropped.
fn load(node: &Node, held: &Held, email: &str) -> JoinSet<()> {
    let (api, address, held, email) = (Api::at(node.url("")), node.address, held.clone(), email.to_owned());
    let mut load = JoinSet::new();
    let reader = api.clone();
    load.spawn(async move {
        loop {
            for path in ["/api/crypto/ticker", "/api/bitcoin/price", "/api/bitcoin/news", "/health", "/readyz", "/nowhere"] {
                let _ = reader.try_send(reader.request(reqwest::Method::GET, path)).await;
            }
            let path = "/api/v2/notifications";
            let asked = reader.request(reqwest::Method::GET, path).bearer_auth(&held.access);
            let _ = reader.try_send(asked).await;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    load.spawn(async move {
        loop {
            for password in ["wrong-Horse-9-battery", coinlink_end_to_end_tests::PASSWORD] {
                let body = json!({ "email": email, "password": password });
                let _ = api.try_send(api.with_json(reqwest::Method::POST, "/api/v2/auth/login", &body)).await;
            }
            let body = json!({ "email": somebody(), "password": coinlink_end_to_end_tests::PASSWORD });
            let _ = api.try_send(api.with_json(reqwest::Method::POST, "/api/v2/auth/signup", &body)).await;
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    });
    for _ in 0..10 {
        load.spawn(async move {
            loop {
                let Ok(mut socket) = Client::try_connect(address, "/ws", None).await else {
                    tokio::time::sleep(Duration::from_millis(200)).await;
                    continue;
                };
                while socket.next_frame().await.is_some() {}
            }
        });
    }
    load
}

/// Every query of every panel, as Grafana would ask it, with its place.
fn panels() -> Vec<(String, String)> {
    let mut queries = Vec::new();
    for file in fs::read_dir(deploy().join("grafana/dashboards")).unwrap() {
        let dashboard: Value = serde_json::from_str(&fs::read_to_string(file.unwrap().path()).unwrap()).unwrap();
        for panel in dashboard["panels"].as_array().unwrap() {
            for target in panel["targets"].as_array().into_iter().flatten() {
                let place = format!("{}, {}", dashboard["title"], panel["title"]);
                queries.push((place, target["expr"].as_str().unwrap().replace("$__rate_interval", "20s")));
            }
        }
    }
    queries
}

/// The names of the series that rules record.
fn recorded() -> Vec<(String, String)> {
    let rules = fs::read_to_string(deploy().join("prometheus/rules/service-levels.yml")).unwrap();
    let names = rules.lines().filter_map(|line| line.trim().strip_prefix("- record: "));
    names.map(|name| ("a recorded series".to_owned(), name.to_owned())).collect()
}

/// The queries of the runbooks, which whoever is woken copies from there, with their pages.
fn in_runbooks() -> Vec<(String, String)> {
    let pages = fs::read_dir(deploy().join("../docs/runbooks")).unwrap().map(|page| page.unwrap().path());
    let mut queries = Vec::new();
    for page in pages.filter(|page| page.extension().is_some_and(|kind| kind == "md")) {
        let (place, text) = (page.file_name().unwrap().display().to_string(), fs::read_to_string(&page).unwrap());
        let blocks = text.split("```promql\n").skip(1).map(|block| block.split("```").next().unwrap_or_default().trim());
        queries.extend(blocks.flat_map(by_name).map(|query| (place.clone(), query)));
    }
    queries
}

/// `{__name__=~"a|b"}` as two queries: each of the names has to come back.
fn by_name(query: &str) -> Vec<String> {
    let Some((before, rest)) = query.split_once("__name__=~\"") else { return vec![query.to_owned()] };
    let (names, after) = rest.split_once('"').unwrap();
    names.split('|').map(|name| format!("{before}__name__=\"{name}\"{after}")).collect()
}

/// Waits until each of them has given a number once.
async fn all_have_values(prometheus: &Prometheus, queries: Vec<(String, String)>) {
    let mut silent: BTreeSet<_> = queries.into_iter().collect();
    let started = std::time::Instant::now();
    while !silent.is_empty() {
        assert!(started.elapsed() < SHOWN_WITHIN, "nothing to show: {silent:#?}\n{}", prometheus.log());
        let mut still = BTreeSet::new();
        for asked in silent {
            if prometheus.query(&asked.1).await.is_empty() {
                still.insert(asked);
            }
        }
        silent = still;
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

async fn is_told(prometheus: &Prometheus, alert: &str) {
    eventually(alert, TOLD_WITHIN, async || !prometheus.firing(alert).await.is_empty()).await;
}

async fn is_over(prometheus: &Prometheus, alert: &str) {
    eventually(alert, TOLD_WITHIN, async || prometheus.firing(alert).await.is_empty()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_panel_shows_a_loaded_cluster_and_a_lost_database_a_lost_redis_and_old_prices_are_told() {
    let (stub, mail, url) = (StubUpstream::start().await, PrivateMail::start().await, public_url().await);
    let (mut postgres, mut redis) = (PrivatePostgres::start().await, PrivateRedis::start().await);
    let database = postgres.address().fresh_database().await;
    let smtp = format!("smtp://localhost:{}?tls=none", mail.port());
    // Kraken is asked because CoinGecko fails, so that calls fail and succeed.
    stub.set_mode(Provider::CoinGecko, Mode::status(500, "{}"));
    let (redis_url, mut nodes, mut targets) = (redis.url(), Vec::new(), Vec::new());
    for _ in 0..2 {
        let target = format!("127.0.0.1:{}", free_port());
        let own = [
            ("METRICS_ADDR", &*target),
            ("PUBLIC_URL", &url),
            ("SMTP_URL", &smtp),
            ("MAIL_FROM", "CoinLink <no-reply@example.org>"),
            ("TICKER_SIZE", "2"),
            ("TICKER_PROVIDERS", "coingecko,kraken"),
            ("HISTORY_FILL", "true"),
            ("HISTORY_PACE_MS", "100"),
            // Some are refused.
            ("RATE_LIMIT_PRICE", "60"),
        ];
        let cluster = Serve { database: &database.url, redis: &redis_url, prefix: "prometheus:" };
        nodes.extend(cluster.launch_with(1, &stub, &[&UNLIMITED[..], &own].concat()));
        targets.push(target);
    }
    for node in &mut nodes {
        node.is_live().await;
    }
    let prometheus = Prometheus::start(&targets, &OVERRIDES).await;
    eventually("both are scraped", TOLD_WITHIN, async || prometheus.query("up{job=\"coinlink\"} == 1").await.len() == 2).await;
    let (held, email, _socket) = user_with_alert(&nodes[0]).await;
    let _load: Vec<_> = nodes.iter().map(|node| load(node, &held, &email)).collect();

    let asked = panels();
    assert!(asked.len() > 60, "{}", asked.len());
    all_have_values(&prometheus, [asked, recorded()].concat()).await;
    let refused = prometheus.query("sum(coinlink_rate_limit_hits_total{class=\"price\"})").await;
    assert!(refused[0] > 0.0, "somebody was refused");
    for alert in ["DatabaseDown", "RedisDown", "TickerStale", "AllProvidersFailing", "InstanceDown", "NoLeader", "TwoLeaders"] {
        assert_eq!(prometheus.firing(alert).await, Vec::<String>::new(), "{alert}, although all is well");
    }

    stub.set_modes(&Mode::status(500, "{}"));
    postgres.stop().await;
    is_told(&prometheus, "DatabaseDown").await;
    is_told(&prometheus, "TickerStale").await;
    is_told(&prometheus, "AllProvidersFailing").await;
    postgres.start_again().await;
    stub.set_modes(&Mode::Ok);
    redis.stop().await;
    is_told(&prometheus, "RedisDown").await;
    redis.start_again().await;
    for alert in ["DatabaseDown", "RedisDown", "TickerStale", "AllProvidersFailing"] {
        is_over(&prometheus, alert).await;
    }

    // Now there is something to see for whoever looks for what was wrong.
    let copied = in_runbooks();
    assert!(copied.len() > 80, "{}", copied.len());
    for (part, why) in SILENT {
        assert!(
            copied.iter().any(|(_, query)| query.contains(part)),
            "no page asks for {part} any more, which shows nothing: {why}"
        );
    }
    let (silent, shown): (Vec<_>, Vec<_>) =
        copied.into_iter().partition(|(_, query)| SILENT.iter().any(|(part, _)| query.contains(part)));
    for (_, query) in silent {
        // Prometheus understands it.
        let _ = prometheus.query(&query).await;
    }
    all_have_values(&prometheus, shown).await;
}
