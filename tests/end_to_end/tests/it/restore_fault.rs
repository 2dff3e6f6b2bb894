//! The rehearsed restore: the app writes, its server is gone, and it goes on with what was kept of it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use coinlink_end_to_end_tests::{Api, Held, Node, PASSWORD, Serve, UNLIMITED, eventually, somebody};
use coinlink_testkit::{
    servers::{Launch, PrivatePostgres, PrivateRedis, built_binary, fresh_database, postgres_folder, shared_redis},
    upstream_stub::StubUpstream,
};
use reqwest::Method;
use serde_json::json;

use crate::backup_scripts::{Ran, copy_scripts, run};

const SOON: Duration = Duration::from_secs(30);
const RULES: &str = "/api/v2/notifications/alerts";
const VERIFY: &str = "/api/v2/auth/verify";
const PEPPER: &str = "fedcba9876543210fedcba9876543210-e2e";
/// A piece of the log is archived after a second here, and after a minute in production.
const ARCHIVING: [&str; 4] = [
    "wal_level=replica",
    "archive_mode=on",
    "archive_command=BACKUP_DIR=../backup ../deploy/backup/archive-wal %p %f",
    "archive_timeout=1s",
];

/// A server of PostgreSQL, set up as the documents say: the owner migrates, and servers run as `coinlink_app`.
struct Place<'a> {
    server: &'a PrivatePostgres,
    /// Where the backups are; the first server's folder holds the scripts too.
    home: PathBuf,
}

impl Place<'_> {
    fn url(&self, role: &str) -> String {
        format!("postgres://{role}@127.0.0.1:{}/coinlink?sslmode=disable", self.server.address().port)
    }

    async fn script(&self, name: &str, role: &str, arguments: &[&str]) -> Ran {
        let mut command = self.server.command(&self.home.join("deploy/backup").join(name));
        command.args(arguments);
        let (port, backups) = (self.server.address().port.to_string(), self.home.join("backup"));
        let server = [("PGHOST", "127.0.0.1"), ("PGPORT", &port), ("PGUSER", role)];
        run(command, &[&server[..], &[("BACKUP_DIR", backups.to_str().unwrap())]].concat()).await
    }

    async fn psql(&self, database: &str, arguments: &[&str]) -> String {
        let mut command = self.server.command(&postgres_folder().join("psql"));
        command.args(["-qAt", "--no-psqlrc", "--set", "ON_ERROR_STOP=1", "--dbname", database]).args(arguments);
        let (port, password) = (self.server.address().port.to_string(), self.home.join("password"));
        let secret = password.to_str().unwrap();
        let files = ["OWNER_PASSWORD_FILE", "APP_PASSWORD_FILE", "BACKUP_PASSWORD_FILE"].map(|name| (name, secret));
        run(command, &[&[("PGHOST", "127.0.0.1"), ("PGPORT", &*port), ("PGUSER", "coinlink")][..], &files].concat()).await.done()
    }

    async fn connects(&self, role: &str) -> bool {
        let mut command = self.server.command(&postgres_folder().join("psql"));
        command.args(["--no-psqlrc", "--command", "SELECT 1", &self.url(role)]);
        let ran = run(command, &[]).await;
        assert!(ran.code == 0 || ran.err.contains("permission denied for database"), "{ran:?}");
        ran.code == 0
    }

    async fn make_roles(&self) {
        fs::write(self.home.join("password"), "any\n").unwrap();
        fs::set_permissions(self.home.join("password"), fs::Permissions::from_mode(0o644)).unwrap();
        let roles = self.home.join("deploy/postgres/roles.sql");
        self.psql("postgres", &["--file", roles.to_str().unwrap()]).await;
    }

    async fn make_database(&self) {
        self.make_roles().await;
        self.psql("postgres", &["--command", "CREATE DATABASE coinlink OWNER coinlink_owner"]).await;
        self.migrate().await;
    }

    async fn coinlink(&self, arguments: &[&str], role: &str) -> (Option<i32>, String) {
        let launch = Launch::new(built_binary("coinlink")).args(arguments);
        let mut run = launch.env("DATABASE_URL", self.url(role)).env("PASSWORD_PEPPER", PEPPER).start();
        let code = run.wait().await.code();
        (code, run.log())
    }

    async fn migrate(&self) {
        let (code, said) = self.coinlink(&["migrate", "up"], "coinlink_owner").await;
        assert_eq!(code, Some(0), "{said}");
    }

    /// Verifies the audit log, against a checkpoint of an earlier run where there is one, and gives what was said.
    async fn verify(&self, earlier: Option<&str>) -> String {
        let more = earlier.map_or_else(Vec::new, |checkpoint| vec!["--checkpoint", checkpoint]);
        let (code, said) = self.coinlink(&[&["audit", "verify"], &more[..]].concat(), "coinlink_app").await;
        assert!(code == Some(0) && said.contains("is sound"), "{code:?} {said}");
        said
    }

    async fn node(&self, stub: &StubUpstream, redis: &str, prefix: &str) -> Node {
        let (url, settings) = (self.url("coinlink_app"), [&UNLIMITED[..], &[("TICKER_PROVIDERS", "kraken")]].concat());
        let cluster = Serve { database: &url, redis, prefix };
        let node = cluster.start_with(1, stub, &settings).await.remove(0);
        eventually("it is ready", SOON, async || node.get("/readyz").await.0 == 200).await;
        node
    }
}

fn home(server: &PrivatePostgres) -> PathBuf {
    copy_scripts(server.directory());
    server.directory().to_owned()
}

async fn rule(api: &Api, held: &Held, target: u64) {
    let rule = json!({ "symbol": "BTC", "condition": "crosses_above", "target_value": target });
    let _ = api.post_as(&held.access, RULES, &rule).await.expect(201);
}

async fn nobody_has(api: &Api, email: &str) {
    let tried = api.post("/api/v2/auth/login", &json!({"email": email, "password": PASSWORD})).await.expect(401);
    assert_eq!(tried.code(), "invalid_credentials");
}

#[tokio::test]
async fn who_signed_up_signs_in_on_a_fresh_server_that_was_restored_from_the_dump() {
    let (stub, redis) = (StubUpstream::start().await, shared_redis().await);
    // What it loses when it is killed is not looked for.
    let mut first = PrivatePostgres::start().await;
    let home = home(&first);
    let place = Place { server: &first, home: home.clone() };
    place.make_database().await;
    stub.set_price("BTC", "99000");
    let mut node = place.node(&stub, &redis.url(), &redis.fresh_prefix()).await;
    let (api, ada) = (Api::at(node.url("")), somebody());
    let held = api.sign_up(&ada).await;
    let price_is = async |wanted: u64| api.get("/api/bitcoin/price").await.json["data"]["price"] == json!(wanted);
    eventually("a price is known", SOON, async || price_is(99_000).await).await;
    rule(&api, &held, 100_000).await;
    rule(&api, &held, 200_000).await;
    eventually("the rules are evaluated", SOON, async || node.metric("coinlink_alert_rules").await == 2).await;
    stub.set_price("BTC", "101000");
    let inbox = async |api: &Api, held: &Held| api.get_as(&held.access, "/api/v2/notifications").await.expect(200).json;
    eventually("the crossing is told", SOON, async || inbox(&api, &held).await.as_array().map(Vec::len) == Some(1)).await;
    let over = api.sign_in(&ada).await;
    let _ = api.post("/api/v2/auth/logout", &json!({"refresh_token": over.refresh})).await.expect(200);
    let signs = async || place.psql("coinlink", &["--command", "SELECT count(*) FROM audit_checkpoints"]).await != "0";
    eventually("the audit log is signed", SOON, signs).await;
    let said = place.verify(None).await;
    let (_, checkpoint) = said.trim_end().rsplit_once('\n').unwrap();
    let told = inbox(&api, &held).await;

    let began = Instant::now();
    let dump = place.script("dump", "coinlink_backup", &[]).await.done();
    let dumped = began.elapsed();
    let late = somebody();
    let _ = api.sign_up(&late).await;
    node.process.kill();
    first.kill();

    let began = Instant::now();
    let second = PrivatePostgres::durable().await;
    let place = Place { server: &second, home: home.clone() };
    // Without the role of the app nothing is restored halfway.
    place.script("restore", "coinlink", &["latest"]).await.refused("run deploy/postgres/roles.sql first");
    place.make_roles().await;
    let _ = place.script("restore", "coinlink_owner", &[&dump]).await.done();
    place.migrate().await;
    // Redis is lost too.
    let node = place.node(&stub, &redis.url(), &redis.fresh_prefix()).await;
    let restored = began.elapsed();
    let api = Api::at(node.url(""));
    let again = api.sign_in(&ada).await;
    assert_eq!(again.user, held.user);
    let _ = api.get_as(&held.access, VERIFY).await.expect(200);
    assert_eq!(
        api.get_as(&over.access, VERIFY).await.expect(401).code(),
        "session_revoked",
        "what ended before the dump stays so"
    );
    let rules = api.get_as(&again.access, RULES).await.expect(200).json;
    assert_eq!(rules.as_array().map(Vec::len), Some(2), "{rules}");
    assert_eq!(inbox(&api, &again).await, told);
    nobody_has(&api, &late).await;
    let _ = place.verify(Some(checkpoint)).await;
    // It is still append-only, and the app's role is still kept out.
    let rights = "SELECT has_table_privilege('coinlink_app', 'audit_log', 'UPDATE'), has_table_privilege('coinlink_app', 'users', 'UPDATE')";
    assert_eq!(place.psql("coinlink", &["--command", rights]).await, "f|t");
    place.psql("coinlink", &["--command", "CREATE ROLE stranger LOGIN"]).await;
    for (role, may) in [("coinlink_owner", true), ("coinlink_app", true), ("coinlink_backup", true), ("stranger", false)] {
        assert_eq!(place.connects(role).await, may, "{role}");
    }
    let _ = api.sign_up(&late).await;
    eprintln!("dump {dumped:?}; lost server to ready on a fresh one {restored:?}");
}

#[tokio::test]
async fn a_restore_to_a_moment_has_what_came_before_it_and_nothing_that_came_after() {
    let (stub, redis) = (StubUpstream::start().await, shared_redis().await);
    let mut first = PrivatePostgres::durable_with(&ARCHIVING).await;
    let home = home(&first);
    let place = Place { server: &first, home: home.clone() };
    place.make_database().await;
    let mut node = place.node(&stub, &redis.url(), &redis.fresh_prefix()).await;
    let api = Api::at(node.url(""));
    let [base, before, after] = [somebody(), somebody(), somebody()];
    let _ = api.sign_up(&base).await;
    let _ = place.script("base-backup", "coinlink_backup", &[]).await.done();
    let held = api.sign_up(&before).await;
    rule(&api, &held, 500_000).await;
    let moment = "SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')";
    let moment = place.psql("coinlink", &["--command", moment]).await;
    let gone = api.sign_up(&after).await;
    let acknowledged = Instant::now();
    let piece = place.psql("coinlink", &["--command", "SELECT pg_walfile_name(pg_current_wal_insert_lsn())"]).await;
    let archived = home.join(format!("backup/wal/{piece}.gz"));
    eventually("it is archived without being asked", SOON, async || archived.is_file()).await;
    let lag = acknowledged.elapsed();
    node.process.kill();
    first.kill();

    let began = Instant::now();
    let mut second = PrivatePostgres::without_data();
    let data = second.directory().join("data");
    let data = data.to_str().unwrap();
    let prepare = async |second: &PrivatePostgres, to: &str| {
        let place = Place { server: second, home: home.clone() };
        place.script("restore-to-time", "coinlink", &["--to", to, "--data", data]).await
    };
    prepare(&second, "2020-01-01T00:00:00Z").await.refused("no base backup");
    let _ = prepare(&second, &moment).await.done();
    prepare(&second, &moment).await.refused("is not empty");
    second.start_again().await;
    let place = Place { server: &second, home: home.clone() };
    let node = place.node(&stub, &redis.url(), &redis.fresh_prefix()).await;
    let took = began.elapsed();
    let api = Api::at(node.url(""));
    for email in [&base, &before] {
        let held = api.sign_in(email).await;
        let rules = api.get_as(&held.access, RULES).await.expect(200).json;
        assert_eq!(rules.as_array().map(Vec::len), Some(usize::from(email == &before)), "{rules}");
    }
    nobody_has(&api, &after).await;
    assert_eq!(api.get_as(&gone.access, VERIFY).await.status, 401, "a session of an account that is not there opens nothing");
    let knows_prices = async || api.get("/api/bitcoin/price").await.status == 200;
    eventually("a price is known", SOON, knows_prices).await;
    let writes = [
        (Method::POST, RULES, json!({"symbol": "BTC", "condition": "crosses_above", "target_value": 500_000})),
        (Method::PUT, "/api/v2/notifications/settings", json!({"email_enabled": false})),
        (Method::POST, "/api/feedback", json!({"rating": 5})),
    ];
    for (method, path, body) in writes {
        let refused = api.send(api.with_json(method, path, &body).bearer_auth(&gone.access)).await;
        assert_eq!((refused.status, refused.code()), (401, "session_revoked"), "{path}");
    }
    let _ = api.sign_up(&after).await;
    let _ = place.verify(None).await;
    eprintln!("archived after {lag:?}; lost server to ready at a moment {took:?}");
}

#[tokio::test]
async fn a_redis_that_is_lost_or_restored_from_its_copy_revives_no_session() {
    let (stub, database, mut redis) = (StubUpstream::start().await, fresh_database().await, PrivateRedis::start().await);
    let (place, url) = (tempfile::tempdir().unwrap(), redis.url());
    let cluster = Serve { database: &database.url, redis: &url, prefix: "copied:" };
    let mut node = cluster.start_with(1, &stub, &UNLIMITED).await.remove(0);
    let (api, ada) = (Api::at(node.url("")), somebody());
    let (held, earlier, later) = (api.sign_up(&ada).await, api.sign_in(&ada).await, api.sign_in(&ada).await);
    let end = async |held: &Held| api.post("/api/v2/auth/logout", &json!({"refresh_token": held.refresh})).await.expect(200);
    let _ = end(&earlier).await;
    let port = redis.address().port.to_string();
    let variables = [("BACKUP_DIR", place.path().to_str().unwrap()), ("REDIS_PORT", &*port)];
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().join("deploy/backup/redis-copy");
    let copy = run(std::process::Command::new(script), &variables).await.done();
    // The copy knows nothing of this one.
    let _ = end(&later).await;
    let stay_over = async |what: &str| {
        for (session, which) in [(&earlier, "before the copy"), (&later, "after it")] {
            let seen = api.get_as(&session.access, VERIFY).await;
            assert_eq!((seen.status, seen.code()), (401, "session_revoked"), "{what}: ended {which}");
            assert_eq!(api.refresh(&session.refresh).await.expect(401).code(), "session_revoked", "{what}: ended {which}");
        }
        let _ = api.get_as(&held.access, VERIFY).await.expect(200);
    };
    stay_over("at first").await;
    for restored in [true, false] {
        redis.stop().await;
        let file = redis.directory().join("dump.rdb");
        if restored {
            fs::copy(Path::new(&copy).join("dump.rdb"), &file).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        } else {
            fs::remove_file(&file).unwrap();
        }
        redis.start_again().await;
        let what = if restored { "restored" } else { "lost" };
        assert_eq!(redis.ask(&["DBSIZE"]) == "0", !restored, "{what}");
        stay_over(what).await;
        eventually("it is ready", SOON, async || node.get("/readyz").await.0 == 200).await;
        stay_over(what).await;
        node.process.kill();
        node.process.start_again();
        node.is_live().await;
        stay_over(&format!("{what}, with a server that was not there when they ended")).await;
    }
}
