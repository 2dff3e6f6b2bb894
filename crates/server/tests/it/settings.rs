//! docs/settings.md and .env.example are made of the table of settings.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use coinlink::config::{Mode, Sources, load, reference};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

fn is_current(path: &str, expected: &str) {
    let path = format!("{ROOT}/{path}");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, expected).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(written, expected, "run `UPDATE_DOCS=1 cargo test -p coinlink --test it settings`");
}

#[test]
fn the_reference_of_settings_is_current() {
    is_current("docs/settings.md", &reference::markdown());
}

#[test]
fn the_example_of_an_environment_is_current() {
    is_current(".env.example", &reference::env_example());
}

fn load_with(mode: Mode, lines: &[(&str, &str)]) -> coinlink::config::Loaded {
    let variables = lines.iter().chain(&[("CONFIG_DIR", "/nonexistent")]);
    load(&Sources {
        mode,
        variables: variables.map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect(),
        flags: vec![],
    })
}

/// `# NAME=value` and `NAME=value`, of which the first is a default and the second is to be filled in.
fn lines_of(example: &str) -> Vec<(bool, &str, &str)> {
    let lines = example.lines().map(|line| (line.starts_with("# "), line.trim_start_matches("# ")));
    let named = lines.filter_map(|(comment, line)| line.split_once('=').map(|(name, value)| (comment, name, value)));
    named
        .filter(|(_, name, _)| name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_'))
        .collect()
}

#[test]
fn every_default_of_the_example_may_be_set_and_changes_nothing() {
    let example = reference::env_example();
    let not_in_the_table = ["CONFIG_DIR", "COINLINK_ENV", "OTEL_RESOURCE_ATTRIBUTES"];
    let set: Vec<_> = lines_of(&example)
        .into_iter()
        .map(|(_, name, value)| (name, value))
        .filter(|(name, _)| !not_in_the_table.contains(name))
        .collect();
    assert!(set.len() > 70, "{}", set.len());
    let (as_it_is, with_all) = (load_with(Mode::Dev, &[]), load_with(Mode::Dev, &set));
    assert_eq!(with_all.problems, []);
    assert_eq!(format!("{:?}", with_all.settings), format!("{:?}", as_it_is.settings));
}

#[test]
fn what_is_to_be_filled_in_is_what_serve_calls_missing() {
    let example = reference::env_example();
    let open: Vec<_> =
        lines_of(&example).into_iter().filter(|(comment, ..)| !comment).map(|(_, name, _)| name.to_owned()).collect();
    let missing: Vec<_> =
        load_with(Mode::Serve, &[]).all_problems(Mode::Serve).into_iter().map(|problem| problem.setting).collect();
    assert_eq!(open.iter().collect::<std::collections::BTreeSet<_>>(), missing.iter().collect());
    assert!(open.len() >= 9, "{open:?}");
}
