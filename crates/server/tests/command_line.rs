//! The binary from outside: exit codes, and what it says.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::{Command, Output};

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
