//! Letters that the real binary delivers: into files, to a server that is there, refuses, is away, and by nodes that are killed.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use coinlink_credentials::{BoxKey, KeyRing};
use coinlink_domain::shared::mail::OutgoingMail;
use coinlink_end_to_end_tests::{Node, Serve, eventually};
use coinlink_ports::identity::IdentityStore;
use coinlink_postgres::{ConnectSettings, Database, SqlIdentityStore};
use coinlink_testkit::{
    servers::{MailTls, PrivateMail, TestDatabase, fresh_database, shared_redis},
    upstream_stub::StubUpstream,
};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};
use time::OffsetDateTime;
use uuid::Uuid;

const SOON: Duration = Duration::from_secs(20);
/// What [`Node::serve`] sets.
const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
/// What nobody but the reader of a letter may learn.
const CODE: &str = "31415926";

/// Leaves letters as the binary does, and looks at the table.
struct Outbox {
    store: SqlIdentityStore,
    sql: DatabaseConnection,
}

impl Outbox {
    async fn at(url: &str, key: &str) -> Self {
        let byte = |at: usize| u8::from_str_radix(&key[at * 2..at * 2 + 2], 16).unwrap();
        let ring = KeyRing::new(&BoxKey::new(std::array::from_fn(byte)), &[]);
        let database = Database::connect(&ConnectSettings::new(url)).await.unwrap();
        let mut options = sea_orm::ConnectOptions::new(url);
        options.max_connections(1).sqlx_logging(false);
        let sql = sea_orm::Database::connect(options).await.unwrap();
        Self { store: SqlIdentityStore::new(database, Arc::new(ring)), sql }
    }

    async fn post(&self, to: &str) -> Uuid {
        let id = Uuid::now_v7();
        let mail = OutgoingMail::new(id, to, "verify_email", OffsetDateTime::now_utc())
            .with("link", format!("https://app.example.org/verify#{CODE}"))
            .with("code", CODE)
            .with("expires", "2026-11-22T12:00:00Z");
        let mut tx = self.store.begin().await.unwrap();
        tx.mail().post(&mail).await.unwrap();
        tx.commit().await.unwrap();
        id
    }

    async fn text(&self, what: &str) -> String {
        let one = Statement::from_string(DbBackend::Postgres, format!("SELECT ({what})::text"));
        let row = self.sql.query_one_raw(one).await.unwrap().unwrap();
        row.try_get_by_index::<Option<String>>(0).unwrap().unwrap_or_default()
    }

    async fn state(&self, id: Uuid) -> String {
        self.text(&format!("SELECT state || ' ' || attempts || ' ' || coalesce(error, '') FROM outbox_mails WHERE id = '{id}'"))
            .await
    }

    async fn state_becomes(&self, id: Uuid, state: &str) {
        eventually(state, SOON, async || self.state(id).await == state).await;
    }

    async fn waiting(&self) -> String {
        self.text("SELECT count(*) FROM outbox_mails WHERE state = 'waiting'").await
    }

    /// As if every wait and every lease were over.
    async fn time_passes(&self) {
        self.sql.execute_unprepared("UPDATE outbox_mails SET due_at = created_at WHERE state = 'waiting'").await.unwrap();
    }
}

/// What nodes share.
struct Site {
    stub: StubUpstream,
    database: TestDatabase,
    redis: String,
    prefix: String,
}

impl Site {
    async fn new() -> Self {
        let redis = shared_redis().await;
        let (stub, database) = (StubUpstream::start().await, fresh_database().await);
        Self { stub, database, redis: redis.url(), prefix: redis.fresh_prefix() }
    }

    async fn nodes(&self, count: usize, smtp: Option<&str>) -> Vec<Node> {
        let cluster = Serve { database: &self.database.url, redis: &self.redis, prefix: &self.prefix };
        let mut settings = vec![("LOG_LEVEL", "debug"), ("MAIL_FROM", "CoinLink <no-reply@coinlink.example>")];
        settings.extend(smtp.map(|url| ("SMTP_URL", url)));
        cluster.start_with(count, &self.stub, &settings).await
    }

    async fn outbox(&self) -> Outbox {
        Outbox::at(&self.database.url, KEY).await
    }
}

fn plain(server: &PrivateMail) -> String {
    format!("smtp://localhost:{}", server.port())
}

/// How often each letter came, by its recipient.
fn arrived(server: &PrivateMail) -> BTreeMap<String, usize> {
    let mut arrived = BTreeMap::new();
    for letter in server.received() {
        *arrived.entry(letter.to).or_default() += 1;
    }
    arrived
}

fn tells_no_secret(node: &Node) {
    let log = node.process.log();
    assert!(!log.contains(CODE) && !log.contains("ada@example.org") && !log.contains("hunter2"), "{log}");
}

fn letters_in(folder: &Path) -> Vec<String> {
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    files
        .filter_map(|file| file.file_name().into_string().ok())
        .filter(|name| Path::new(name).extension().is_some_and(|kind| kind == "eml"))
        .collect()
}

#[tokio::test]
async fn dev_puts_letters_into_files_that_it_names() {
    let mut node = Node::dev_with(&["--feed", "simulated"], &[]).await;
    let data = node.process.directory().join("data");
    let key = fs::read_to_string(data.join("secrets/totp_encryption_key")).unwrap();
    let outbox = Outbox::at(&format!("sqlite://{}", data.join("coinlink.db").display()), key.trim()).await;
    let id = outbox.post("ada@example.org").await;
    let name = format!("-verify_email-{id}.eml");
    node.process.wait_for_log(&name, SOON).await;
    let [file] = &letters_in(&data.join("mail"))[..] else { panic!("one letter") };
    let path = data.join("mail").join(file);
    assert!(file.ends_with(&name) && fs::metadata(&path).unwrap().permissions().mode() & 0o777 == 0o600);
    let text = fs::read_to_string(path).unwrap();
    assert!(text.contains("From: CoinLink <no-reply@localhost>") && text.contains("To: ada@example.org") && text.contains(CODE));
    tells_no_secret(&node);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_deliver_each_of_a_hundred_letters_once_and_encrypted() {
    let site = Site::new().await;
    let server = PrivateMail::start_with(MailTls::StartTls, Some("coinlink:hunter2")).await;
    let url = format!("smtp://coinlink:hunter2@localhost:{}?ca={}", server.port(), server.authority().display());
    let nodes = site.nodes(2, Some(&url)).await;
    let outbox = site.outbox().await;
    for n in 0..100 {
        outbox.post(&format!("u{n}@example.org")).await;
    }
    eventually("all are sent", Duration::from_mins(1), async || outbox.waiting().await == "0").await;
    assert_eq!(outbox.text("SELECT count(*) FROM outbox_mails WHERE state = 'sent' AND fields IS NULL").await, "100");
    let arrived = arrived(&server);
    assert!(arrived.len() == 100 && arrived.values().all(|times| *times == 1), "{arrived:?}");
    assert!(server.received().iter().all(|letter| letter.tls && letter.user.as_deref() == Some("coinlink")));
    let mut sent = Vec::new();
    for node in &nodes {
        let series = "coinlink_mail_sent_total{outcome=\"sent\",template=\"verify_email\"}";
        sent.push(node.metric_if_any(series).await.unwrap_or(0));
        tells_no_secret(node);
    }
    assert!(sent.iter().sum::<u64>() == 100 && sent.iter().all(|sent| *sent > 0), "both had a part in it: {sent:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_refuses_is_tried_later_or_dead_and_nothing_of_it_is_told() {
    let site = Site::new().await;
    let server = PrivateMail::start().await;
    let nodes = site.nodes(1, Some(&plain(&server))).await;
    let outbox = site.outbox().await;
    let never = outbox.post("never.ada@example.org").await;
    let never_data = outbox.post("never-data.ada@example.org").await;
    let later = outbox.post("later-1.ada@example.org").await;
    outbox.state_becomes(never, "dead 1 the SMTP server refused RCPT TO: 550 5.1.1").await;
    outbox.state_becomes(never_data, "dead 1 the SMTP server refused the letter: 554 5.7.1").await;
    outbox.state_becomes(later, "waiting 1 the SMTP server refused RCPT TO: 451 4.3.0").await;
    // One that nobody can open, beside one that is due.
    let forged = Uuid::now_v7();
    let columns = "id, recipient, template, key_id, fields, state, attempts, due_at, created_at";
    let row = format!("'{forged}', 'bob@example.org', template, key_id, '\\x00', state, 0, created_at, created_at");
    let copy = format!("INSERT INTO outbox_mails ({columns}) SELECT {row} FROM outbox_mails WHERE id = '{later}'");
    outbox.sql.execute_unprepared(&copy).await.unwrap();
    outbox.time_passes().await;
    outbox.state_becomes(later, "sent 2 ").await;
    outbox.state_becomes(forged, "dead 1 a stored secret is not what was put there").await;
    let dead = async || nodes[0].metric_if_any("coinlink_outbox_dead{channel=\"mail\"}").await;
    eventually("metrics say so", SOON, async || dead().await == Some(3)).await;
    assert_eq!(nodes[0].metric("coinlink_outbox_pending{channel=\"mail\"}").await, 0);
    tells_no_secret(&nodes[0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_server_is_away_letters_wait_and_arrive_after() {
    let site = Site::new().await;
    let mut server = PrivateMail::start().await;
    let _nodes = site.nodes(1, Some(&plain(&server))).await;
    server.kill();
    let outbox = site.outbox().await;
    let letters = [outbox.post("ada@example.org").await, outbox.post("bob@example.org").await];
    for letter in letters {
        let tried = async || outbox.state(letter).await.starts_with("waiting 1 connecting failed");
        eventually("it was tried", SOON, tried).await;
    }
    server.start_again().await;
    let again = Instant::now();
    // The first wait is half a minute: nobody makes it shorter here.
    for letter in letters {
        eventually("it is sent", Duration::from_secs(45), async || outbox.state(letter).await == "sent 2 ").await;
    }
    assert!(again.elapsed() < Duration::from_secs(40), "{:?}", again.elapsed());
    assert_eq!(arrived(&server).into_values().collect::<Vec<_>>(), [1, 1]);
}

/// The server has a letter and says so too late: the node that handed it over is gone by then. Others that it handed over at the
/// same time are marked before: they come once.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_killed_between_handing_over_and_marking_costs_one_duplicate_at_most_and_no_letter() {
    let site = Site::new().await;
    let server = PrivateMail::start().await;
    let outbox = site.outbox().await;
    let mut nodes = site.nodes(1, Some(&plain(&server))).await;
    let slow = outbox.post("slow.ada@example.org").await;
    for n in 0..20 {
        outbox.post(&format!("u{n}@example.org")).await;
    }
    eventually("the server has all of them", SOON, async || arrived(&server).len() == 21).await;
    eventually("all but the slow one are marked", SOON, async || outbox.waiting().await == "1").await;
    assert_eq!(outbox.state(slow).await, "waiting 1 ");
    nodes[0].process.kill();
    drop(nodes);
    for n in 20..30 {
        outbox.post(&format!("u{n}@example.org")).await;
    }

    let _nodes = site.nodes(1, Some(&plain(&server))).await;
    eventually("what was not claimed is sent", SOON, async || outbox.waiting().await == "1").await;
    assert_eq!(arrived(&server)["slow.ada@example.org"], 1, "not before the lease is over");
    outbox.time_passes().await;
    eventually("all are sent", SOON, async || outbox.waiting().await == "0").await;
    let arrived = arrived(&server);
    assert!(arrived.len() == 31 && arrived.values().sum::<usize>() == 32 && arrived["slow.ada@example.org"] == 2, "{arrived:?}");
    let received = server.received();
    let twice: Vec<_> = received.iter().filter(|letter| letter.to.starts_with("slow")).map(|letter| &letter.message).collect();
    assert_eq!(twice[0], twice[1], "the same letter, by its Message-ID and all else");
}

/// A deployment: the node is asked to end while a letter is under way.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_asked_to_end_loses_no_letter_and_sends_none_twice() {
    let site = Site::new().await;
    let server = PrivateMail::start().await;
    let outbox = site.outbox().await;
    let mut nodes = site.nodes(1, Some(&plain(&server))).await;
    for n in 0..60 {
        outbox.post(&format!("u{n}@example.org")).await;
    }
    eventually("some are sent", SOON, async || !arrived(&server).is_empty()).await;
    nodes[0].process.terminate();
    assert!(nodes[0].process.wait().await.success());
    drop(nodes);
    let _nodes = site.nodes(1, Some(&plain(&server))).await;
    outbox.time_passes().await;
    eventually("all are sent", SOON, async || outbox.waiting().await == "0").await;
    let arrived = arrived(&server);
    assert!(arrived.len() == 60 && arrived.values().all(|times| *times == 1), "{arrived:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_mail_server_a_node_says_so_once_and_letters_wait() {
    let site = Site::new().await;
    let nodes = site.nodes(1, None).await;
    let outbox = site.outbox().await;
    let letter = outbox.post("ada@example.org").await;
    let pending = async || nodes[0].metric_if_any("coinlink_outbox_pending{channel=\"mail\"}").await;
    eventually("it is counted", SOON, async || pending().await == Some(1)).await;
    assert_eq!(outbox.state(letter).await, "waiting 0 ");
    assert_eq!(nodes[0].process.log().matches("SMTP_URL is not set").count(), 1);
}
