//! A server that is started wrongly says so clearly, and does not run on.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{fs, path::Path, time::Duration};

use coinlink_end_to_end_tests::{Api, Node, Serve, UNLIMITED, eventually, somebody};
use coinlink_testkit::servers::{Launch, TestDatabase, built_binary, free_port, fresh_database, shared_postgres, shared_redis};

const PEPPER: &str = "fedcba9876543210fedcba9876543210-e2e";
const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const OTHER_PEPPER: &str = "0a9b8c7d6e5f4a3b2c1d0e9f8a7b6c5d-e2e";
const OTHER_KEY: &str = "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff101112131415161718191a1b1c1d1e1f";
const SOON: Duration = Duration::from_secs(20);

/// What a node says that does not start.
async fn refused(mut node: Node) -> String {
    let status = tokio::time::timeout(SOON, node.process.wait()).await.unwrap_or_else(|_| panic!("{}", node.process.log()));
    let said = node.process.log();
    assert_eq!(status.code(), Some(1), "{said}");
    said
}

async fn coinlink(arguments: &[&str], settings: &[(&str, &str)]) -> (i32, String) {
    let launch = Launch::new(built_binary("coinlink")).args(arguments);
    let mut run = settings.iter().fold(launch, |launch, (name, value)| launch.env(name, value)).start();
    let code = run.wait().await.code().unwrap_or(-1);
    (code, run.log())
}

fn is_not_the_one(setting: &str) -> String {
    format!("{setting} is not the one that this database is written with")
}

#[tokio::test]
async fn a_node_with_other_secrets_than_the_databases_does_not_start_until_somebody_wants_it_so() {
    let (database, redis) = (fresh_database().await, shared_redis().await);
    let cluster = Serve { database: &database.url, redis: &redis.url(), prefix: &redis.fresh_prefix() };
    let mut first = Node::serve(&cluster, &UNLIMITED);
    first.is_live().await;

    let others = [("PASSWORD_PEPPER", OTHER_PEPPER), ("TOTP_ENCRYPTION_KEY", OTHER_KEY)];
    let said = refused(Node::serve(&cluster, &others)).await;
    assert!(said.contains(&is_not_the_one("PASSWORD_PEPPER")) && said.contains(&is_not_the_one("TOTP_ENCRYPTION_KEY")), "{said}");
    assert!(said.contains("Put the old one back") && said.contains("coinlink admin accept-secrets"), "{said}");
    for secret in [OTHER_PEPPER, OTHER_KEY, PEPPER, KEY] {
        assert!(!said.contains(secret), "{said}");
    }
    let said = refused(Node::serve(&cluster, &others[..1])).await;
    assert!(said.contains(&is_not_the_one("PASSWORD_PEPPER")) && !said.contains("TOTP_ENCRYPTION_KEY is"), "{said}");

    let settings = [&others[..], &[("DATABASE_URL", &database.url)]].concat();
    let (code, said) = coinlink(&["admin", "accept-secrets"], &settings).await;
    assert!(code == 1 && said.contains("nothing is changed; add --yes") && said.contains("no password matches"), "{code} {said}");
    let _ = refused(Node::serve(&cluster, &others)).await;
    let own = [("PASSWORD_PEPPER", PEPPER), ("DATABASE_URL", database.url.as_str())];
    let is_refused = |(code, said): (i32, String)| {
        assert!(
            code == 2 && said.contains(&is_not_the_one("PASSWORD_PEPPER")) && !said.contains("data/secrets"),
            "{code} {said}"
        );
        assert!(!said.contains("TAMPERED") && !said.contains("forged"), "{said}");
    };
    for command in ["verify", "retire"] {
        let (code, said) = coinlink(&["audit", command], &own).await;
        assert_eq!(code, 0, "{said}");
        is_refused(coinlink(&["audit", command], &settings).await);
    }
    let (code, said) = coinlink(&["admin", "accept-secrets", "--yes"], &settings).await;
    assert!(code == 0 && said.contains("second factors: 0"), "{code} {said}");
    let (_, said) = coinlink(&["audit", "verify"], &settings).await;
    assert!(!said.contains("is not the one"), "the new one is the database's now: {said}");
    is_refused(coinlink(&["audit", "verify"], &own).await);
    let mut second = Node::serve(&cluster, &others);
    second.is_live().await;
    let (code, said) = coinlink(&["admin", "accept-secrets", "--yes"], &settings).await;
    assert!(code == 0 && said.contains("nothing is changed"), "{code} {said}");
    let said = refused(Node::serve(&cluster, &[])).await;
    assert!(said.contains(&is_not_the_one("PASSWORD_PEPPER")), "the old ones are the others now: {said}");
    assert_eq!(database.count("audit_log WHERE action = 'operations.accept_secrets'").await, 1);
}

#[tokio::test]
async fn of_two_first_nodes_with_different_secrets_one_starts() {
    let (database, redis) = (fresh_database().await, shared_redis().await);
    let cluster = Serve { database: &database.url, redis: &redis.url(), prefix: &redis.fresh_prefix() };
    let mut nodes = [
        Node::serve(&cluster, &[]),
        Node::serve(&cluster, &[("PASSWORD_PEPPER", OTHER_PEPPER), ("TOTP_ENCRYPTION_KEY", OTHER_KEY)]),
    ];
    let mut gone = None;
    eventually("one ends", SOON, async || {
        gone = nodes.iter_mut().position(|node| node.process.ended().is_some());
        gone.is_some()
    })
    .await;
    let ended = gone.unwrap();
    // The other one may have kept its own between the looks at the two.
    let said = nodes[ended].process.log();
    assert!(["PASSWORD_PEPPER", "TOTP_ENCRYPTION_KEY"].iter().any(|name| said.contains(&is_not_the_one(name))), "{said}");
    nodes[1 - ended].is_live().await;
}

#[tokio::test]
async fn a_database_of_before_anything_was_kept_shows_by_what_it_holds_which_secrets_wrote_it() {
    let (database, redis) = (fresh_database().await, shared_redis().await);
    let cluster = Serve { database: &database.url, redis: &redis.url(), prefix: &redis.fresh_prefix() };
    let mut node = Node::serve(&cluster, &UNLIMITED);
    node.is_live().await;
    let _ = Api::at(node.url("")).sign_up(&somebody()).await;
    drop(node);
    let others = [("PASSWORD_PEPPER", OTHER_PEPPER), ("TOTP_ENCRYPTION_KEY", OTHER_KEY)];
    database.tamper("DELETE FROM secret_prints").await;
    let said = refused(Node::serve(&cluster, &others)).await;
    assert!(said.contains(&is_not_the_one("PASSWORD_PEPPER")) && !said.contains("TOTP_ENCRYPTION_KEY is"), "{said}");
    assert_eq!(database.count("secret_prints").await, 0, "a start that is refused keeps nothing");
    database
        .tamper(
            r"INSERT INTO second_factors (user_id, key_id, secret, set_up_at) SELECT id, '00000000', '\x00', now() FROM users",
        )
        .await;
    let said = refused(Node::serve(&cluster, &[])).await;
    assert!(said.contains(&is_not_the_one("TOTP_ENCRYPTION_KEY")) && !said.contains("PASSWORD_PEPPER is"), "{said}");
    database.tamper("DELETE FROM second_factors").await;
    Node::serve(&cluster, &[]).is_live().await;
    assert_eq!(database.count("secret_prints").await, 2);
}

/// A role of this database alone, that may do nothing yet, and how it connects.
async fn role(database: &TestDatabase) -> (String, String) {
    let (start, name) = database.url.split_once('?').unwrap().0.rsplit_once('/').unwrap();
    database.tamper(&format!("CREATE ROLE {name} LOGIN")).await;
    let url = format!("{}?sslmode=disable", format!("{start}/{name}").replace("coinlink@", &format!("{name}@")));
    (name.to_owned(), url)
}

#[tokio::test]
async fn a_schema_that_was_never_made_and_rights_that_are_missing_are_named_at_the_start() {
    let (empty, database, redis) = (shared_postgres().await.empty_database().await, fresh_database().await, shared_redis().await);
    let (name, url) = role(&empty).await;
    let prefix = redis.fresh_prefix();
    let start = async |url: &str| refused(Node::serve(&Serve { database: url, redis: &redis.url(), prefix: &prefix }, &[])).await;
    let said = start(&url).await;
    let schema = format!("the database's schema is not there, and the role {name} may not change it");
    assert!(said.contains(&schema) && said.contains("run `coinlink migrate up` as the role that owns the database"), "{said}");
    let (code, said) = coinlink(&["migrate", "up"], &[("DATABASE_URL", &url)]).await;
    assert!(code == 1 && said.contains(&schema), "{said}");

    let (name, url) = role(&database).await;
    let said = start(&url).await;
    assert!(said.contains(&format!("the role {name} lacks rights on the database: EXECUTE on audit_log_ensure")), "{said}");
    assert!(said.contains("SELECT on seaql_migrations") && said.contains("coinlink migrate up"), "{said}");
    let given = format!(
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {name};
        GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO {name};
        REVOKE DELETE ON wallets FROM {name}; REVOKE SELECT ON audit_log FROM {name}"
    );
    database.tamper(&given).await;
    let said = start(&url).await;
    let rights = format!("the role {name} lacks rights on the database: DELETE on wallets; SELECT on audit_log. Run `coinlink");
    assert!(said.contains(&rights), "{said}");
    database.tamper(&format!("GRANT DELETE ON wallets TO {name}; GRANT SELECT ON audit_log TO {name}")).await;
    database.tamper("DELETE FROM seaql_migrations WHERE version = (SELECT max(version) FROM seaql_migrations)").await;
    let said = start(&url).await;
    assert!(said.contains("the database's schema lacks 1 of this release's steps, from m2"), "{said}");
}

#[tokio::test]
async fn a_database_that_cannot_be_reached_is_named_with_the_reason_and_without_its_password() {
    // It is waited for in vain, which takes its time.
    const GIVES_UP: Duration = Duration::from_mins(2);
    let (database, redis) = (fresh_database().await, shared_redis().await);
    let nowhere = format!("127.0.0.1:{}", free_port());
    let away = format!("postgres://coinlink:hunter2hunter2@{nowhere}/coinlink?sslmode=disable");
    let (prefix, host) = (redis.fresh_prefix(), redis.url());
    let mut node = Node::serve(&Serve { database: &away, redis: &host, prefix: &prefix }, &[]);
    let started = async {
        let status = tokio::time::timeout(GIVES_UP, node.process.wait()).await.unwrap();
        (status.code().unwrap_or(-1), node.process.log())
    };
    let settings = [("DATABASE_URL", away.as_str()), ("PASSWORD_PEPPER", PEPPER), ("TOTP_ENCRYPTION_KEY", KEY)];
    let commands: [(&[&str], i32); 8] = [
        (&["migrate", "up"], 1),
        (&["migrate", "status"], 1),
        (&["migrate", "down", "--yes"], 1),
        (&["admin", "grant", "ada@example.org"], 1),
        (&["admin", "reset-second-factor", "ada@example.org"], 1),
        (&["admin", "accept-secrets"], 1),
        (&["audit", "verify"], 2),
        (&["audit", "retire"], 2),
    ];
    let runs = commands.map(|(command, fails_with)| async move {
        let (code, said) = coinlink(command, &settings).await;
        (code, fails_with, said)
    });
    let ((code, said), ran) = tokio::join!(started, futures_util::future::join_all(runs));
    for (code, fails_with, said) in std::iter::once((code, 1, said)).chain(ran) {
        let told = format!("the database at {nowhere} cannot be reached: Connection refused");
        assert!(code == fails_with && said.contains(&told), "{code} {said}");
        assert!(!said.contains("Custom Error") && !said.contains("hunter2"), "{said}");
    }

    let (start, address) = database.url.split_once("coinlink@").unwrap();
    let place = address.split_once('/').unwrap().0;
    let stranger = format!("{start}nobody_of_here:hunter2hunter2@{address}");
    let (code, said) = coinlink(&["migrate", "up"], &[("DATABASE_URL", &stranger)]).await;
    let told = format!("the database at {place} refuses the connection: role \"nobody_of_here\" does not exist (SQLSTATE 28000)");
    assert!(code == 1 && said.contains(&told), "{code} {said}");
    assert!(!said.contains("hunter2") && !said.contains("migrated"), "{said}");
}

#[tokio::test]
async fn two_nodes_of_one_name_each_warn_of_it() {
    let (database, redis) = (fresh_database().await, shared_redis().await);
    let cluster = Serve { database: &database.url, redis: &redis.url(), prefix: &redis.fresh_prefix() };
    let named = |name: &'static str| Node::serve(&cluster, &[("NODE_NAME", name)]);
    let (mut one, mut other, mut third) = (named("api"), named("api"), named("api-3"));
    third.is_live().await;
    for node in [&mut one, &mut other] {
        node.process.wait_for_log("another node has this node's name", SOON).await;
    }
    assert!(!third.process.log().contains("another node"), "{}", third.process.log());
}

#[tokio::test]
async fn a_health_check_names_what_is_not_ready() {
    let database = fresh_database().await;
    let nobody = format!("redis://127.0.0.1:{}", free_port());
    let mut node = Node::serve(&Serve { database: &database.url, redis: &nobody, prefix: "starts:" }, &[]);
    node.is_live().await;
    let port = node.address.port().to_string();
    let (code, said) = coinlink(&["healthcheck", "--ready"], &[("HOST", "127.0.0.1"), ("PORT", &port)]).await;
    assert!(code == 1 && said.contains("/readyz answers 503: redis ("), "{code} {said}");
    assert!(!said.contains("database") && !said.contains("feed"), "{said}");
}

#[tokio::test]
async fn a_data_folder_has_one_server_and_its_own_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let at = data.to_str().unwrap();
    let flags = ["--feed", "simulated", "--data-dir", at];
    let second = async || {
        let launch = Launch::new(built_binary("coinlink")).args(["dev", "--port", "0"]).args(flags);
        let mut process = launch.start();
        let code = tokio::time::timeout(SOON, process.wait()).await.unwrap_or_else(|_| panic!("{}", process.log())).code();
        (code, process.log())
    };
    let mut node = Node::dev_with(&flags, &[]).await;
    let (code, said) = second().await;
    assert!(code == Some(1) && said.contains(&format!("another `coinlink dev` runs on the data folder {at}")), "{said}");
    let (code, said) = coinlink(&["audit", "verify", "--data-dir", at], &[]).await;
    assert!(code == 0 && said.contains("is sound"), "{code} {said}");
    node.process.kill();

    let pepper = data.join("secrets/password_pepper");
    let own = fs::read(&pepper).unwrap();
    fs::write(&pepper, OTHER_KEY).unwrap();
    let (code, said) = second().await;
    assert!(code == Some(1) && said.contains(&is_not_the_one("PASSWORD_PEPPER")), "{said}");
    assert!(said.contains(Path::new(at).join("secrets").to_str().unwrap()), "{said}");
    fs::write(&pepper, own).unwrap();
    node.process.start_again();
    node.is_live().await;
}
