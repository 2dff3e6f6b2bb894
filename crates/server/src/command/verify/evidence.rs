//! What the tests showed of this release: the file that `bash tests/run` leaves, read with no trust in it.

use std::{fs::File, io::Read as _, path::Path};

use serde::Deserialize;
use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};

use super::Visit;

const PASSED: &str = "the tests passed";
const RELEASE: &str = "they are of this release";
const AGE: &str = "they are recent";
/// A file of ours has some 300 bytes.
const LONGEST: u64 = 64 << 10;
const OLD: Duration = Duration::days(30);
const AGAIN: &str = "run `bash tests/run` on what is deployed";

/// `target/test-evidence.json`.
#[derive(Debug, Deserialize)]
struct Evidence {
    format: String,
    passed: u64,
    failed: u64,
    version: String,
    commit: String,
    /// Files were changed since that commit.
    changed: bool,
    finished_at: String,
    /// Tests that passed at a second go.
    #[serde(default)]
    flaky: Vec<String>,
    /// What could not be tested where they ran.
    #[serde(default)]
    skipped: Vec<String>,
}

impl Evidence {
    /// The counts, and what they do not say.
    fn seen(&self) -> String {
        let mut seen = format!("{} passed, {} failed", self.passed, self.failed);
        for (what, names) in [("at a second go", &self.flaky), ("not tested where they ran", &self.skipped)] {
            if !names.is_empty() {
                seen = format!("{seen}; {what}: {}", names.join(", "));
            }
        }
        seen
    }
}

fn read(path: &Path) -> Result<Evidence, String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let mut text = String::new();
    file.take(LONGEST).read_to_string(&mut text).map_err(|error| error.to_string())?;
    parse(&text)
}

fn parse(text: &str) -> Result<Evidence, String> {
    let evidence: Evidence = serde_json::from_str(text).map_err(|error| format!("it cannot be read: {error}"))?;
    let known = evidence.format == "coinlink-test-evidence/1";
    if known { Ok(evidence) } else { Err(format!("{:?} is no format that is known", evidence.format)) }
}

pub(super) fn check(visit: &mut Visit<'_>) {
    let Some(path) = &visit.options.evidence else {
        visit.report.skip_all(&[PASSED, RELEASE, AGE], "no --evidence: name the file of `bash tests/run`");
        return;
    };
    let evidence = match read(path) {
        Ok(evidence) => evidence,
        Err(why) => return visit.report.fail(PASSED, why, AGAIN),
    };
    let (passed, seen) = (evidence.passed > 0 && evidence.failed == 0, evidence.seen());
    if passed && !evidence.skipped.is_empty() {
        visit.report.warn(PASSED, seen, "run `bash tests/run` where that can be tested as well");
    } else {
        visit.report.must(passed, PASSED, seen, AGAIN);
    }
    release(visit, &evidence);
    match OffsetDateTime::parse(&evidence.finished_at, &Rfc3339) {
        Err(_) => visit.report.fail(AGE, "when they ran cannot be read", AGAIN),
        Ok(at) => {
            let age = OffsetDateTime::now_utc() - at;
            let seen = format!("{} days old", age.whole_days());
            if age > OLD { visit.report.warn(AGE, seen, AGAIN) } else { visit.report.ok(AGE, seen) }
        }
    }
}

fn release(visit: &mut Visit<'_>, evidence: &Evidence) {
    let server = visit.version().to_owned();
    let short = |commit: &str| commit.chars().take(12).collect::<String>();
    if evidence.version != server {
        let seen = format!("the tests are of {}, the server is {server}", evidence.version);
        return visit.report.fail(RELEASE, seen, AGAIN);
    }
    let seen = format!("{server}, commit {}", short(&evidence.commit));
    match &visit.options.commit {
        Some(deployed) if !is_same(deployed, &evidence.commit) => {
            let seen = format!("the tests are of commit {}, {} was deployed", short(&evidence.commit), short(deployed));
            visit.report.fail(RELEASE, seen, AGAIN);
        }
        _ if evidence.changed => visit.report.warn(RELEASE, format!("{seen}, with changes that are in no commit"), AGAIN),
        None => visit.report.ok(RELEASE, format!("{seen}; the server does not tell its commit: --commit compares it")),
        Some(_) => visit.report.ok(RELEASE, seen),
    }
}

/// One may be the other's beginning, as commits are often written.
fn is_same(deployed: &str, tested: &str) -> bool {
    deployed.len() >= 7 && tested.len() >= 7 && (tested.starts_with(deployed) || deployed.starts_with(tested))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_file_of_another_format_is_not_taken_for_evidence() {
        let text = r#"{"format":"coinlink-test-evidence/1","passed":2512,"failed":0,"version":"0.1.0","commit":"284df41","changed":false,"finished_at":"2026-11-21T23:00:00Z"}"#;
        assert_eq!(parse(text).unwrap().passed, 2512);
        assert!(parse(&text.replace("evidence/1", "evidence/9")).unwrap_err().contains("format"));
        assert!(parse(&text.replace("\"failed\":0,", "")).unwrap_err().contains("failed"));
        assert!(read(Path::new("/nothing/here")).is_err());
    }

    #[test]
    fn what_passed_at_a_second_go_or_was_not_tested_is_told() {
        let text = r#"{"format":"coinlink-test-evidence/1","passed":2,"failed":0,"version":"0.1.0","commit":"284df41","changed":false,"flaky":["it a::b"],"skipped":["disk","clock"],"finished_at":"2026-11-21T23:00:00Z"}"#;
        assert_eq!(
            parse(text).unwrap().seen(),
            "2 passed, 0 failed; at a second go: it a::b; not tested where they ran: disk, clock"
        );
    }

    #[test]
    fn commits_are_compared_as_they_are_written() {
        assert!(is_same("284df41", "284df4155aa") && is_same("284df4155aa", "284df41"));
        assert!(!is_same("284d", "284df4155aa") && !is_same("284df42", "284df4155aa"));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".{0,200}") {
            let _ = parse(&text);
        }
    }
}
