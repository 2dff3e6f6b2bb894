//! Names of the checks that `bash tests/deploy/run` runs.

use std::collections::BTreeSet;

use coinlink_architecture_tests::{read, root};

/// Those that a file lists under `CHECKS`, each of which it also defines.
fn of(source: &str) -> BTreeSet<String> {
    let listed = source.split("\nCHECKS = [").nth(1).and_then(|rest| rest.split(']').next()).unwrap_or_default();
    let names = listed.split(',').map(str::trim).filter(|name| !name.is_empty());
    names.filter(|name| source.contains(&format!("\ndef {name}():"))).map(str::to_owned).collect()
}

/// All of them.
pub(crate) fn names() -> BTreeSet<String> {
    let files = ["static", "running", "tls", "scripted"].map(|file| root().join(format!("tests/deploy/{file}.py")));
    let names: BTreeSet<String> = files.iter().flat_map(|file| of(&read(file))).collect();
    assert!(names.len() > 30, "only {names:?}");
    names
}

#[test]
fn a_check_counts_where_it_is_defined_and_listed() {
    let source = "\ndef one():\n    pass\n\n\ndef two():\n    pass\n\nCHECKS = [\n    one,\n    three,\n]\n";
    assert_eq!(of(source).into_iter().collect::<Vec<_>>(), ["one"]);
}
