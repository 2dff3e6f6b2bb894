//! Every class of requests, reached exactly at its number by two nodes together, and what does not move a count.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use coinlink_end_to_end_tests::{Answer, Api, Held, Node, PASSWORD, Serve, eventually, somebody};
use coinlink_testkit::{
    servers::{TestDatabase, fresh_database, shared_redis},
    upstream_stub::StubUpstream,
};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tokio::{sync::Barrier, task::JoinSet};

const PRICE: &str = "/api/bitcoin/price";
const VERIFY: &str = "/api/v2/auth/verify";
const LOGIN: &str = "/api/v2/auth/login";
const REFRESH: &str = "/api/v2/auth/token/refresh";
const LIMITS: &str = "/api/v2/auth/rate-limit";
const ORIGIN: &str = "https://app.example.org";
/// The tests are their own proxy, so that each client has an address of its own.
const BEHIND_US: (&str, &str) = ("TRUSTED_PROXIES", "127.0.0.1/32");

/// Two nodes with the limits as they are shipped.
struct Pair {
    apis: [Api; 2],
    _nodes: Vec<Node>,
    _database: TestDatabase,
    _stub: StubUpstream,
}

impl Pair {
    async fn start() -> Self {
        let (stub, database, redis) = (StubUpstream::start().await, fresh_database().await, shared_redis().await);
        let cluster = Serve { database: &database.url, redis: &redis.url(), prefix: &redis.fresh_prefix() };
        let nodes = cluster.start_with(2, &stub, &[BEHIND_US]).await;
        let apis = [0, 1].map(|at: usize| Api::at(nodes[at].url("")));
        for (at, api) in apis.iter().enumerate() {
            let mut asked = 0;
            eventually("prices", Duration::from_secs(20), async || {
                asked += 1;
                api.send(from(api.request(Method::GET, PRICE), &format!("192.0.2.{}", 100 * at + asked / 50))).await.status == 200
            })
            .await;
        }
        Self { apis, _nodes: nodes, _database: database, _stub: stub }
    }

    fn node(&self, turn: usize) -> &Api {
        &self.apis[turn % 2]
    }
}

/// As a client of this address.
fn from(request: RequestBuilder, address: &str) -> RequestBuilder {
    request.header("X-Forwarded-For", address)
}

fn number(answer: &Answer, header: &str) -> u64 {
    answer.header(header).parse().unwrap_or_else(|_| panic!("{header} of {:?}", answer.headers))
}

fn unix_now() -> u64 {
    SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs()
}

/// The headers of the window `class` of `limit` requests, of which `left` are left.
fn assert_told(answer: &Answer, class: &str, limit: u64, left: u64) {
    let told = (number(answer, "x-ratelimit-limit"), number(answer, "x-ratelimit-remaining"));
    assert_eq!(told, (limit, left), "{class}: {:?}", answer.headers);
    // A second of rounding, and one for the way.
    let (reset, now) = (number(answer, "x-ratelimit-reset"), unix_now());
    assert!((now..=now + 62).contains(&(reset + 1)), "{class}: {reset} at {now}");
    let policy = format!("\"{class}\";q={limit};w=60");
    assert!(answer.header("ratelimit-policy").split(", ").any(|part| part == policy), "{}", answer.header("ratelimit-policy"));
    let state = format!("\"{class}\";r={left};t=");
    let of_class = answer.header("ratelimit").split(", ").find_map(|part| part.strip_prefix(&state).map(str::to_owned));
    assert!((0..=60).contains(&of_class.unwrap().parse::<u64>().unwrap()), "{}", answer.header("ratelimit"));
}

fn assert_refused(answer: &Answer, class: &str, limit: u64) {
    assert_eq!((answer.status, answer.code()), (429, "rate_limited"), "{class}: {}", answer.text);
    assert_told(answer, class, limit, 0);
    assert!((1..=60).contains(&number(answer, "retry-after")), "{class}: {}", answer.header("retry-after"));
    assert_eq!(answer.json["error"]["trace_id"], answer.header("x-trace-id"));
}

/// `limit` requests pass, the nodes taking turns, each with one fewer left; after that both refuse.
async fn reached(pair: &Pair, class: &str, limit: u64, mut ask: impl AsyncFnMut(&Api, usize) -> Answer) {
    for turn in 0..usize::try_from(limit).unwrap() {
        let answer = ask(pair.node(turn), turn).await;
        assert!(answer.status < 429, "{class}, request {turn}: {}", answer.text);
        assert_told(&answer, class, limit, limit - 1 - turn as u64);
    }
    for turn in [1000, 1001] {
        assert_refused(&ask(pair.node(turn), turn).await, class, limit);
    }
}

async fn get(api: &Api, path: &str, address: &str) -> Answer {
    api.send(from(api.request(Method::GET, path), address)).await
}

async fn post(api: &Api, path: &str, address: &str, body: &Value) -> Answer {
    api.send(from(api.with_json(Method::POST, path, body), address)).await
}

#[tokio::test]
async fn clients_without_credentials_get_a_hundred_requests_an_address_and_unreadable_tokens_count_among_them() {
    let pair = Pair::start().await;
    reached(&pair, "anonymous", 100, async |api, turn| match turn % 5 {
        0 => get(api, "/openapi.json", "198.51.100.1").await,
        1 => get(api, "/nothing/here", "198.51.100.1").await,
        2 => post(api, REFRESH, "198.51.100.1", &json!({"refresh_token": "v4.local.no"})).await,
        3 => api.send(from(api.request(Method::GET, PRICE), "198.51.100.1").bearer_auth("no.such.token")).await,
        _ => get(api, LIMITS, "198.51.100.1").await,
    })
    .await;
    let other = get(&pair.apis[0], LIMITS, "198.51.100.2").await.expect(200);
    assert_told(&other, "anonymous", 100, 99);
    for probe in ["/livez", "/readyz", "/readyz/node", "/health", "/metrics"] {
        for turn in 0..40 {
            let answer = get(pair.node(turn), probe, "198.51.100.1").await;
            assert!([200, 503].contains(&answer.status), "{probe}: {}", answer.text);
            assert_eq!(answer.header("x-ratelimit-limit"), "", "{probe} is not counted");
        }
    }
    let from_a_page = from(pair.apis[1].request(Method::GET, LIMITS), "198.51.100.1").header("Origin", ORIGIN);
    let refused = pair.apis[1].send(from_a_page).await.expect(429);
    assert_eq!(refused.header("access-control-allow-origin"), ORIGIN);
    let exposed = refused.header("access-control-expose-headers").to_ascii_lowercase();
    for name in ["retry-after", "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", "x-trace-id"] {
        assert!(exposed.contains(name), "a page may read {name}: {exposed}");
    }
    let preflight = pair.apis[0].request(Method::OPTIONS, LIMITS).header("Origin", ORIGIN);
    let preflight = from(preflight, "198.51.100.1").header("Access-Control-Request-Method", "GET");
    assert!(pair.apis[0].send(preflight).await.status < 300, "a preflight is not counted");
}

#[tokio::test]
async fn a_user_gets_a_hundred_and_twenty_requests_and_sixty_prices_wherever_they_come_from() {
    let pair = Pair::start().await;
    let (ada, grace) = (pair.apis[0].sign_up(&somebody()).await, pair.apis[1].sign_up(&somebody()).await);
    let ask = async |api: &Api, held: &Held, path: &str, turn: usize| {
        let address = format!("198.51.100.{}", turn % 200);
        api.send(from(api.request(Method::GET, path), &address).bearer_auth(&held.access)).await
    };
    reached(&pair, "authenticated", 120, async |api, turn| ask(api, &ada, VERIFY, turn).await).await;
    let both = [PRICE, "/api/crypto/ticker"];
    reached(&pair, "price", 60, async |api, turn| ask(api, &ada, both[turn / 2 % 2], turn).await).await;
    for (path, class, limit) in [(VERIFY, "authenticated", 120), (PRICE, "price", 60)] {
        assert_told(&ask(&pair.apis[0], &grace, path, 1).await.expect(200), class, limit, limit - 1);
    }
    let of_an_address = async |api: &Api, turn: usize| get(api, both[turn / 2 % 2], "203.0.113.9").await.expect_counted();
    reached(&pair, "price", 60, of_an_address).await;
}

trait Counted {
    fn expect_counted(self) -> Self;
}

impl Counted for Answer {
    /// Served or refused, and nothing else.
    fn expect_counted(self) -> Self {
        assert!([200, 429].contains(&self.status), "{}", self.text);
        self
    }
}

#[tokio::test]
async fn ten_passwords_may_be_tried_from_an_address_and_ten_for_an_account() {
    let pair = Pair::start().await;
    let wrong = |email: &str| json!({"email": email, "password": "Wrong-horse-9-battery"});
    reached(&pair, "credentials", 10, async |api, turn| match turn % 3 {
        // A password that is refused unheard is a try as well.
        0 => {
            let body = json!({"email": somebody(), "password": "short"});
            post(api, "/api/v2/auth/signup", "198.51.100.1", &body).await
        }
        1 => post(api, LOGIN, "198.51.100.1", &json!({"email": "", "password": PASSWORD})).await,
        _ => post(api, LOGIN, "198.51.100.1", &wrong(&somebody())).await,
    })
    .await;
    // An account that there is, and one that there is not, which is a stranger's window: it shows only once it is full.
    let (ada, nobody, untouched) = (somebody(), somebody(), somebody());
    let _ = post(&pair.apis[0], "/api/v2/auth/signup", "203.0.113.250", &json!({"email": ada, "password": PASSWORD}))
        .await
        .expect(201);
    for turn in 0..12 {
        let refused = post(pair.node(turn), LOGIN, "198.51.100.1", &wrong(&untouched)).await;
        assert_refused(&refused, "credentials", 10);
    }
    for (at, email) in [&ada, &nobody, &untouched].into_iter().enumerate() {
        let try_from = async |host: usize, email: &str| {
            post(pair.node(host), LOGIN, &format!("203.0.113.{}", 20 * at + host), &wrong(email)).await
        };
        for host in 0..10 {
            assert_told(&try_from(host, email).await.expect(401), "credentials", 10, 9);
        }
        // Written otherwise it is the same account.
        for email in [email.clone(), email.to_uppercase()] {
            assert_refused(&try_from(10, &email).await, "credentials_account", 10);
        }
    }
    let fresh = somebody();
    for host in 0..11 {
        let body = json!({"email": fresh, "password": "short"});
        let answer = post(pair.node(host), "/api/v2/auth/signup", &format!("203.0.113.{}", 100 + host), &body).await;
        if host < 10 { drop(answer.expect(400)) } else { assert_refused(&answer, "credentials_account", 10) }
    }
    let _ = post(&pair.apis[0], LOGIN, "203.0.113.120", &wrong(&fresh)).await.expect(401);
}

#[tokio::test]
async fn a_session_is_refreshed_sixty_times_and_a_refusal_leaves_it_as_it_was() {
    let pair = Pair::start().await;
    let held = pair.apis[0].sign_up(&somebody()).await;
    let mut token = held.refresh.clone();
    reached(&pair, "session", 60, async |api, turn| {
        let path = if turn % 3 == 0 { "/api/v2/auth/refresh" } else { REFRESH };
        let answer = post(api, path, &format!("198.51.100.{}", turn % 200), &json!({"refresh_token": token})).await;
        if turn < 60 {
            token = answer.clone().expect(200).json["refresh_token"].as_str().unwrap().to_owned();
        }
        answer
    })
    .await;
    let sign_out = post(&pair.apis[0], "/api/v2/auth/logout", "198.51.100.1", &json!({"refresh_token": token})).await;
    assert_refused(&sign_out, "session", 60);
    let other = pair.apis[1].sign_up(&somebody()).await;
    assert_told(&pair.apis[0].refresh(&other.refresh).await.expect(200), "session", 60, 59);
    let listed = pair.apis[0].get_as(&held.access, "/api/v2/user/sessions").await.expect(200);
    assert!(listed.text.contains("\"is_current\":true"), "the session goes on: {}", listed.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_clients_at_once_on_two_nodes_get_as_many_requests_as_one() {
    let pair = Pair::start().await;
    let barrier = Arc::new(Barrier::new(64));
    let mut clients = JoinSet::new();
    for client in 0..64 {
        let (api, barrier) = (pair.node(client).clone(), Arc::clone(&barrier));
        clients.spawn(async move {
            let _ = get(&api, "/livez", "198.51.100.1").await.expect(200);
            barrier.wait().await;
            let mut served = Vec::new();
            for _ in 0..8 {
                let answer = get(&api, PRICE, "198.51.100.1").await.expect_counted();
                if answer.status == 200 {
                    let [limit, left] = ["limit", "remaining"].map(|name| number(&answer, &format!("x-ratelimit-{name}")));
                    served.push((limit, left));
                }
            }
            served
        });
    }
    let mut served: Vec<_> = clients.join_all().await.concat();
    served.sort_unstable();
    // A machine so busy that Redis took 100 ms made a node count alone, by its own half; those slots are no one's but that node's.
    let (together, alone): (Vec<_>, Vec<_>) = served.iter().partition(|(limit, _)| *limit == 60);
    assert!(together.iter().map(|(_, left)| *left).is_sorted_by(|a, b| a < b), "each slot was given once: {together:?}");
    assert!(together.len() == 60 || !alone.is_empty(), "{}", together.len());
    assert!(alone.len() <= 2 * 30, "{}", alone.len());
}

#[tokio::test]
async fn what_clients_write_about_their_address_counts_only_from_a_trusted_peer_and_then_from_the_right() {
    let pair = Pair::start().await;
    reached(&pair, "price", 60, async |api, turn| {
        let spoofed = ["1.1.1.1", "2001:db8::1", "127.0.0.1", "", "<x>"][turn % 5];
        get(api, PRICE, &format!("{spoofed}, 9.9.9.{}, 203.0.113.7", turn % 200)).await
    })
    .await;
    reached(&pair, "price", 60, async |api, turn| {
        // A home has a /64; the proxy's own address further right is passed over.
        get(api, PRICE, &format!("[2001:db8:1:2:{turn:x}::1]:{}, 127.0.0.1", 1024 + turn)).await
    })
    .await;
    reached(&pair, "price", 60, async |api, turn| {
        let forwarded = format!("for=9.9.9.{};proto=https, for=\"203.0.113.8:{turn}\"", turn % 200);
        api.send(api.request(Method::GET, PRICE).header("Forwarded", forwarded)).await
    })
    .await;

    let untrusting = Node::dev_with(&["--feed", "simulated"], &[("LOG_LEVEL", "warn")]).await;
    let alone = Pair { apis: [Api::at(untrusting.url("")), Api::at(untrusting.url(""))], ..pair };
    reached(&alone, "anonymous", 100, async |api, turn| {
        let address = format!("203.0.113.{}", turn % 250);
        let request = api.request(Method::GET, LIMITS).header("X-Real-IP", &address).header("CF-Connecting-IP", &address);
        let request = request.header("True-Client-IP", &address).header("Forwarded", format!("for={address}"));
        api.send(from(request, &address)).await
    })
    .await;
}

#[tokio::test]
async fn the_route_that_tells_of_limits_is_right_and_takes_nothing_of_the_assistants() {
    let pair = Pair::start().await;
    let held = pair.apis[0].sign_up(&somebody()).await;
    let address = "198.51.100.1";
    let ask = |api: &Api, path: &str| from(api.request(Method::GET, path), address).bearer_auth(&held.access);
    for turn in 0..7 {
        let _ = pair.node(turn).send(ask(pair.node(turn), PRICE)).await.expect(200);
    }
    for turn in 0..3 {
        let _ = get(pair.node(turn), LIMITS, address).await.expect(200);
    }
    for turn in 0..5 {
        let told = pair.node(turn).send(ask(pair.node(turn), LIMITS)).await.expect(200).json;
        let left = |kind: &str, class: &str| {
            let limits = told[kind].as_array().unwrap();
            let limit = limits.iter().find(|limit| limit["endpoint"] == class).unwrap_or_else(|| panic!("{class}: {told}"));
            (limit["limit"].as_u64().unwrap(), limit["remaining"].as_u64().unwrap())
        };
        assert_eq!(left("user_limits", "price"), (60, 53), "{told}");
        assert_eq!(left("user_limits", "authenticated"), (120, 119 - turn as u64), "{told}");
        assert_eq!(left("user_limits", "chat"), (20, 20), "{told}");
        assert_eq!(left("ip_limits", "anonymous"), (100, 97), "{told}");
        assert_eq!(left("ip_limits", "credentials"), (10, 10), "the sign-up came from elsewhere: {told}");
        assert_eq!((&told["prompts_used"], &told["prompts_left"], &told["prompts_max"]), (&json!(0), &json!(50), &json!(50)));
        assert_eq!((&told["is_authenticated"], &told["allowed"]), (&json!(true), &json!(true)));
        assert_eq!(told["global_limit"]["endpoint"], "authenticated");
    }
    let anonymous = get(&pair.apis[0], LIMITS, address).await.expect(200).json;
    assert_eq!((&anonymous["is_authenticated"], &anonymous["user_limits"]), (&json!(false), &json!([])));
    assert_eq!(anonymous["global_limit"]["remaining"], 96, "{anonymous}");
}
