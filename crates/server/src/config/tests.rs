use std::{collections::BTreeSet, fs::Permissions, os::unix::fs::PermissionsExt as _, path::Path};

use coinlink_domain::{market::Source, shared::quota::QuotaPolicy};
use proptest::prelude::*;
use secrecy::ExposeSecret as _;
use toml::Table;

use super::{layers::DEFAULTS, registry::SETTINGS, *};

fn sources(mode: Mode, variables: &[(&str, &str)]) -> Sources {
    // A folder that is not there: no test reads the checkout's own files.
    let folder = ("CONFIG_DIR", "no-such-folder");
    let variables = variables.iter().chain([&folder]).map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
    Sources { mode, variables: variables.collect(), flags: vec![] }
}

fn with_file(folder: &Path, text: &str, variables: &[(&str, &str)]) -> Loaded {
    std::fs::write(folder.join("local.toml"), text).unwrap();
    let mut sources = sources(Mode::Dev, variables);
    sources.variables.insert("CONFIG_DIR".into(), folder.display().to_string());
    load(&sources)
}

fn dev(variables: &[(&str, &str)]) -> Settings {
    load(&sources(Mode::Dev, variables)).into_settings().unwrap()
}

const GOOD_SERVE: [(&str, &str); 9] = [
    ("DATABASE_URL", "postgresql+asyncpg://u:p@db/coinlink"),
    ("REDIS_URL", "rediss://cache:6379"),
    ("JWT_SECRET_KEY", "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c"),
    ("JWT_ISSUER", "coinlink-api"),
    ("JWT_AUDIENCE", "coinlink-app"),
    ("ALLOWED_ORIGINS", "https://app.example.com, https://www.example.com:8443"),
    ("PASSWORD_PEPPER", "a9s8d7f6g5h4j3k2l1q0w9e8r7t6y5u4i3o2"),
    ("TOTP_ENCRYPTION_KEY", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="),
    ("PUBLIC_URL", "https://api.example.com/"),
];

#[test]
fn defaults_registry_and_struct_hold_the_same_settings() {
    let defaults: Table = DEFAULTS.parse().unwrap();
    let mut in_file = BTreeSet::new();
    for (section, keys) in &defaults {
        in_file.extend(keys.as_table().unwrap().keys().map(|key| format!("{section}.{key}")));
    }
    let in_registry: BTreeSet<_> = SETTINGS.iter().map(|entry| entry.path.to_owned()).collect();
    assert_eq!(in_file, in_registry);
    for entry in SETTINGS {
        let (section, key) = entry.path.split_once('.').unwrap();
        let value = defaults[section][key].clone();
        assert_eq!(entry.kind.accept(value.clone()), Ok(value), "{}", entry.path);
    }
}

#[test]
fn every_variable_is_named_beside_its_setting_in_the_defaults() {
    for entry in SETTINGS {
        for name in entry.variables {
            assert!(DEFAULTS.contains(name), "{name}");
        }
    }
}

#[test]
fn nothing_set_is_enough_for_dev() {
    let settings = dev(&[]);
    assert_eq!((settings.server.host.as_str(), settings.server.port), ("127.0.0.1", 8000));
    assert_eq!(settings.environment, "local");
    assert_eq!(settings.log.format, LogFormat::Text);
    assert_eq!(settings.coingecko.plan, Plan::Keyless);
    assert_eq!(settings.ticker.providers, [Source::CoinGecko, Source::Coinbase, Source::Kraken]);
    assert!(
        ["http://localhost:3000", "http://127.0.0.1:8000", "http://localhost:5173"].iter().all(|it| settings.origins().know(it))
    );
    assert!(!settings.origins().know("http://app.example.com:3000"));
}

#[test]
fn a_later_layer_wins() {
    let folder = tempfile::tempdir().unwrap();
    let file = "[server]\nport = 1111\nworkers = 3\n[ticker]\nsize = 20\n";
    let mut loaded = with_file(folder.path(), file, &[("PORT", "2222")]);
    assert_eq!((loaded.settings.server.port, loaded.settings.server.workers, loaded.settings.ticker.size), (2222, 3, 20));
    assert_eq!(loaded.origins["server.port"], Origin::Variable("PORT".into()));
    let mut flagged = sources(Mode::Dev, &[("PORT", "2222")]);
    flagged.flags.push(("server.port", "3333".into()));
    loaded = load(&flagged);
    assert_eq!(loaded.settings.server.port, 3333);
    assert_eq!(loaded.origins["server.port"], Origin::Flag);
}

#[test]
fn a_file_on_the_disk_replaces_the_embedded_one() {
    let strict = load(&sources(Mode::Serve, &[("COINLINK_ENV", "strict")]));
    assert_eq!((strict.settings.rate_limits.anonymous, strict.settings.rate_limits.credentials), (30, 5));
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("strict.toml"), "[rate_limits]\nanonymous = 7\n").unwrap();
    let mut on_disk = sources(Mode::Serve, &[("COINLINK_ENV", "strict")]);
    on_disk.variables.insert("CONFIG_DIR".into(), folder.path().display().to_string());
    let on_disk = load(&on_disk);
    assert_eq!((on_disk.settings.rate_limits.anonymous, on_disk.settings.rate_limits.credentials), (7, 10));
}

#[test]
fn an_environment_without_a_file_and_one_outside_the_folder_are_problems() {
    for (name, expected) in [("staging", "staging.toml is not there"), ("../secret", "COINLINK_ENV is no name")] {
        let loaded = load(&sources(Mode::Serve, &[("COINLINK_ENV", name)]));
        assert!(loaded.problems.iter().any(|problem| problem.to_string().contains(expected)), "{:?}", loaded.problems);
    }
}

#[test]
fn an_unknown_key_is_named_with_its_file_and_the_nearest_setting() {
    let folder = tempfile::tempdir().unwrap();
    let loaded = with_file(folder.path(), "top = 1\n[ws]\nmax_conections = 5\n[nonsense]\nx = 1\n", &[]);
    let said = loaded.into_settings().unwrap_err().to_string();
    for part in
        ["local.toml has an unknown key \"ws.max_conections\": did you mean \"ws.max_connections\"?", "\"nonsense.x\"", "\"top\""]
    {
        assert!(said.contains(part), "{part} in {said}");
    }
    assert!(said.starts_with("3 problems"));
}

#[test]
fn values_that_do_not_fit_are_all_reported_at_once_and_never_shown() {
    let loaded = load(&sources(
        Mode::Dev,
        &[
            ("PORT", "70000"),
            ("TICKER_INTERVAL_MS", "soon"),
            ("PROMETHEUS_ENABLED", "maybe"),
            ("ALLOWED_ORIGINS", "*"),
            ("TRUSTED_PROXIES", "10.0.0.0/33"),
            ("FORWARDED_HEADER", "x-real-ip"),
            ("REDIS_URL", "http://hunter2@cache"),
            ("LOG_LEVEL", "loud=yes=no"),
            ("SMTP_URL", "mail.example.com"),
            ("MAIL_FROM", "nobody"),
            ("METRICS_ADDR", "here"),
            ("BCRYPT_COST", "4"),
            ("TICKER_PROVIDERS", "binance"),
            ("COINLINK_ENV", "local"),
        ],
    ));
    let named: Vec<_> = loaded.problems.iter().map(|problem| problem.setting.as_str()).collect();
    assert_eq!(named.len(), 13, "{named:?}");
    let said = loaded.into_settings().unwrap_err().to_string();
    assert!(!said.contains("hunter2"));
}

#[test]
fn a_broken_file_is_one_problem_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let loaded = with_file(folder.path(), "[server\nport = 1", &[]);
    assert_eq!(loaded.problems.len(), 1);
    assert!(loaded.problems[0].to_string().contains("local.toml is not TOML"));
}

#[test]
fn both_spellings_of_a_provider_key_are_read_and_the_plain_one_wins() {
    let key = |variables: &[(&str, &str)]| dev(variables).coingecko.api_key.unwrap().expose_secret().to_owned();
    assert_eq!(key(&[("CoinGecko_API_key", "old")]), "old");
    assert_eq!(key(&[("CoinGecko_API_key", "old"), ("COINGECKO_API_KEY", "new")]), "new");
    assert_eq!(dev(&[("newsapi_api_key", "n")]).news.api_key.unwrap().expose_secret(), "n");
}

#[test]
fn a_key_makes_the_plan_demo_and_a_plan_that_needs_one_misses_it() {
    let demo = dev(&[("COINGECKO_API_KEY", "k")]).coingecko;
    assert_eq!((demo.plan, demo.quota()), (Plan::Demo, QuotaPolicy { per_minute: Some(30), per_month: Some(10_000) }));
    let limited = dev(&[("COINGECKO_API_KEY", "k"), ("COINGECKO_PLAN", "pro"), ("COINGECKO_CALLS_PER_MINUTE", "9")]).coingecko;
    assert_eq!(limited.quota(), QuotaPolicy { per_minute: Some(9), per_month: Some(500_000) });
    let keyless = load(&sources(Mode::Dev, &[("COINGECKO_PLAN", "pro")])).into_settings().unwrap_err();
    assert!(keyless.to_string().contains("COINGECKO_API_KEY is missing"));
}

#[test]
fn every_secret_is_read_from_a_file_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jwt");
    std::fs::write(&path, "a-secret-of-32-bytes-from-a-file\n").unwrap();
    let path = path.display().to_string();
    let settings = dev(&[("JWT_SECRET_KEY_FILE", &path)]);
    assert_eq!(settings.auth.jwt_secret_key.unwrap().expose_secret(), "a-secret-of-32-bytes-from-a-file");
    let [empty, huge] = ["empty", "huge"].map(|name| folder.path().join(name).display().to_string());
    std::fs::write(&empty, "\n").unwrap();
    std::fs::write(&huge, "x".repeat(64 * 1024 + 1)).unwrap();
    for (variables, expected) in [
        (vec![("JWT_SECRET_KEY_FILE", path.as_str()), ("JWT_SECRET_KEY", "x")], "keep one of them"),
        (vec![("JWT_SECRET_KEY_FILE", "/no/such/file")], "cannot be read"),
        (vec![("JWT_SECRET_KEY_FILE", &empty)], "empty file"),
        (vec![("JWT_SECRET_KEY_FILE", &huge)], "more than 65536 bytes"),
        (vec![("JWT_SECRET_KEY_FILE", "/dev/zero")], "something that is no file"),
        (vec![("JWT_SECRET_KEY_FILE", "/dev/null")], "something that is no file"),
        (vec![("JWT_SECRET_KEY_FILE", "/")], "something that is no file"),
    ] {
        let error = load(&sources(Mode::Dev, &variables)).into_settings().unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    assert!(SETTINGS.iter().filter(|entry| entry.kind.is_secret()).count() >= 11);
}

#[test]
fn a_secret_is_read_from_a_pipe_to_its_end_and_not_without_one() {
    let folder = tempfile::tempdir().unwrap();
    let fifo = folder.path().join("pipe");
    let pipe = |text: String| {
        let _ = std::fs::remove_file(&fifo);
        assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
        let writer = fifo.clone();
        // The reader may be gone before all is written.
        let writing = std::thread::spawn(move || drop(std::fs::write(writer, text)));
        let loaded = load(&sources(Mode::Dev, &[("JWT_SECRET_KEY_FILE", fifo.to_str().unwrap())]));
        writing.join().unwrap();
        loaded.into_settings()
    };
    let settings = pipe("a-secret-of-32-bytes-from-a-pipe\n".into()).unwrap();
    assert_eq!(settings.auth.jwt_secret_key.unwrap().expose_secret(), "a-secret-of-32-bytes-from-a-pipe");
    assert!(pipe("x".repeat(1 << 20)).unwrap_err().to_string().contains("more than 65536 bytes"));
}

/// Whatever was written, and wherever the mistake is in it.
#[test]
fn what_is_said_about_settings_holds_no_secret_of_them() {
    const CANARY: &str = "canary-4f1c9d";
    let folder = tempfile::tempdir().unwrap();
    for text in [
        "[auth]\njwt_secret_key = \"CANARY",
        "[auth]\njwt_secret_key = CANARY",
        "[auth]\njwt_secret_key = 'x'CANARY",
        "[auth]\njwt_secret_key = \"\\qCANARY\"",
        "[auth]\njwt_secret_key: CANARY",
        "[auth]\njwt_secret_key = \"CANARY\"\njwt_secret_key = \"CANARY\"",
        "[database]\nurl = [\"CANARY\"]",
        "[server]\nallowed_origins = [\"https://user:CANARY@app.example.com\"]",
        "[server]\npublic_url = \"https://user:CANARY@api.example.com\"",
        "[coinbase]\nbase_url = \"https://CANARY@proxy.example.com/x\"\nws_url = \"wss://user:CANARY@proxy.example.com\"",
    ] {
        let loaded = with_file(folder.path(), &text.replace("CANARY", CANARY), &[]);
        let report = loaded.report(Mode::Dev);
        assert!(!report.contains(CANARY), "{text}: {report}");
        assert!(!text.contains("[auth]") || report.contains("local.toml is not TOML: line "), "{text}: {report}");
        assert!(!text.contains("base_url") || report.contains("\"https://********@proxy.example.com/x\""), "{report}");
        let said = loaded.into_settings().map_or_else(|error| error.to_string(), |_| String::new());
        assert!(!said.contains(CANARY), "{text}: {said}");
    }
    let broken = with_file(folder.path(), "[server]\nport = 1\n\n[auth]\njwt_secret_key = \"x\n", &[]);
    assert!(broken.problems[0].to_string().contains("line 5: "), "{}", broken.problems[0]);
}

#[test]
fn our_own_url_is_plain_and_better_https() {
    let with = |url: &'static str| {
        let variables: Vec<_> =
            GOOD_SERVE.iter().copied().filter(|(of, _)| *of != "PUBLIC_URL").chain([("PUBLIC_URL", url)]).collect();
        load(&sources(Mode::Serve, &variables))
    };
    for bad in
        ["https://u@api.example.com", "https://u:p@api.example.com", "https://api.example.com?a=b", "https://api.example.com/#x"]
    {
        let problems = with(bad).all_problems(Mode::Serve);
        assert_eq!(problems.len(), 1, "{bad}: {problems:?}");
        assert!(problems[0].setting == "PUBLIC_URL" && problems[0].to_string().contains("without a user, a query or a fragment"));
    }
    let plain = with("http://api.example.com");
    assert!(plain.report(Mode::Serve).contains("Warning: PUBLIC_URL is not https") && plain.into_settings().is_ok());
    assert!(!with("https://api.example.com/base/").report(Mode::Serve).contains("Warning"));
    assert!(!load(&sources(Mode::Dev, &[])).report(Mode::Dev).contains("Warning"));
}

#[test]
fn not_everybody_is_a_proxy() {
    for everybody in ["0.0.0.0/0", "10.0.0.0/8, ::/0"] {
        let error = load(&sources(Mode::Dev, &[("TRUSTED_PROXIES", everybody)])).into_settings().unwrap_err().to_string();
        assert!(error.contains("TRUSTED_PROXIES believes everybody"), "{error}");
    }
    assert_eq!(dev(&[("TRUSTED_PROXIES", "10.0.0.0/8")]).server.trusted_proxies.len(), 1);
}

#[test]
fn metrics_do_not_listen_where_the_api_does() {
    let told = |host: &str, port: &str, metrics: &str, enabled: &str| {
        let variables = [("HOST", host), ("PORT", port), ("METRICS_ADDR", metrics), ("PROMETHEUS_ENABLED", enabled)];
        let problems = load(&sources(Mode::Dev, &variables)).all_problems(Mode::Dev);
        problems.first().map(ToString::to_string)
    };
    for (host, metrics) in [
        ("127.0.0.1", "127.0.0.1:8000"),
        ("localhost", "127.0.0.1:8000"),
        ("0.0.0.0", "127.0.0.1:8000"),
        ("10.0.0.7", "0.0.0.0:8000"),
        ("::", "0.0.0.0:8000"),
        ("0.0.0.0", "[::]:8000"),
        ("::1", "[::1]:8000"),
    ] {
        let said = told(host, "8000", metrics, "true").unwrap_or_else(|| panic!("{host} {metrics}"));
        assert!(said.starts_with("METRICS_ADDR is where the API listens by HOST and PORT: give it another port"), "{said}");
        assert_eq!(told(host, "8000", metrics, "false"), None, "there are none");
    }
    for (host, port, metrics) in [
        ("127.0.0.1", "8000", "127.0.0.1:9100"),
        ("127.0.0.1", "8000", "10.0.0.7:8000"),
        ("0.0.0.0", "8000", "[::1]:8000"),
        ("127.0.0.1", "0", "127.0.0.1:0"),
    ] {
        assert_eq!(told(host, port, metrics, "true"), None, "{host}:{port} {metrics}");
    }
}

#[test]
fn trusted_proxies_write_x_forwarded_for_unless_it_is_said_otherwise() {
    assert_eq!(dev(&[]).server.forwarded_header, ForwardedHeader::XForwardedFor);
    assert_eq!(dev(&[("FORWARDED_HEADER", "forwarded")]).server.forwarded_header, ForwardedHeader::Forwarded);
}

#[test]
fn an_empty_variable_is_not_set() {
    assert_eq!(dev(&[("PORT", ""), ("ALLOWED_ORIGINS", "")]).server.port, 8000);
}

#[test]
fn serve_lists_every_required_setting_that_is_missing() {
    let error = load(&sources(Mode::Serve, &[])).into_settings().unwrap_err();
    let named: Vec<_> = error.problems.iter().map(|problem| problem.setting.as_str()).collect();
    for (name, _) in GOOD_SERVE {
        assert!(named.contains(&name), "{name}");
    }
    assert_eq!(named.len(), GOOD_SERVE.len());
    assert!(error.problems.iter().all(|problem| !problem.fix.is_empty()));
}

#[test]
fn serve_starts_with_what_it_requires_and_drops_a_driver() {
    let settings = load(&sources(Mode::Serve, &GOOD_SERVE)).into_settings().unwrap();
    assert_eq!(settings.database.url.as_ref().unwrap().expose_secret(), "postgresql://u:p@db/coinlink");
    assert_eq!(settings.server.host, "0.0.0.0");
    assert_eq!(settings.server.public_url, "https://api.example.com");
    let origins = settings.origins();
    assert_eq!(origins.to_string(), "https://app.example.com, https://www.example.com:8443, https://api.example.com");
    assert!(!origins.know("http://localhost:5173"), "on a server origins are exact");
    assert_eq!((settings.log.format, settings.environment.as_str()), (LogFormat::Json, "production"));
}

#[test]
fn serve_needs_no_shared_secret_where_it_has_signing_keys() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let others = GOOD_SERVE.iter().copied().filter(|(name, _)| *name != "JWT_SECRET_KEY");
    let variables: Vec<_> = others.chain([("JWT_KEYS_DIR", path)]).collect();
    let error = load(&sources(Mode::Serve, &variables)).into_settings().unwrap_err();
    assert_eq!(error.problems.len(), 1, "{error}");
    assert!(error.to_string().contains("JWT_KEYS_DIR") && error.to_string().contains("keys generate"), "{error}");
    std::fs::write(folder.path().join("keys.json"), "{}").unwrap();
    let loaded = load(&sources(Mode::Serve, &variables));
    assert!(loaded.report(Mode::Serve).contains(&format!("jwt_keys_dir = \"{path}\"")));
    assert_eq!(loaded.into_settings().unwrap().auth.jwt_keys_dir, path);
}

#[test]
fn weak_secrets_are_refused_by_serve() {
    let zeros = "0".repeat(64);
    for (name, weak, why) in [
        ("JWT_SECRET_KEY", "tiny-one", "shorter than 32"),
        ("JWT_SECRET_KEY", "please-CHANGEME-0123456789abcdefghijklmn", "placeholder"),
        ("PASSWORD_PEPPER", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "too regular"),
        ("TOTP_ENCRYPTION_KEY", "00112233", "not 32 bytes"),
        ("TOTP_ENCRYPTION_KEY", &zeros, "too regular"),
        ("TOTP_ENCRYPTION_KEY", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "too regular"),
        ("TOTP_ENCRYPTION_KEY_PREVIOUS", &format!("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=, {zeros}"), "too regular"),
        ("TOTP_ENCRYPTION_KEY", "+0112233445566778899aabbccddeeff00112233445566778899aabbccddeef+", "not 32 bytes"),
        ("TOTP_ENCRYPTION_KEY", "+1+12233445566778899aabbccddeeff00112233445566778899aabbccddeeff", "not 32 bytes"),
        ("TOTP_ENCRYPTION_KEY", "zz112233445566778899aabbccddeeff00112233445566778899aabbccddeeff", "not 32 bytes"),
    ] {
        let variables: Vec<_> = GOOD_SERVE.iter().copied().filter(|(of, _)| *of != name).chain([(name, weak)]).collect();
        let error = load(&sources(Mode::Serve, &variables)).into_settings().unwrap_err();
        assert_eq!(error.problems.len(), 1, "{error}");
        assert!(
            error.to_string().contains(name) && error.to_string().contains(why) && !error.to_string().contains(weak),
            "{error}"
        );
    }
}

#[test]
fn serve_does_not_ask_for_verified_addresses_that_nobody_can_verify() {
    let with = |more: &[(&'static str, &'static str)]| {
        let variables: Vec<_> = GOOD_SERVE.iter().chain(more).copied().collect();
        load(&sources(Mode::Serve, &variables)).all_problems(Mode::Serve)
    };
    let asks = ("REQUIRE_VERIFIED_EMAIL", "true");
    let problems = with(&[asks]);
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].setting == "SMTP_URL" && problems[0].to_string().contains("nobody can verify"), "{problems:?}");
    assert_eq!(with(&[asks, ("SMTP_URL", "smtp://mail.example.com"), ("MAIL_FROM", "CoinLink <no-reply@example.com>")]), []);
    assert_eq!(with(&[]), [], "mail alone may wait");
    assert!(dev(&[asks]).auth.require_verified_email, "which puts its mail into files");
}

#[test]
fn a_port_that_was_given_by_the_system_is_that_of_our_own_address() {
    let mut settings = dev(&[("PORT", "0")]);
    settings.listens_on(4711);
    assert_eq!(settings.server.public_url, "http://localhost:4711");
    assert_eq!(settings.server.port, 4711);
    let origins = "http://localhost:4711, and any port";
    assert!(settings.origins().to_string().starts_with(origins), "{}", settings.origins());
    let mut settings = dev(&[("PORT", "0"), ("PUBLIC_URL", "https://tunnel.example.com")]);
    settings.listens_on(4711);
    assert_eq!(settings.server.public_url, "https://tunnel.example.com");
    let mut settings = dev(&[]);
    settings.listens_on(8000);
    assert_eq!(settings.server.public_url, "http://localhost:8000");
}

/// Nothing is ever encrypted with a key that nobody chose.
#[test]
fn a_key_that_is_set_and_cannot_be_read_is_refused_in_every_mode() {
    const GOOD: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    let bad = format!("{GOOD},too-short");
    for (name, value) in [("TOTP_ENCRYPTION_KEY", "too-short"), ("TOTP_ENCRYPTION_KEY_PREVIOUS", &bad)] {
        let error = load(&sources(Mode::Dev, &[(name, value)])).into_settings().unwrap_err().to_string();
        assert!(error.contains(name) && error.contains("not 32 bytes") && !error.contains("too-short"), "{error}");
    }
    let two = format!("{GOOD}, AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
    let auth = dev(&[("TOTP_ENCRYPTION_KEY_PREVIOUS", &two)]).auth;
    let keys = keys_bytes(auth.totp_encryption_key_previous.as_ref().unwrap()).unwrap();
    assert_eq!((keys.len(), keys[0][1], keys[1][31]), (2, 0x11, 31));
}

#[test]
fn a_refused_value_is_not_also_called_missing() {
    let variables: Vec<_> =
        GOOD_SERVE.iter().copied().filter(|(name, _)| *name != "PUBLIC_URL").chain([("PUBLIC_URL", "here")]).collect();
    let error = load(&sources(Mode::Serve, &variables)).into_settings().unwrap_err();
    assert_eq!(error.problems.len(), 1, "{error}");
}

#[test]
fn origins_are_exact() {
    for (written, fits) in [
        ("https://app.example.com", true),
        ("http://localhost:3000", true),
        ("https://app.example.com/", false),
        ("https://app.example.com/path", false),
        ("https://*.example.com", false),
        ("https://app.example.com:443", false),
        ("HTTPS://app.example.com", false),
        ("app.example.com", false),
        ("null", false),
    ] {
        let loaded = load(&sources(Mode::Dev, &[("ALLOWED_ORIGINS", written)]));
        assert_eq!(loaded.problems.is_empty(), fits, "{written}");
    }
}

#[test]
fn the_report_masks_secrets_and_names_layers() {
    let mut variables = GOOD_SERVE.to_vec();
    variables.push(("COINGECKO_API_KEY", "CG-visible"));
    let loaded = load(&sources(Mode::Serve, &variables));
    let report = loaded.report(Mode::Serve);
    for secret in ["CG-visible", "0f1e2d3c", "a9s8d7f6", "AAECAw", "u:p@db"] {
        assert!(!report.contains(secret), "{secret}");
        assert!(!format!("{:?}", loaded.settings).contains(secret), "{secret}");
    }
    assert!(report.contains("public_url = \"https://api.example.com\""));
    assert!(report.contains("PUBLIC_URL (PUBLIC_URL)") && report.contains("No problems."));
    let dev = load(&sources(Mode::Dev, &[])).report(Mode::Dev);
    assert!(dev.contains("host = \"127.0.0.1\"") && dev.contains("HOST (default of dev)"), "{dev}");
    assert!(load(&sources(Mode::Dev, &[])).report(Mode::Serve).contains("JWT_SECRET_KEY is missing"));
}

#[test]
fn dev_secrets_are_made_once_for_this_user_only() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data").display().to_string();
    let first = dev(&[("DATA_DIR", &data)]).with_dev_secrets().unwrap().auth;
    let second = dev(&[("DATA_DIR", &data)]).with_dev_secrets().unwrap().auth;
    let exposed = |auth: &Auth| {
        [&auth.jwt_secret_key, &auth.password_pepper, &auth.totp_encryption_key]
            .map(|s| s.as_ref().unwrap().expose_secret().to_owned())
    };
    assert_eq!(exposed(&first), exposed(&second));
    assert_eq!(exposed(&first).into_iter().collect::<BTreeSet<_>>().len(), 3);
    let mode = |path: &str| std::fs::metadata(format!("{data}/{path}")).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("secrets"), mode("secrets/jwt_secret_key")), (0o700, 0o600));
    assert_eq!(std::fs::read_dir(format!("{data}/secrets")).unwrap().count(), 3);
}

#[test]
fn a_secret_that_is_set_is_not_made() {
    const MINE: &str = "a-secret-of-my-own-that-is-long-enough";
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().display().to_string();
    let settings = dev(&[("DATA_DIR", &data), ("JWT_SECRET_KEY", MINE)]).with_dev_secrets().unwrap();
    assert_eq!(settings.auth.jwt_secret_key.unwrap().expose_secret(), MINE);
    assert!(!folder.path().join("secrets/jwt_secret_key").exists());
}

#[test]
fn a_damaged_or_exposed_dev_secret_is_a_clear_error() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().display().to_string();
    let start = || dev(&[("DATA_DIR", &data)]).with_dev_secrets();
    start().unwrap();
    let path = folder.path().join("secrets/password_pepper");
    for damage in ["", "abc", "not hex at all, but sixty-four characters long, as it should be.", "\u{0}"] {
        std::fs::write(&path, damage).unwrap();
        let said = start().unwrap_err().to_string();
        assert!(said.contains("password_pepper is damaged") && said.contains("remove it"), "{said}");
    }
    std::fs::write(&path, "0".repeat(64)).unwrap();
    std::fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    assert!(start().unwrap_err().to_string().contains("chmod 600"));
}

proptest! {
    #[test]
    fn no_text_of_a_variable_or_file_panics(text in ".{0,80}", at in 0..SETTINGS.len()) {
        let entry = &SETTINGS[at];
        if let Ok(value) = entry.kind.parse(&text) {
            prop_assert_eq!(entry.kind.accept(value.clone()), Ok(value), "{}", entry.path);
        }
    }
}

#[test]
fn secrets_that_can_be_guessed_are_refused_in_dev_too() {
    let error = load(&sources(Mode::Dev, &[("JWT_SECRET_KEY", "short")])).into_settings().unwrap_err().to_string();
    assert_eq!(error.matches("JWT_SECRET_KEY is shorter than 32 bytes").count(), 1, "{error}");
    let error = load(&sources(Mode::Serve, &[("JWT_SECRET_KEY", "short")])).into_settings().unwrap_err().to_string();
    assert_eq!(error.matches("JWT_SECRET_KEY is").count(), 1, "said once: {error}");
}

#[test]
fn a_session_cannot_be_idle_for_longer_than_it_lasts() {
    let variables = [("REFRESH_TOKEN_TTL_DAYS", "31")];
    let error = load(&sources(Mode::Dev, &variables)).into_settings().unwrap_err().to_string();
    assert!(error.contains("REFRESH_TOKEN_TTL_DAYS is longer than SESSION_MAX_DAYS"), "{error}");
}

#[test]
fn a_level_that_is_none_is_refused_and_does_not_silence_the_log() {
    for level in ["loud", "inof", "warn,coinlink", "info,,"] {
        let error = load(&sources(Mode::Dev, &[("LOG_LEVEL", level)])).into_settings().unwrap_err().to_string();
        assert!(error.contains("write error, warn, info"), "{level}: {error}");
    }
    for level in ["WARN", "off", "warn,coinlink=debug", "info,actix_http=off"] {
        assert_eq!(dev(&[("LOG_LEVEL", level)]).log.level, level);
    }
}

#[test]
fn a_mail_server_needs_a_sender_and_a_url_that_makes_sense() {
    let problems = |mode, more: &[(&'static str, &'static str)]| {
        let variables: Vec<_> = GOOD_SERVE.iter().chain(more).copied().collect();
        load(&sources(mode, &variables)).all_problems(mode).iter().map(|problem| problem.setting.clone()).collect::<Vec<_>>()
    };
    let from = ("MAIL_FROM", "CoinLink <no-reply@example.com>");
    assert_eq!(problems(Mode::Serve, &[("SMTP_URL", "smtp://u:p@mail.example.com"), from]), [] as [&str; 0]);
    assert_eq!(problems(Mode::Serve, &[("SMTP_URL", "smtp://mail.example.com")]), ["MAIL_FROM"]);
    assert_eq!(problems(Mode::Dev, &[("SMTP_URL", "smtp://mail.example.com")]), [] as [&str; 0]);
    for url in ["smtp://hunter2@mail.example.com", "smtps://mail.example.com?tls=none", "smtp://mail.example.com?pool=3"] {
        assert_eq!(problems(Mode::Serve, &[("SMTP_URL", url), from]), ["SMTP_URL"], "{url}");
    }
    assert_eq!(dev(&[]).mail.from, "CoinLink <no-reply@localhost>");
}

#[test]
fn a_language_model_has_a_name() {
    let problems = |more: &[(&'static str, &'static str)]| {
        let variables: Vec<_> = GOOD_SERVE.iter().chain(more).copied().collect();
        let problems = load(&sources(Mode::Serve, &variables)).all_problems(Mode::Serve);
        problems.iter().map(|problem| problem.setting.clone()).collect::<Vec<_>>()
    };
    assert_eq!(problems(&[("LLM_BASE_URL", "http://127.0.0.1:11434/v1"), ("LLM_MODEL", "llama3:8b")]), [] as [&str; 0]);
    assert_eq!(problems(&[("LLM_BASE_URL", "http://127.0.0.1:11434/v1")]), ["LLM_MODEL"]);
    assert_eq!(problems(&[("LLM_API_KEY", "sk-1")]), [] as [&str; 0]);
}
