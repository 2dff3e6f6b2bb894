//! Calls to a real receiver on this machine, and those that must not be made.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod receiver;

use std::{
    io,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use coinlink_domain::{
    notifications::{Notification, signature},
    shared::user_id::UserId,
};
use coinlink_ports::notifications::{SendError, WebhookCall, WebhookRefused, WebhookSender as _};
use coinlink_testkit::notifications::a_notification;
use coinlink_webhooks::{AllowedNetworks, HttpWebhooks, Lookup};
use receiver::Receiver;
use time::{OffsetDateTime, macros::datetime};
use uuid::Uuid;

const NOON: OffsetDateTime = datetime!(2026-11-21 12:00 UTC);
const SECRET: &[u8] = b"whsec_0123";

/// Says one thing after the other, and the last of them for ever.
struct Says {
    answers: Vec<Vec<IpAddr>>,
    asked: AtomicUsize,
}

#[async_trait]
impl Lookup for Says {
    async fn lookup(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        let turn = self.asked.fetch_add(1, Ordering::SeqCst).min(self.answers.len() - 1);
        Ok(self.answers[turn].clone())
    }
}

fn says(answers: &[&[&str]]) -> Arc<Says> {
    let answers = answers.iter().map(|answer| answer.iter().map(|address| address.parse().unwrap()).collect());
    Arc::new(Says { answers: answers.collect(), asked: AtomicUsize::new(0) })
}

fn loopback() -> AllowedNetworks {
    "127.0.0.0/8".parse().unwrap()
}

fn told() -> Notification {
    a_notification(UserId(Uuid::from_u128(7)), 1)
}

async fn call(sender: &HttpWebhooks, url: &str) -> Result<(), SendError> {
    sender.send(WebhookCall { url, secret: SECRET, notification: &told(), at: NOON }).await
}

fn permanent(outcome: Result<(), SendError>) -> String {
    match outcome {
        Err(SendError::Permanent(why)) => why,
        other => panic!("{other:?}"),
    }
}

fn temporary(outcome: Result<(), SendError>) -> String {
    match outcome {
        Err(SendError::Temporary(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_receiver_gets_the_notification_and_its_signature_is_that_of_the_body() {
    let receiver = Receiver::answering("HTTP/1.1 204 No Content\r\n\r\n").await;
    let sender = HttpWebhooks::new(loopback()).unwrap();
    call(&sender, &receiver.url("/in?k=1")).await.unwrap();
    let request = receiver.requests().remove(0);
    assert_eq!(request.line, "POST /in?k=1 HTTP/1.1");
    assert_eq!(request.header("x-coinlink-id"), told().id.to_string());
    assert_eq!(request.header("content-type"), "application/json");
    assert_eq!(request.header("x-coinlink-signature"), signature(SECRET, NOON, &request.body));
    let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(body["id"], told().id.to_string());
    assert_eq!((&body["type"], &body["message"]), (&"price_alert".into(), &told().message.into()));
    assert_eq!((&body["metadata"]["symbol"], &body["created_at"]), (&"BTC".into(), &"2026-11-21T12:00:01.000001Z".into()));
}

#[tokio::test]
async fn a_name_is_looked_up_here_and_stays_the_host_of_the_request() {
    let receiver = Receiver::answering("HTTP/1.1 200 OK\r\n\r\n").await;
    let sender = HttpWebhooks::with_lookup(loopback(), says(&[&["127.0.0.1"]])).unwrap();
    call(&sender, &format!("http://hooks.example.org:{}/", receiver.port())).await.unwrap();
    assert_eq!(receiver.requests()[0].header("host"), format!("hooks.example.org:{}", receiver.port()));
}

#[tokio::test]
async fn answers_other_than_success_are_failures_and_redirects_are_not_followed() {
    let inner = Receiver::answering("HTTP/1.1 200 OK\r\n\r\n").await;
    let sender = HttpWebhooks::new(loopback()).unwrap();
    for status in [301, 302, 303, 307, 308] {
        for to in [inner.url("/"), "http://169.254.169.254/latest/meta-data/".to_owned(), "http://10.0.0.1/".to_owned()] {
            let receiver = Receiver::answering(format!("HTTP/1.1 {status} Elsewhere\r\nlocation: {to}\r\n\r\n")).await;
            let why = temporary(call(&sender, &receiver.url("/")).await);
            assert_eq!(why, format!("it answers {status}: redirects are not followed"));
        }
    }
    assert!(inner.requests().is_empty());
    let broken = Receiver::answering("HTTP/1.1 500 No\r\n\r\n").await;
    assert_eq!(temporary(call(&sender, &broken.url("/")).await), "it answers 500");
    let gone = Receiver::answering("HTTP/1.1 410 Gone\r\n\r\n").await;
    assert_eq!(permanent(call(&sender, &gone.url("/")).await), "it answers 410: it is gone");
}

/// What is beside this server is not even connected to.
#[tokio::test]
async fn nothing_beside_this_server_is_called_whatever_it_is_called() {
    let receiver = Receiver::answering("HTTP/1.1 200 OK\r\n\r\n").await;
    let port = receiver.port();
    let none = HttpWebhooks::with_lookup(AllowedNetworks::default(), says(&[&["127.0.0.1"]])).unwrap();
    let refused = [
        format!("https://127.0.0.1:{port}/"),
        format!("http://127.0.0.1:{port}/"),
        "https://127.0.0.1/".to_owned(),
        "https://2130706433/".to_owned(),
        "https://10.0.0.1/".to_owned(),
        "https://169.254.169.254/latest/".to_owned(),
        "https://[::ffff:169.254.169.254]/".to_owned(),
        "https://localhost/".to_owned(),
    ];
    for url in refused {
        permanent(call(&none, &url).await);
    }
    for answers in
        [&["127.0.0.1"][..], &["10.1.2.3"], &["169.254.169.254"], &["::1"], &["8.8.8.8", "192.168.0.1"], &["::ffff:8.8.8.8"]]
    {
        let sender = HttpWebhooks::with_lookup(AllowedNetworks::default(), says(&[answers])).unwrap();
        let why = permanent(call(&sender, "https://hooks.example.org/").await);
        assert_eq!(why, "the host has an address that is not in the public internet", "{answers:?}");
    }
    assert!(receiver.requests().is_empty());
}

/// Over `http` and on other ports, only the allowed networks are: neither others beside this server nor the public internet.
#[tokio::test]
async fn allowed_networks_open_http_and_other_ports_to_themselves_alone() {
    for answers in [&["10.0.0.1"][..], &["8.8.8.8"], &["127.0.0.1", "8.8.8.8"], &["2606:4700::1"]] {
        let sender = HttpWebhooks::with_lookup(loopback(), says(&[answers])).unwrap();
        for url in ["http://hooks.example.org/", "http://hooks.example.org:443/", "https://hooks.example.org:8080/"] {
            let why = permanent(call(&sender, url).await);
            assert_eq!(why, "the host has an address outside the networks that http and other ports are allowed for", "{url}");
            assert_eq!(sender.address(url).await, Err(WebhookRefused::NotAllowed), "{url} {answers:?}");
        }
    }
    for url in ["http://8.8.8.8/", "http://8.8.8.8:443/", "http://10.0.0.1/", "https://8.8.8.8:8080/"] {
        let sender = HttpWebhooks::with_lookup(loopback(), says(&[&["127.0.0.1"]])).unwrap();
        permanent(call(&sender, url).await);
        assert_eq!(sender.address(url).await, Err(WebhookRefused::NotAllowed), "{url}");
    }
}

#[tokio::test]
async fn a_name_that_has_to_be_in_an_allowed_network_is_looked_up_when_it_is_named_and_others_are_not() {
    let (names, nobody) = (says(&[&["127.0.0.1"]]), says(&[&[]]));
    let sender = HttpWebhooks::with_lookup(loopback(), Arc::clone(&names) as _).unwrap();
    assert_eq!(sender.address("http://hooks.example.org:8080/").await.unwrap().host, "hooks.example.org");
    sender.address("https://hooks.example.org/").await.unwrap();
    assert_eq!(names.asked.load(Ordering::SeqCst), 1);
    let sender = HttpWebhooks::with_lookup(loopback(), Arc::clone(&nobody) as _).unwrap();
    assert_eq!(sender.address("http://hooks.example.org/").await, Err(WebhookRefused::NotAllowed), "nobody knows the name");
}

/// Whoever reads the environment would hand what is told, and the choice of the address, to a proxy.
#[tokio::test]
async fn no_proxy_of_the_environment_is_used() {
    let proxy = Receiver::answering("HTTP/1.1 200 OK\r\n\r\n").await;
    let mut again = tokio::process::Command::new(std::env::current_exe().unwrap());
    again.args(["--exact", "a_receiver_gets_the_notification_and_its_signature_is_that_of_the_body"]);
    for name in ["http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        again.env(name, proxy.url(""));
    }
    let ran = again.env_remove("no_proxy").env_remove("NO_PROXY").output().await.unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success() && said.contains("1 passed"), "{said}");
    assert!(proxy.requests().is_empty());
}

/// A name that says something harmless at first is looked up once for each call, and what it says then is what is checked.
#[tokio::test]
async fn a_name_that_changes_its_mind_is_refused_as_soon_as_it_does() {
    let receiver = Receiver::answering("HTTP/1.1 200 OK\r\n\r\n").await;
    let url = format!("http://hooks.example.org:{}/", receiver.port());
    let names = says(&[&["127.0.0.1"], &["127.0.0.1", "169.254.169.254"], &["10.0.0.1"]]);
    let sender = HttpWebhooks::with_lookup(loopback(), Arc::clone(&names) as _).unwrap();
    call(&sender, &url).await.unwrap();
    permanent(call(&sender, &url).await);
    permanent(call(&sender, &url).await);
    assert_eq!((names.asked.load(Ordering::SeqCst), receiver.requests().len()), (3, 1), "one look a call");
}

#[tokio::test]
async fn the_body_of_an_answer_is_not_waited_for_and_a_silent_receiver_is_given_five_seconds() {
    let endless = Receiver::answering("HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\nnever").await;
    let sender = HttpWebhooks::new(loopback()).unwrap();
    call(&sender, &endless.url("/")).await.unwrap();
    let silent = Receiver::answering("").await;
    assert_eq!(temporary(call(&sender, &silent.url("/")).await), "no answer within 5 seconds");
}
