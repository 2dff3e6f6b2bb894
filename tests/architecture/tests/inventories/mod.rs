//! Lists that documents keep of what the code does: whom it calls, and what it writes down.

mod places;

use std::collections::{BTreeMap, BTreeSet};

use coinlink_architecture_tests::{read, root};
use places::{hosts_in, opened_in, targets_in};
use toml::Table;

fn page(name: &str) -> String {
    read(&root().join("docs").join(name))
}

/// The rows of the first table under a title, each cut into its cells.
fn table<'a>(page: &'a str, title: &str) -> Vec<Vec<&'a str>> {
    let part = page.split(&format!("\n## {title}\n")).nth(1).unwrap_or_else(|| panic!("there is no part {title}"));
    let part = part.split("\n## ").next().unwrap_or(part);
    let rows = part.lines().skip_while(|line| !line.starts_with("| ")).take_while(|line| line.starts_with('|'));
    let rows = rows.filter(|line| line.starts_with("| ")).skip(1);
    rows.map(|row| row.trim_matches('|').split(" | ").map(str::trim).collect()).collect()
}

fn quoted(cell: &str) -> BTreeSet<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

#[test]
fn every_address_of_the_defaults_is_in_the_list_of_connections() {
    let text = read(&root().join("config/default.toml"));
    let defaults: Table = text.parse().expect("the defaults are TOML");
    let page = page("connections.md");
    let rows = table(&page, "Outgoing");
    let mut addresses = 0;
    for (section, settings) in &defaults {
        for (name, value) in settings.as_table().into_iter().flatten() {
            let is_address = ["url", "dsn", "endpoint"].iter().any(|end| name.ends_with(end));
            let host =
                value.as_str().and_then(|value| value.split_once("://")).map(|(_, rest)| rest.split('/').next().unwrap_or(rest));
            assert!(is_address || host.is_none(), "{section}.{name} holds an address, and is not called so");
            if !is_address {
                continue;
            }
            let within = text.split(&format!("\n[{section}]")).nth(1).expect("the section is there");
            let line = within.lines().find(|line| line.starts_with(&format!("{name} = "))).expect("the setting is there");
            let variable =
                line.split("# ").nth(1).and_then(|said| said.split([' ', '.', ',']).next()).expect("it has a variable");
            let row = rows.iter().find(|row| quoted(row[2]).contains(variable));
            let row = row.unwrap_or_else(|| panic!("docs/connections.md does not name {variable}"));
            match host {
                Some(host) => assert!(quoted(row[1]).contains(host), "{variable}: {row:?}"),
                None => assert!(value.as_str() == Some(""), "{section}.{name}"),
            }
            addresses += 1;
        }
    }
    assert!(addresses > 12, "only {addresses} were found");
}

/// Sources whose addresses are shown or compared with, and never called.
const SHOWN: &[&str] = &[
    "crates/domain/src/market/primers.rs",
    "crates/server/src/http/home.rs",
    "crates/server/src/command/verify/headers.rs",
    "crates/server/src/command/verify/headers_cors.rs",
];

#[test]
fn no_source_names_a_host_that_is_not_in_the_list_of_connections() {
    let page = page("connections.md");
    let listed: BTreeSet<&str> = table(&page, "Outgoing").iter().flat_map(|row| quoted(row[1])).collect();
    let (mut unknown, mut shown) = (BTreeSet::new(), BTreeSet::new());
    for (file, source) in crate::shipped_sources() {
        let hosts = hosts_in(&source);
        if SHOWN.contains(&file.as_str()) {
            shown.extend((!hosts.is_empty()).then_some(file));
            continue;
        }
        let is_nobodys = |host: &str| {
            let local = ["localhost", "127.0.0.1", "0.0.0.0", "[::1]", "host", "collector", "unused"];
            local.contains(&host) || host.ends_with(".invalid") || host.contains("example") || host.contains(['{', '<', '…'])
        };
        unknown.extend(
            hosts
                .into_iter()
                .filter(|host| !listed.contains(host.as_str()) && !is_nobodys(host))
                .map(|host| format!("{file}: {host}")),
        );
    }
    assert_eq!(unknown, BTreeSet::new(), "docs/connections.md is to list them");
    assert_eq!(shown.len(), SHOWN.len(), "these need no mention any more: {SHOWN:?} but {shown:?}");
}

/// Places that open connections, and which row of the list they are.
const OPENED: &[(&str, &str)] = &[
    ("crates/adapters/mail/src/smtp/mod.rs", "mail"),
    ("crates/adapters/postgres/src/migration_lock.rs", "PostgreSQL"),
    ("crates/adapters/postgres/src/pool.rs", "PostgreSQL"),
    ("crates/adapters/redis/src/follower.rs", "Redis"),
    ("crates/adapters/redis/src/link.rs", "Redis"),
    ("crates/adapters/upstream/src/client.rs", "CoinGecko"),
    ("crates/adapters/upstream/src/socket.rs", "Coinbase's socket"),
    ("crates/adapters/webhooks/src/lookup.rs", "names"),
    ("crates/adapters/webhooks/src/sender.rs", "webhooks"),
    ("crates/server/src/command/healthcheck.rs", ""),
    ("crates/server/src/command/verify/client.rs", ""),
    ("crates/server/src/jobs/certificate.rs", "the server itself"),
    ("crates/server/src/telemetry/error_reports.rs", "reports of errors"),
    ("crates/server/src/telemetry/traces/mod.rs", "traces"),
];

#[test]
fn nothing_opens_a_connection_but_what_the_list_of_connections_says() {
    let opened: BTreeSet<String> =
        crate::shipped_sources().into_iter().filter(|(_, source)| opened_in(source)).map(|(file, _)| file).collect();
    assert_eq!(opened, OPENED.iter().map(|(file, _)| (*file).to_owned()).collect(), "docs/connections.md has a row for each");
    let page = page("connections.md");
    let rows = table(&page, "Outgoing");
    for (file, what) in OPENED.iter().filter(|(_, what)| !what.is_empty()) {
        let row = rows.iter().find(|row| row[0] == *what).unwrap_or_else(|| panic!("no row is called {what}"));
        let folder = file.split("/src/").next().and_then(|folder| folder.rsplit('/').next()).expect("a source is in src");
        assert!(quoted(row[4]).contains(folder), "{file}: {row:?}");
    }
}

#[test]
fn the_list_of_logs_names_everything_that_is_written_down() {
    let page = page("observability.md");
    let rows = table(&page, "What is written where");
    for row in &rows {
        assert!(row.len() == 6 && row.iter().all(|cell| !cell.is_empty()), "{row:?}");
    }
    let named: BTreeSet<&str> = rows.iter().flat_map(|row| quoted(row[0])).collect();
    let mut targets = BTreeMap::new();
    for (file, source) in crate::shipped_sources() {
        targets.extend(targets_in(&source).into_iter().map(|target| (target, file.clone())));
    }
    assert!(targets.contains_key("coinlink::http"), "{targets:?}");
    // The spans of requests are for traces, and are on lines as ids.
    for (target, file) in targets.iter().filter(|(target, _)| *target != "coinlink::request") {
        assert!(named.contains(target.as_str()), "{file} logs as {target}");
    }
    for kept in ["audit_log", "coinlink", "OTEL_EXPORTER_OTLP_ENDPOINT", "SENTRY_DSN", "proxy"] {
        assert!(named.contains(kept), "{kept} is in no row");
    }
}

#[test]
fn the_log_goes_to_standard_output_and_nowhere_else() {
    let mut writers = BTreeSet::new();
    for (file, source) in crate::shipped_sources() {
        for elsewhere in ["rolling", "RollingFileAppender", "journald", "syslog", "tracing_appender::non_blocking("] {
            assert!(
                !source.contains(&format!("tracing_appender::{elsewhere}")) && !source.contains(&format!("{elsewhere}::")),
                "{file}: {elsewhere}"
            );
        }
        let source = source.split("#[cfg(test)]").next().unwrap_or(&source);
        if ["NonBlocking::new(", "with_writer(", "set_global_default("].iter().any(|way| source.contains(way)) {
            writers.insert(file);
        }
    }
    assert_eq!(writers.into_iter().collect::<Vec<_>>(), ["crates/server/src/telemetry/logs.rs"]);
    let logs = read(&root().join("crates/server/src/telemetry/logs.rs"));
    assert_eq!(logs.matches("NonBlocking::new(").count(), logs.matches("NonBlocking::new(stdout())").count());
    let lock: Table = read(&root().join("Cargo.lock")).parse().expect("the lock file is TOML");
    let packages = lock["package"].as_array().expect("packages").iter().filter_map(|package| package["name"].as_str());
    let known = [
        "tracing",
        "tracing-appender",
        "tracing-attributes",
        "tracing-core",
        "tracing-opentelemetry",
        "tracing-serde",
        "tracing-subscriber",
    ];
    let others: Vec<_> =
        packages.filter(|name| name.starts_with("tracing") || name.contains("syslog") || name.contains("journal")).collect();
    assert_eq!(others, known, "another library takes lines somewhere: docs/observability.md is to list where to");
}

#[test]
fn the_list_of_data_says_how_each_class_is_protected() {
    let page = page("data.md");
    let classes = table(&page, "Classes");
    assert!(classes.len() >= 4);
    for class in &classes {
        assert!(class.len() == 7 && class.iter().all(|cell| !cell.is_empty()), "{class:?}");
    }
    let names: BTreeSet<&str> = classes.iter().flat_map(|class| quoted(class[0])).collect();
    let tables = table(&page, "Tables");
    let used: BTreeSet<&str> = tables.iter().flat_map(|row| quoted(row[1])).collect();
    assert_eq!(used, names, "each class has a table, and each table a class");
    for row in tables {
        assert!(row.len() == 4 && !quoted(row[1]).is_empty() && row.iter().all(|cell| !cell.is_empty()), "{row:?}");
    }
}
