//! Inside a layer a context names only itself, `shared`, and what it is granted. A new grant is an ADR in `docs/adr`.

mod names;

use coinlink_architecture_tests::{read, root, rust_files};
use names::{Named, named_in};
use std::{fs, path::Path};

const CONTEXTS: &[&str] = &["identity", "market", "portfolio", "assistant", "mining", "notifications", "operations"];

/// (context, contexts it may name). `shared` is granted to all and is granted nothing.
const GRANTS: &[(&str, &[&str])] =
    &[("portfolio", &["market"]), ("notifications", &["market"]), ("assistant", &["market", "portfolio", "notifications"])];

/// Operations watches over everything: outside the domain it reads the ports of every context.
const WATCHED_BY_OPERATIONS: &[&str] = &["identity", "market", "portfolio", "assistant", "mining", "notifications"];

/// Folders that hold contexts, and whether operations may name the others there.
const LAYERS: &[(&str, bool)] = &[
    ("crates/domain/src", false),
    ("crates/ports/src", false),
    ("crates/application/src", true),
    ("crates/adapters/postgres/src", false),
    ("crates/server/src/http", true),
];

/// Layers whose every folder is a context or `shared`, so that no code escapes the grants.
const WHOLLY_CONTEXTS: &[&str] = &["crates/domain/src", "crates/ports/src", "crates/application/src"];

fn granted(context: &str, operations_watch: bool) -> Vec<&'static str> {
    if context == "operations" && operations_watch {
        return WATCHED_BY_OPERATIONS.to_vec();
    }
    GRANTS.iter().filter(|(holder, _)| *holder == context).flat_map(|(_, granted)| granted.iter().copied()).collect()
}

/// What the source of a module of `context` names that it must not.
fn foreign(context: &str, module: &[&str], source: &str, granted: &[&str]) -> Vec<String> {
    named_in(module, source)
        .into_iter()
        .filter_map(|named| match named {
            Named::WholeCrate(root) => Some(format!("all of {root}")),
            Named::Module(other) => {
                (CONTEXTS.contains(&other.as_str()) && other != context && !granted.contains(&other.as_str())).then_some(other)
            }
        })
        .collect()
}

/// `market/ticker.rs` is the module `market::ticker`, `market/mod.rs` is `market`.
fn module_of(file: &Path, layer: &Path) -> Vec<String> {
    let inside = file.strip_prefix(layer).expect("the file was found in the layer").with_extension("");
    let mut module: Vec<String> = inside.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if module.last().is_some_and(|last| last == "mod") {
        module.pop();
    }
    module
}

#[test]
fn contexts_name_only_what_they_are_granted() {
    let mut found = Vec::new();
    let mut checked = 0;
    for &(folder, operations_watch) in LAYERS {
        let layer = root().join(folder);
        for &context in CONTEXTS.iter().chain(&["shared"]) {
            let mut files = rust_files(&layer.join(context));
            files.extend(Some(layer.join(context).with_extension("rs")).filter(|file| file.is_file()));
            let granted = granted(context, operations_watch);
            for file in files {
                checked += 1;
                let module = module_of(&file, &layer);
                let module: Vec<&str> = module.iter().map(String::as_str).collect();
                for other in foreign(context, &module, &read(&file), &granted) {
                    found.push(format!("{}: {context} must not name {other}", file.display()));
                }
            }
        }
    }
    assert_eq!(found, Vec::<String>::new());
    assert!(checked > 20, "only {checked} files were found: did the folders move?");
}

#[test]
fn inner_layers_hold_nothing_but_contexts_and_shared() {
    let strays: Vec<String> = WHOLLY_CONTEXTS.iter().flat_map(|layer| strays(&root().join(layer))).collect();
    assert_eq!(strays, Vec::<String>::new());
}

fn strays(layer: &Path) -> Vec<String> {
    let entries = fs::read_dir(layer).expect("the layer's folder is there").flatten();
    let names =
        entries.map(|entry| entry.path().with_extension("").file_name().unwrap_or_default().to_string_lossy().into_owned());
    names
        .filter(|name| name != "lib" && name != "shared" && !CONTEXTS.contains(&name.as_str()))
        .map(|name| format!("{}/{name} is neither a context nor shared", layer.display()))
        .collect()
}

/// A context that can be reached from itself through the grants.
fn circular(grants: &[(&'static str, &[&'static str])]) -> Option<&'static str> {
    let reach = |start: &'static str| {
        let mut reached: Vec<&str> = Vec::new();
        let mut open = vec![start];
        while let Some(context) = open.pop() {
            for &next in grants.iter().filter(|(holder, _)| *holder == context).flat_map(|(_, granted)| *granted) {
                if !reached.contains(&next) {
                    reached.push(next);
                    open.push(next);
                }
            }
        }
        reached
    };
    grants.iter().map(|&(context, _)| context).find(|&context| reach(context).contains(&context))
}

#[test]
fn the_grants_make_no_circle() {
    assert_eq!(circular(GRANTS), None);
    assert_eq!(circular(&[("a", &["b"]), ("b", &["c"]), ("c", &["a"])]), Some("a"));
}

#[test]
fn grouped_imports_inline_paths_and_macro_arguments_are_all_seen() {
    let source = "
        use coinlink_domain::{identity::UserId, market::{Price, Candle as C}};
        fn f() -> crate::mining::Rig { assert!(matches!(x, coinlink_ports::notifications::Mail { .. })); }";
    assert_eq!(foreign("portfolio", &["portfolio", "holdings"], source, &["market"]), ["identity", "mining", "notifications"]);
}

#[test]
fn a_relative_path_is_followed_to_where_it_leads() {
    let source = "use super::super::mining::Rig; use super::lots::Lot; use self::inner::X; mod inner { use super::super::super::identity; }";
    assert_eq!(foreign("portfolio", &["portfolio", "holdings"], source, &[]), ["mining", "identity"]);
}

#[test]
fn taking_a_whole_crate_by_another_name_is_no_way_around() {
    for source in ["use coinlink_domain as d;", "use coinlink_domain::*;", "use crate::{self as root};"] {
        assert_eq!(foreign("market", &["market"], source, &[]).len(), 1, "{source}");
    }
}

#[test]
fn in_the_server_contexts_are_under_http() {
    let source = "use crate::http::portfolio::Holding; use crate::wiring::market;";
    assert_eq!(foreign("market", &["market"], source, &[]), ["portfolio"]);
}

#[test]
fn shared_is_granted_nothing_and_operations_watches_only_outside_the_domain() {
    let source = "use crate::market::Ticker;";
    assert_eq!(foreign("shared", &["shared"], source, &granted("shared", true)), ["market"]);
    assert_eq!(foreign("operations", &["operations"], source, &granted("operations", false)), ["market"]);
    assert_eq!(foreign("operations", &["operations"], source, &granted("operations", true)), Vec::<String>::new());
}

#[test]
fn a_folder_that_is_no_context_is_caught() {
    // The server has folders of its own, so it makes a layer with strays.
    assert!(!strays(&root().join("crates/server/src")).is_empty());
}
