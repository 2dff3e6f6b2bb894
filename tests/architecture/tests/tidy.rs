//! Tidiness that no linter checks: file length, the size of `shared`, what every manifest inherits, and the channel trap.

mod channel_trap;
mod length;
mod named_tests;

use channel_trap::lag_ends_the_loop;
use coinlink_architecture_tests::{read, root, rust_files};
use length::lines_without_tests;
use named_tests::{Tests, named_in};
use std::path::{Path, PathBuf};
use toml::{Table, Value};

const LONGEST_FILE: usize = 400;

/// The share of the domain's lines that may be in `shared`, per cent. It is vocabulary; what grows here wants a context.
const LARGEST_SHARED_SHARE: usize = 45;

fn members() -> Vec<PathBuf> {
    let workspace: Table = read(&root().join("Cargo.toml")).parse().expect("the root manifest is TOML");
    let listed = workspace["workspace"]["members"].as_array().expect("the workspace lists its members");
    let mut members = Vec::new();
    for member in listed.iter().filter_map(Value::as_str) {
        if let Some(folder) = member.strip_suffix("/*") {
            let entries = std::fs::read_dir(root().join(folder)).expect("the members' folder is there");
            members.extend(entries.flatten().map(|entry| entry.path()).filter(|path| path.join("Cargo.toml").is_file()));
        } else {
            members.push(root().join(member));
        }
    }
    members
}

/// Sources that are shipped, and those of the tools; not a crate's own `tests/` folder.
fn sources() -> Vec<PathBuf> {
    members().iter().flat_map(|member| rust_files(&member.join("src"))).filter(|file| !file.ends_with("tests.rs")).collect()
}

fn own_lines(file: &Path) -> usize {
    lines_without_tests(&read(file))
}

#[test]
fn no_file_is_longer_than_a_reader_can_hold() {
    let long: Vec<String> = sources()
        .iter()
        .map(|file| (file, own_lines(file)))
        .filter(|&(_, lines)| lines > LONGEST_FILE)
        .map(|(file, lines)| format!("{}: {lines} lines", file.display()))
        .collect();
    assert_eq!(long, Vec::<String>::new());
}

#[test]
fn a_line_counts_unless_it_is_a_test() {
    let source = "fn a() {}\n\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\n\nfn c() {}\n";
    assert_eq!(lines_without_tests(source), 4);
    assert_eq!(lines_without_tests(&"fn a() {}\n".repeat(LONGEST_FILE + 1)), LONGEST_FILE + 1);
}

#[test]
fn shared_stays_a_vocabulary() {
    let domain = root().join("crates/domain/src");
    let lines = |folder: &Path| -> usize { rust_files(folder).iter().map(|file| own_lines(file)).sum() };
    let (shared, all) = (lines(&domain.join("shared")), lines(&domain));
    assert!(shared > 0, "domain/src/shared is where the domain's vocabulary is");
    assert!(shared * 100 <= all * LARGEST_SHARED_SHARE, "shared has {shared} of the domain's {all} lines");
}

/// What is wrong with a member's manifest.
fn manifest_faults(manifest: &str) -> Vec<String> {
    let manifest: Table = manifest.parse().expect("the manifest is TOML");
    let mut faults = Vec::new();
    if manifest.get("lints").and_then(|lints| lints.get("workspace")).and_then(Value::as_bool) != Some(true) {
        faults.push("does not inherit the workspace's lints".to_owned());
    }
    for table in ["dependencies", "dev-dependencies", "build-dependencies"] {
        for (name, wanted) in manifest.get(table).and_then(Value::as_table).into_iter().flatten() {
            if wanted.get("workspace").and_then(Value::as_bool) != Some(true) {
                faults.push(format!("says itself which {name} it wants"));
            }
        }
    }
    faults
}

#[test]
fn every_crate_inherits_the_workspace_lints_and_versions() {
    let members = members();
    assert!(members.len() > 10, "only {} members were found", members.len());
    let faults: Vec<String> = members
        .iter()
        .flat_map(|member| {
            let faults = manifest_faults(&read(&member.join("Cargo.toml")));
            faults.into_iter().map(|fault| format!("{} {fault}", member.display())).collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(faults, Vec::<String>::new());
}

#[test]
fn a_manifest_with_lints_or_versions_of_its_own_is_caught() {
    let manifest = "[lints]\nrust = {}\n[dependencies]\ntime = \"0.3\"\nuuid.workspace = true\n[dev-dependencies]\nserde = { version = \"1\" }";
    assert_eq!(
        manifest_faults(manifest),
        ["does not inherit the workspace's lints", "says itself which time it wants", "says itself which serde it wants"]
    );
}

#[test]
fn no_loop_ends_because_a_receiver_lagged() {
    let mut found = Vec::new();
    for file in members().iter().flat_map(|member| rust_files(member)) {
        for line in lag_ends_the_loop(&read(&file)) {
            found.push(format!("{}:{line}: a lagged receiver ends this loop", file.display()));
        }
    }
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn every_spelling_of_the_channel_trap_is_caught() {
    let trap = |body: &str| lag_ends_the_loop(&format!("async fn f() {{\n{body}\n}}"));
    assert_eq!(trap("while let Ok(tick) = ticks.recv().await { show(tick); }"), [2]);
    assert_eq!(trap("while let Ok(tick) = ticks\n.lock().recv()\n.await && open { show(tick); }"), [2]);
    assert_eq!(trap("while let Some(tick) = ticks.recv().await.ok() { show(tick); }"), [2]);
    assert_eq!(trap("loop { let Ok(tick) = ticks.recv().await else { break }; show(tick); }"), [2]);
    assert_eq!(trap("tokio::spawn(async move { while let Ok(tick) = ticks.recv().await {} });"), [2]);
}

#[test]
fn a_queue_that_cannot_lag_and_lag_that_is_handled_are_no_trap() {
    let trap = |body: &str| lag_ends_the_loop(&format!("async fn f() {{\n{body}\n}}"));
    assert!(trap("while let Some(job) = jobs.recv().await { run(job); }").is_empty());
    assert!(
        trap("loop { match ticks.recv().await { Ok(t) => show(t), Err(Lagged(_)) => continue, Err(Closed) => break } }")
            .is_empty()
    );
    assert!(trap("// while let Ok(tick) = ticks.recv().await {}\nlet text = \"while let Ok(t) = ticks.recv()\";").is_empty());
}

fn bans_the_spoofable_address(clippy: &str) -> bool {
    let clippy: Table = clippy.parse().expect("clippy.toml is TOML");
    let banned = clippy.get("disallowed-methods").and_then(Value::as_array).into_iter().flatten();
    banned.filter_map(|entry| entry.get("path")?.as_str()).any(|path| path.ends_with("::realip_remote_addr"))
}

#[test]
fn the_address_that_any_client_can_claim_stays_banned() {
    assert!(bans_the_spoofable_address(&read(&root().join("clippy.toml"))));
    // A crate's own clippy.toml replaces the root's, so one that can see HTTP requests must repeat the ban.
    for member in members().iter().filter(|member| member.join("clippy.toml").is_file()) {
        let sees_requests = read(&member.join("Cargo.toml")).contains("actix-web");
        assert!(!sees_requests || bans_the_spoofable_address(&read(&member.join("clippy.toml"))), "{}", member.display());
    }
    assert!(!bans_the_spoofable_address("disallowed-methods = [{ path = \"std::env::set_var\" }]"));
    assert!(!bans_the_spoofable_address("# realip_remote_addr"));
}

#[test]
fn every_check_that_the_architecture_page_names_is_there() {
    let page = read(&root().join("ARCHITECTURE.md"));
    let tests = Tests::of(members().iter().flat_map(|member| rust_files(member)).map(|file| read(&file)));
    let named = named_in(&page);
    assert!(named.len() > 100, "the page names only {named:?}");
    assert_eq!(tests.wrong(named), Vec::<String>::new());
}

#[test]
fn a_check_is_told_from_other_names_on_the_page() {
    let page = "| `domain` | `a_price_is_never_zero`, `crates/domain/clippy.toml` | `tick_log.rs` or `Ticker`; full: `a_price_is_never_very_low` |";
    let named: Vec<_> = named_in(page).into_iter().collect();
    assert_eq!(named, [("a_price_is_never_very_low", true), ("a_price_is_never_zero", false)]);
}

#[test]
fn a_name_is_a_test_only_where_it_is_run() {
    let suite = "macro_rules! a_contract {
        ($($case:ident),+ $(,)? => $it:expr) => { $(#[tokio::test(start_paused = true)] async fn $case() { $crate::$case($it).await; })+ };
        ($it:expr) => { $crate::a_contract!(of_a_suite_that_is_called, => $it); };
    }
    async fn of_a_suite_that_is_called() {}";
    let sources = [
        "#[test] fn with_the_attribute() {} #[tokio::test(flavor = \"multi_thread\")] async fn with_that_of_tokio() {}",
        "#[test] #[ignore = \"long\"] fn of_the_full_run() {} mod tests { #[actix_web::test] async fn within_a_module() {} }",
        "proptest! { /// Said of it.\n #[test] fn as_a_property(a in 0..3) {} fn beside_a_property() {} }",
        "macro_rules! on_both { ($($case:ident),+) => { mod one { $(#[test] fn $case() { super::$case(1); })+ } }; } on_both!(on_two, on_three);",
        "mod run { coinlink_testkit::a_contract!(crate::nodes().await); }",
        "macro_rules! never { ($($case:ident),+ => $it:expr) => { $(#[test] fn $case() {})+ }; ($it:expr) => { never!(of_no_suite_that_runs => $it); }; }",
        "// fn in_a_comment(\nfn a_helper() {} const TEXT: &str = \"#[test] fn in_a_text() {}\";",
        suite,
    ];
    let tests = Tests::of(sources);
    let run = ["with_the_attribute", "with_that_of_tokio", "within_a_module", "as_a_property", "on_two", "on_three"];
    let run = run.into_iter().chain(["of_a_suite_that_is_called"]).map(|name| (name, false));
    assert_eq!(tests.wrong(run.chain([("of_the_full_run", true)])), Vec::<String>::new());
    for name in
        ["of_the_full_run", "beside_a_property", "of_no_suite_that_runs", "in_a_comment", "a_helper", "in_a_text", "nodes"]
    {
        assert_eq!(tests.wrong([(name, false)]).len(), 1, "{name}");
    }
    assert_eq!(tests.wrong([("with_the_attribute", true)]), ["with_the_attribute is not of the full run alone"]);
}
