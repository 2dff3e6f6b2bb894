//! Dependencies point inwards. What a layer may use is this table; a change to it is an ADR in `docs/adr`.

use cargo_metadata::{DependencyKind, MetadataCommand};
use std::collections::BTreeMap;

struct Rule {
    layer: &'static str,
    /// Layers of this workspace it may use; `*` = any.
    ours: &'static [&'static str],
    /// Crates from outside it may use; `*` = any.
    others: &'static [&'static str],
}

const RULES: &[Rule] = &[
    // hmac, sha2, zeroize: ADR 0004.
    Rule { layer: "domain", ours: &[], others: &["hmac", "rust_decimal", "sha2", "thiserror", "time", "uuid", "zeroize"] },
    Rule { layer: "ports", ours: &["domain"], others: &["async-trait", "thiserror", "time", "uuid"] },
    // futures-util: ADR 0002.
    Rule { layer: "application", ours: &["domain", "ports"], others: &["futures-util", "thiserror", "time", "tracing", "uuid"] },
    // adapter-support: ADR 0001.
    Rule { layer: "adapter", ours: &["domain", "ports", "adapter-support"], others: &["*"] },
    Rule { layer: "adapter-support", ours: &["domain", "ports"], others: &["*"] },
    Rule { layer: "migration", ours: &[], others: &["sea-orm-migration"] },
    Rule {
        layer: "server",
        ours: &["domain", "ports", "application", "adapter", "adapter-support", "migration"],
        others: &["*"],
    },
    Rule { layer: "testkit", ours: &["*"], others: &["*"] },
    Rule { layer: "tool", ours: &["*"], others: &["*"] },
];

struct Package {
    name: String,
    layer: String,
    /// What it is built with: normal and build dependencies.
    uses: Vec<String>,
}

fn violations(packages: &[Package]) -> Vec<String> {
    let layer_of: BTreeMap<_, _> = packages.iter().map(|package| (package.name.as_str(), package.layer.as_str())).collect();
    packages.iter().flat_map(|package| violations_of(package, &layer_of)).collect()
}

fn violations_of(Package { name, layer, uses }: &Package, layer_of: &BTreeMap<&str, &str>) -> Vec<String> {
    let Some(rule) = RULES.iter().find(|rule| rule.layer == layer) else {
        return vec![format!("{name}: unknown layer {layer:?}")];
    };
    let allows = |list: &[&str], wanted: &str| list.contains(&"*") || list.contains(&wanted);
    uses.iter()
        .filter_map(|used| match layer_of.get(used.as_str()) {
            Some(to) => (!allows(rule.ours, to)).then(|| format!("{name} ({layer}) must not use {used} ({to})")),
            None => (!allows(rule.others, used)).then(|| format!("{name} ({layer}) must not use the outside crate {used}")),
        })
        .collect()
}

fn workspace() -> Vec<Package> {
    let manifest = coinlink_architecture_tests::root().join("Cargo.toml");
    let metadata = MetadataCommand::new().manifest_path(manifest).no_deps().exec().expect("cargo metadata reads the workspace");
    let packages = metadata.workspace_packages();
    packages
        .iter()
        .map(|package| Package {
            name: package.name.to_string(),
            layer: package.metadata["architecture"]["layer"].as_str().unwrap_or("").to_owned(),
            uses: package
                .dependencies
                .iter()
                .filter(|dependency| dependency.kind != DependencyKind::Development)
                .map(|dependency| dependency.name.clone())
                .collect(),
        })
        .collect()
}

#[test]
fn dependencies_point_inwards() {
    assert_eq!(violations(&workspace()), Vec::<String>::new());
}

#[test]
fn every_layer_of_the_table_is_there_to_be_checked() {
    let packages = workspace();
    for rule in RULES {
        assert!(packages.iter().any(|package| package.layer == rule.layer), "no crate says it is of layer {}", rule.layer);
    }
}

#[test]
fn an_outward_edge_a_foreign_crate_a_sideways_edge_and_a_missing_layer_are_caught() {
    let package = |name: &str, layer: &str, uses: &[&str]| Package {
        name: name.to_owned(),
        layer: layer.to_owned(),
        uses: uses.iter().map(|&used| used.to_owned()).collect(),
    };
    let found = violations(&[
        package("domain", "domain", &["pg", "sqlx", "time"]),
        package("application", "application", &["domain", "tokio", "upstream"]),
        package("pg", "adapter", &["domain", "redis", "upstream", "application"]),
        package("redis", "adapter", &["domain", "fred"]),
        package("upstream", "adapter-support", &["domain", "redis", "reqwest"]),
        package("schema", "migration", &["domain", "sea-orm-migration"]),
        package("kit", "testkit", &["domain", "tokio"]),
        package("server", "server", &["application", "pg", "kit"]),
        package("stray", "", &[]),
    ]);
    assert_eq!(
        found,
        [
            "domain (domain) must not use pg (adapter)",
            "domain (domain) must not use the outside crate sqlx",
            "application (application) must not use the outside crate tokio",
            "application (application) must not use upstream (adapter-support)",
            "pg (adapter) must not use redis (adapter)",
            "pg (adapter) must not use application (application)",
            "upstream (adapter-support) must not use redis (adapter)",
            "schema (migration) must not use domain (domain)",
            "server (server) must not use kit (testkit)",
            "stray: unknown layer \"\"",
        ]
    );
}
