//! What the program is made of: safe Rust, libraries of one registry, and no mode that shows more than it should.

use std::collections::BTreeSet;

use coinlink_architecture_tests::{read, root};
use toml::{Table, Value};

fn toml(path: &str) -> Table {
    read(&root().join(path)).parse().unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Manifests of the workspace's crates, each with its folder.
fn manifests() -> Vec<(String, Table)> {
    let members = toml("Cargo.toml")["workspace"]["members"].as_array().expect("the workspace lists its members").clone();
    let mut found = Vec::new();
    for member in members.iter().filter_map(Value::as_str) {
        let Some(folder) = member.strip_suffix("/*") else {
            found.push(member.to_owned());
            continue;
        };
        let entries = std::fs::read_dir(root().join(folder)).expect("the members' folder is there");
        let names = entries.flatten().filter(|entry| entry.path().join("Cargo.toml").is_file());
        found.extend(names.map(|entry| format!("{folder}/{}", entry.file_name().display())));
    }
    assert!(found.len() > 20, "{found:?}");
    found.sort();
    found.into_iter().map(|member| (member.clone(), toml(&format!("{member}/Cargo.toml")))).collect()
}

#[test]
fn no_crate_of_ours_can_hold_unsafe_code() {
    // `forbid` is what no `#[expect]` further in can take back; that every crate inherits it is checked with the manifests.
    assert_eq!(toml("Cargo.toml")["workspace"]["lints"]["rust"]["unsafe_code"].as_str(), Some("forbid"));
    for (member, manifest) in manifests() {
        assert!(!root().join(&member).join("build.rs").exists(), "{member} runs code of its own while it is built");
        let package = manifest["package"].as_table().expect("a package");
        assert!(!package.contains_key("build") && !package.contains_key("links"), "{member}");
        let kinds = manifest.get("lib").and_then(|lib| lib.get("crate-type"));
        assert!(kinds.is_none(), "{member} is called from another language");
    }
}

#[test]
fn every_library_is_of_the_one_registry_and_has_its_checksum() {
    let lock = toml("Cargo.lock");
    let ours: BTreeSet<String> =
        manifests().iter().map(|(_, manifest)| manifest["package"]["name"].as_str().expect("a name").to_owned()).collect();
    let mut libraries = 0;
    for package in lock["package"].as_array().expect("packages") {
        let said = |name: &str| package.get(name).and_then(Value::as_str);
        let name = said("name").expect("a name");
        if said("source").is_none() {
            assert!(ours.contains(name), "{name} is of a folder that is not the workspace's");
            continue;
        }
        assert_eq!(said("source"), Some("registry+https://github.com/rust-lang/crates.io-index"), "{name}");
        assert!(said("checksum").is_some_and(|checksum| checksum.len() == 64), "{name}");
        libraries += 1;
    }
    assert!(libraries > 100, "only {libraries} libraries were found");
    let deny = toml("deny.toml");
    for rule in ["unknown-registry", "unknown-git"] {
        assert_eq!(deny["sources"][rule].as_str(), Some("deny"), "{rule}");
    }
}

/// Features of libraries that print or tell more than a server should.
const TALKATIVE: [&str; 4] = ["debug", "debug-print", "test-util", "dangerous"];

#[test]
fn nothing_can_be_switched_on_that_shows_more_than_it_should() {
    for (member, manifest) in manifests() {
        let features = manifest.get("features").and_then(Value::as_table).into_iter().flatten().map(|(name, _)| name);
        let shows: Vec<_> = features.filter(|name| name.contains("debug") || name.contains("insecure")).collect();
        assert_eq!(shows, Vec::<&String>::new(), "{member}");
    }
    for (name, wanted) in toml("Cargo.toml")["workspace"]["dependencies"].as_table().expect("dependencies") {
        for feature in wanted.get("features").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
            assert!(!TALKATIVE.contains(&feature), "{name} has {feature}");
        }
    }
    for file in ["config/default.toml", "config/production.toml", "config/strict.toml"] {
        for (section, settings) in &toml(file) {
            for (name, value) in settings.as_table().into_iter().flatten() {
                assert!(!name.contains("debug") && !name.contains("insecure"), "{file}: {section}.{name}");
                let closest = ["debug", "trace"].iter().any(|level| value.as_str() == Some(level));
                assert!(!closest, "{file}: {section}.{name} = {value}");
            }
        }
    }
    assert_eq!(toml("config/default.toml")["log"]["level"].as_str(), Some("info"));
}

#[test]
fn a_build_for_tests_and_one_for_servers_do_the_same() {
    let mut found = Vec::new();
    for (name, source) in crate::shipped_sources() {
        if source.contains("debug_assertions") || source.contains("cfg!(test)") {
            found.push(name);
        }
    }
    assert_eq!(found, Vec::<String>::new());
}

/// The named part of a page, up to the next title of its kind.
fn rows<'a>(page: &'a str, first: &str) -> Vec<&'a str> {
    page.lines().filter(|line| line.starts_with(&format!("| {first}"))).collect()
}

#[test]
fn the_page_of_security_says_when_libraries_are_mended_and_renewed() {
    let page = read(&root().join("SECURITY.md"));
    for (what, by) in [("critical or high", "within 7 days"), ("medium", "within 30 days"), ("low", "with the next release")] {
        let rows = rows(&page, what);
        assert!(rows.len() == 1 && rows[0].contains(by), "{what}: {rows:?}");
    }
    assert_eq!(rows(&page, "critical or high, in our code or a library").len(), 1);
    // Who offers newer ones, and how often, is what Dependabot's file says.
    let offers = read(&root().join(".github/dependabot.yml"));
    let of_cargo =
        offers.split("package-ecosystem: ").find(|part| part.starts_with("cargo")).expect("libraries are looked after");
    let said = rows(&page, "newer releases of libraries, without a hole");
    let every = if of_cargo.contains("interval: weekly") { "offered weekly" } else { "another time" };
    assert!(said.len() == 1 && said[0].contains(every), "{said:?}");
}
