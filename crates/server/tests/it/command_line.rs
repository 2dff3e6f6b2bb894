//! The binary from outside: exit codes, and what it says.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    os::unix::fs::PermissionsExt as _,
    process::{Command, Output},
};

use coinlink_migration::MigratorTrait as _;
use coinlink_testkit::servers::fresh_database;

fn coinlink(arguments: &str, variables: &[(&str, &str)]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_coinlink"));
    command.args(arguments.split(' ')).env_clear().current_dir(folder.path()).envs(variables.iter().copied());
    command.output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn serve_without_settings_says_all_that_is_missing_at_once_and_fails() {
    let output = coinlink("serve", &[("JWT_SECRET_KEY", "changeme"), ("WS_PING_SECS", "0")]);
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    let named = [
        "DATABASE_URL",
        "REDIS_URL",
        "JWT_ISSUER",
        "JWT_AUDIENCE",
        "ALLOWED_ORIGINS",
        "PASSWORD_PEPPER",
        "TOTP_ENCRYPTION_KEY",
        "PUBLIC_URL",
    ];
    for name in named {
        assert!(said.contains(&format!("- {name} is missing: ")), "{name} in {said}");
    }
    assert!(
        said.contains("JWT_SECRET_KEY is shorter than 32 bytes")
            && said.contains("WS_PING_SECS (ws.ping_secs")
            && !said.contains("changeme")
    );
    assert!(output.stdout.is_empty());
}

#[test]
fn a_check_prints_the_settings_and_fails_when_something_is_wrong() {
    let good = coinlink("config check --for dev", &[("COINGECKO_API_KEY", "CG-secret")]);
    assert_eq!(good.status.code(), Some(0));
    assert!(text(&good.stdout).contains("plan = \"demo\"") && !text(&good.stdout).contains("CG-secret"));
    let bad = coinlink("config check --for dev", &[("PORT", "eighty")]);
    assert_eq!(bad.status.code(), Some(1));
    assert!(text(&bad.stdout).contains("PORT (server.port, from PORT) does not fit"));
    assert_eq!(coinlink("config check --for serve", &[]).status.code(), Some(1));
}

#[test]
fn the_api_document_is_printed_without_any_setting() {
    let output = coinlink("openapi", &[]);
    assert_eq!(output.status.code(), Some(0));
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(document["paths"]["/api/bitcoin/price"].is_object());
}

#[test]
fn a_wrong_command_line_is_a_usage_error() {
    assert_eq!(coinlink("dev --feed imaginary", &[]).status.code(), Some(2));
    assert_eq!(coinlink("dance", &[]).status.code(), Some(2));
}

#[test]
fn keys_are_made_shown_and_taken_away_and_what_cannot_be_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let keys = |arguments: &str| coinlink(&format!("keys {arguments}"), &[("JWT_KEYS_DIR", folder.path().to_str().unwrap())]);
    let list = || text(&keys("list").stdout).to_owned();
    assert_eq!(keys("list").status.code(), Some(1));
    assert!(text(&keys("rotate").stderr).contains("keys generate"));
    assert_eq!(keys("generate").status.code(), Some(0));
    assert_eq!(keys("generate").status.code(), Some(1), "there is one already");
    let warned = keys("rotate --publish-secs 300");
    assert!(text(&warned.stdout).contains("--publish-secs 301 is safe"), "others may keep their copy for as long");
    assert!(!text(&keys("rotate --publish-secs 301").stdout).contains("Warning"));
    let table = list();
    let states: Vec<_> = table.lines().skip(1).filter_map(|line| line.split_whitespace().nth(2)).collect();
    assert_eq!(states, ["signing", "published", "published"]);
    let first = &table.lines().nth(1).unwrap()[..32];
    assert_eq!(keys(&format!("revoke {first}")).status.code(), Some(0));
    assert!(list().lines().any(|line| line.starts_with(first) && line.contains("revoked")), "its name stays for a while");
    assert_eq!(keys(&format!("revoke {first}")).status.code(), Some(1), "it is gone");
    assert_eq!(keys("prune").status.code(), Some(0));
    let hasty = keys("rotate --publish-secs 4");
    assert!(text(&hasty.stdout).contains("--publish-secs 5 or more"), "{}", text(&hasty.stdout));
    assert!(!text(&keys("rotate --publish-secs 5").stdout).contains("5 or more"));
    assert_eq!(coinlink("keys list", &[]).status.code(), Some(1), "nobody said where");
    assert_eq!(keys("rotate --rsa-bits 2048 --alg RS256").status.code(), Some(2));
}

#[test]
fn commands_that_work_on_the_store_find_it_in_another_folder() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().to_str().unwrap();
    assert_eq!(coinlink(&format!("migrate up --data-dir {at}"), &[]).status.code(), Some(0));
    assert!(folder.path().join("coinlink.db").exists());
    let mode = std::fs::metadata(folder.path().join("coinlink.db")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "nobody else reads the hashes in it");
    let unknown = coinlink(&format!("admin grant ada@example.org --data-dir {at}"), &[]);
    assert!(!text(&unknown.stderr).contains("there is no database"), "{}", text(&unknown.stderr));
    let pepper = [("PASSWORD_PEPPER", "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c")];
    assert_eq!(coinlink(&format!("audit verify --data-dir {at}"), &pepper).status.code(), Some(0));
}

#[test]
fn a_migration_is_taken_back_only_by_who_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().to_str().unwrap();
    let migrate = |arguments: &str| coinlink(&format!("migrate {arguments} --data-dir {at}"), &[("LOG_LEVEL", "off")]);
    let said = |output: &Output| text(&output.stderr).to_owned();
    assert!(said(&migrate("down --yes")).contains("no migration is applied"));
    assert_eq!(migrate("up").status.code(), Some(0));
    let unasked = migrate("down");
    assert_eq!(unasked.status.code(), Some(1));
    assert!(said(&unasked).contains("loses") && said(&unasked).contains("--yes"), "{}", said(&unasked));
    let steps = coinlink_migration::Migrator::migrations();
    for step in steps.iter().rev() {
        assert!(said(&migrate("down")).contains(&format!("taking back {} loses", step.name())), "it is still there");
        let down = migrate("down --yes");
        assert_eq!(down.status.code(), Some(0), "{}", said(&down));
    }
    assert_eq!(migrate("up").status.code(), Some(0));
}

#[tokio::test]
async fn a_role_that_may_not_change_the_schema_is_told_which_steps_are_pending() {
    let database = fresh_database().await;
    let (start, name) = database.url.split_once('?').unwrap().0.rsplit_once('/').unwrap();
    let steps = coinlink_migration::Migrator::migrations();
    let newest = steps.last().unwrap().name();
    let may_look = format!("CREATE ROLE {name} LOGIN; GRANT SELECT ON seaql_migrations TO {name}");
    database.tamper(&may_look).await;
    let url = format!("{}?sslmode=disable", format!("{start}/{name}").replace("coinlink@", &format!("{name}@")));
    let output = coinlink("migrate up", &[("DATABASE_URL", &url)]);
    let said = text(&output.stderr);
    let told = format!(
        "the database's schema is up to date, and only the role that owns it may run `coinlink migrate up`: {name} may not"
    );
    assert!(output.status.code() == Some(1) && said.contains(&told) && !said.contains("is not there"), "{said}");
    database.tamper(&format!("DELETE FROM seaql_migrations WHERE version = '{newest}'")).await;
    let output = coinlink("migrate status", &[("DATABASE_URL", &url)]);
    let said = format!("{}{}", text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains(&format!("'{newest}'... Pending")), "{said}");
    assert_eq!(said.matches("... Applied").count(), steps.len() - 1, "{said}");
}
