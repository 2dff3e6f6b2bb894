//! How a node leaves: sockets are told when to come back, what was begun is finished, and it is gone in time.

use std::{
    collections::BTreeSet,
    io::Write as _,
    net::{TcpListener, TcpStream},
    time::{Duration, Instant},
};

use coinlink_end_to_end_tests::{Api, Client, Node, Serve, UNLIMITED, eventually, somebody};
use coinlink_testkit::{
    servers::{PrivatePostgres, PrivateRedis, free_port, fresh_database},
    upstream_stub::StubUpstream,
};
use serde_json::Value;

const SOON: Duration = Duration::from_secs(15);
/// Every node is gone by then, whatever was open.
const GONE: Duration = Duration::from_secs(15);
/// So is one where no request is being worked on.
const GONE_SOON: Duration = Duration::from_secs(5);

async fn node() -> Node {
    let node = Node::dev_with(&["--feed", "simulated"], &[("TICKER_INTERVAL_MS", "500")]).await;
    eventually("prices", SOON, async || node.get("/api/bitcoin/price").await.0 == 200).await;
    node
}

#[tokio::test]
async fn an_interrupt_sends_every_socket_away_with_a_moment_of_its_own_to_come_back() {
    let mut node = node().await;
    let mut clients = Vec::new();
    for _ in 0..20 {
        clients.push(Client::connect(node.address).await);
    }
    node.process.interrupt();
    let asked = Instant::now();
    let mut hints = BTreeSet::new();
    for client in &mut clients {
        let (code, reason) = client.closed().await.unwrap();
        let reason: Value = serde_json::from_str(&reason).unwrap();
        assert_eq!((code, &reason["reason"], &reason["retry"]), (1001, &"draining".into(), &"backoff".into()));
        hints.insert(reason["retry_after_ms"].as_u64().unwrap());
    }
    assert!(hints.len() >= 5 && hints.iter().all(|hint| *hint <= 10_000), "{hints:?}");
    assert!(node.process.wait().await.success());
    assert!(asked.elapsed() < GONE_SOON, "nothing was left to wait for: {:?}", asked.elapsed());
}

#[tokio::test]
async fn event_streams_half_requests_and_deaf_sockets_do_not_keep_a_node() {
    let mut node = node().await;
    let mut stream = reqwest::get(node.url("/api/stream/ticker")).await.unwrap();
    stream.chunk().await.unwrap();
    let mut half = TcpStream::connect(node.address).unwrap();
    half.write_all(b"GET /livez HTTP/1.1\r\nHo").unwrap();
    let idle = reqwest::Client::new();
    assert!(idle.get(node.url("/livez")).send().await.unwrap().status().is_success());
    let deaf = Client::connect(node.address).await;

    node.process.terminate();
    let asked = Instant::now();
    // No answer that never ends: the stream's client is to go to another node now.
    while stream.chunk().await.expect("a whole stream, not a cut one").is_some() {}
    assert!(node.process.wait().await.success());
    assert!(asked.elapsed() < GONE_SOON, "{:?}", asked.elapsed());
    drop((stream, half, idle, deaf));
}

#[tokio::test]
async fn a_balancer_is_told_that_a_node_goes_while_it_still_answers() {
    let mut node = node().await;
    // Who waits for it keeps it for as long as sockets may take.
    let deaf = Client::connect(node.address).await;
    assert_eq!(node.get("/readyz/node").await.0, 200);
    node.process.terminate();
    let asks = reqwest::Client::new();
    let says_so = async || {
        let answer = asks.get(node.url("/readyz/node")).send().await;
        answer.is_ok_and(|answer| answer.status() == 503)
    };
    eventually("it says so", GONE_SOON, says_so).await;
    drop(deaf);
    assert!(node.process.wait().await.success());
}

#[tokio::test]
async fn whoever_reads_the_metrics_does_not_keep_a_node() {
    let address = format!("127.0.0.1:{}", free_port());
    let mut node = Node::dev_with(&["--feed", "simulated"], &[("METRICS_ADDR", &address)]).await;
    let scraper = reqwest::Client::new();
    let scrape = async || scraper.get(format!("http://{address}/metrics")).send().await?.text().await;
    scrape().await.unwrap();
    node.process.terminate();
    let asked = Instant::now();
    let scraping = async {
        loop {
            drop(scrape().await);
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    tokio::select! {
        ended = node.process.wait() => assert!(ended.success()),
        _ = scraping => {}
    }
    assert!(asked.elapsed() < GONE, "{:?}", asked.elapsed());
}

#[tokio::test]
async fn a_request_in_flight_is_answered_though_redis_hangs_fault() {
    let (stub, database, redis) = (StubUpstream::start().await, fresh_database().await, PrivateRedis::start().await);
    let url = redis.url();
    let cluster = Serve { database: &database.url, redis: &url, prefix: "e2e:" };
    let mut node = cluster.start(1, &stub).await.remove(0);
    eventually("it is ready", SOON, async || node.get("/readyz").await.0 == 200).await;
    redis.freeze();
    // What readiness found is kept for a second; after that each look takes its full 250 ms.
    eventually("it is not ready", SOON, async || node.get("/readyz").await.0 == 503).await;
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let in_flight = loop {
        let url = node.url("/readyz");
        let asked = tokio::spawn(async move {
            let response = reqwest::get(url).await?;
            let status = response.status().as_u16();
            response.text().await.map(|body| (status, body))
        });
        // The one that asks for it is the other.
        while !asked.is_finished() && node.metric("http_requests_in_flight").await < 2 {}
        if !asked.is_finished() {
            break asked;
        }
    };
    node.process.terminate();
    let asked = Instant::now();
    let (status, body) = in_flight.await.unwrap().expect("an answer, not a cut connection");
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, &body["checks"]["redis"]["status"]), (503, &"down".into()));
    assert!(node.process.wait().await.success());
    assert!(asked.elapsed() < GONE, "{:?}", asked.elapsed());
}

/// Redis is well: where it hangs too, giving up leadership takes a second of the time that calls to PostgreSQL have.
#[tokio::test]
async fn a_node_is_gone_in_time_though_its_database_its_mail_and_clients_hang_fault() {
    let (stub, postgres, redis) = (StubUpstream::start().await, PrivatePostgres::start().await, PrivateRedis::start().await);
    let (database, url) = (postgres.address().fresh_database().await, redis.url());
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let smtp = format!("smtp://{}?tls=none", silent.local_addr().unwrap());
    let own = [("SMTP_URL", &*smtp), ("MAIL_FROM", "CoinLink <no-reply@example.org>"), ("TICKER_INTERVAL_MS", "1000")];
    let cluster = Serve { database: &database.url, redis: &url, prefix: "e2e:" };
    let mut node = cluster.launch_with(1, &stub, &[&UNLIMITED[..], &own].concat()).remove(0);
    node.is_live().await;
    eventually("prices", SOON, async || node.get("/api/bitcoin/price").await.0 == 200).await;
    Api::at(node.url("")).sign_up(&somebody()).await;
    let deaf = Client::connect(node.address).await;
    let mut slow = TcpStream::connect(node.address).unwrap();
    slow.write_all(
        b"POST /api/bitcoin/analyze HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n{",
    )
    .unwrap();
    let slow = std::thread::spawn(move || {
        while slow.write_all(&[b' '; 1500]).is_ok() {
            std::thread::sleep(Duration::from_secs(1));
        }
    });
    // The letter is on its way, a minute is collected, and the request is let in.
    tokio::time::sleep(Duration::from_secs(2)).await;
    postgres.freeze();
    tokio::time::sleep(Duration::from_millis(200)).await;
    node.process.terminate();
    let asked = Instant::now();
    assert!(node.process.wait().await.success());
    let took = asked.elapsed();
    assert!(took < GONE, "{took:?}");
    postgres.thaw();
    slow.join().unwrap();
    drop((deaf, silent));
}
