//! What was found: a row a check, as a table for people and as JSON for machines. What a server sends is shown short, without
//! control characters, and never a secret of ours.

use std::fmt::Write as _;

use clap::ValueEnum;
use serde::Serialize;

use super::{
    client::{Limited, QUOTA, Trouble},
    person::Nobody,
};

/// What is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Area {
    /// What the server depends on, and how it is set up
    Settings,
    /// Security headers, CORS, caches, TLS, the shape of errors
    Headers,
    /// Tokens, rotation, cookies, limits
    Auth,
    /// The WebSocket
    Sockets,
    /// Every route that the front end calls
    Parity,
    /// Probes, ids, metrics
    Observability,
    /// What the tests showed of this release
    Evidence,
    /// The container this command runs in
    Container,
    /// The API's own documents
    Docs,
}

impl Area {
    /// In the order in which they are looked at.
    pub const ALL: [Self; 9] = [
        Self::Settings,
        Self::Headers,
        Self::Auth,
        Self::Sockets,
        Self::Parity,
        Self::Observability,
        Self::Evidence,
        Self::Container,
        Self::Docs,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Settings => "settings",
            Self::Headers => "headers",
            Self::Auth => "auth",
            Self::Sockets => "sockets",
            Self::Parity => "parity",
            Self::Observability => "observability",
            Self::Evidence => "evidence",
            Self::Container => "container",
            Self::Docs => "docs",
        }
    }
}

/// How a check went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Verdict {
    Ok,
    Warn,
    Fail,
    Skipped,
}

impl Verdict {
    const ALL: [Self; 4] = [Self::Ok, Self::Warn, Self::Fail, Self::Skipped];

    const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "FAIL",
            Self::Skipped => "skipped",
        }
    }
}

/// One check.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Row {
    area: Area,
    check: String,
    result: Verdict,
    /// What was seen; of what was skipped, why.
    seen: String,
    /// What to do.
    advice: String,
}

/// The longest text of a server that is shown.
const LONGEST: usize = 240;

/// All rows so far.
pub(super) struct Report {
    area: Area,
    rows: Vec<Row>,
    secrets: Vec<String>,
    strict: bool,
    /// Whether it was told that limits are in the way.
    is_limited: bool,
}

impl Report {
    pub(super) fn new() -> Self {
        Self { area: Area::Settings, rows: Vec::new(), secrets: Vec::new(), strict: false, is_limited: false }
    }

    /// Whether what others do wrong is wrong here.
    pub(super) fn strictly(self, strict: bool) -> Self {
        Self { strict, ..self }
    }

    /// What follows is about this.
    pub(super) fn begin(&mut self, area: Area) {
        self.area = area;
    }

    /// From now on this is shown nowhere, whoever sends it back.
    pub(super) fn hide(&mut self, secret: &str) {
        if secret.len() >= 8 {
            self.secrets.push(secret.to_owned());
        }
    }

    pub(super) fn ok(&mut self, check: &str, seen: impl AsRef<str>) {
        self.row(check, Verdict::Ok, seen.as_ref(), "");
    }

    pub(super) fn warn(&mut self, check: &str, seen: impl AsRef<str>, advice: &str) {
        self.row(check, Verdict::Warn, seen.as_ref(), advice);
    }

    pub(super) fn fail(&mut self, check: &str, seen: impl AsRef<str>, advice: &str) {
        self.row(check, Verdict::Fail, seen.as_ref(), advice);
    }

    /// A third party does not do its part, and the server says so as it must: worth a look, and no fault of the release.
    pub(super) fn others(&mut self, check: &str, seen: impl AsRef<str>, advice: &str) {
        let verdict = if self.strict { Verdict::Fail } else { Verdict::Warn };
        self.row(check, verdict, seen.as_ref(), advice);
    }

    pub(super) fn skip(&mut self, check: &str, reason: impl AsRef<str>) {
        self.row(check, Verdict::Skipped, reason.as_ref(), "");
    }

    /// None of them can be looked at.
    pub(super) fn skip_all(&mut self, checks: &[&str], reason: impl AsRef<str>) {
        for check in checks {
            self.skip(check, reason.as_ref());
        }
    }

    /// None of them can be looked at, since nobody is signed in.
    pub(super) fn without_session(&mut self, checks: &[&str], nobody: &Nobody, advice: &str) {
        for check in checks {
            if nobody.is_fault { self.fail(check, nobody, advice) } else { self.skip(check, nobody) }
        }
    }

    /// It is as it must be, or not.
    pub(super) fn must(&mut self, held: bool, check: &str, seen: impl AsRef<str>, advice: &str) {
        if held { self.ok(check, seen) } else { self.fail(check, seen, advice) }
    }

    /// There was no answer. That is never taken for a pass; but a limiter's refusal says nothing of what was to be checked.
    pub(super) fn trouble(&mut self, check: &str, trouble: &Trouble) {
        if let Trouble::Limited(limited) = trouble {
            self.limited(limited);
            self.skip(check, trouble.to_string());
        } else {
            self.fail(check, trouble.to_string(), trouble.advice());
        }
    }

    /// Limits are in the way: one fault, told once, whatever cannot be checked for it.
    pub(super) fn limited(&mut self, limited: &Limited) {
        if !std::mem::replace(&mut self.is_limited, true) {
            self.fail(QUOTA, limited.to_string(), limited.advice());
        }
    }

    fn row(&mut self, check: &str, result: Verdict, seen: &str, advice: &str) {
        let (check, seen, advice) = (self.shown(check), self.shown(seen), self.shown(advice));
        self.rows.push(Row { area: self.area, check, result, seen, advice });
    }

    fn shown(&self, text: &str) -> String {
        let text = self.secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), "[hidden]"));
        plain(&text, LONGEST)
    }

    pub(super) fn is_green(&self) -> bool {
        self.count(Verdict::Fail) == 0
    }

    fn count(&self, verdict: Verdict) -> usize {
        self.rows.iter().filter(|row| row.result == verdict).count()
    }

    fn counts(&self) -> String {
        let counts: Vec<_> = Verdict::ALL.iter().map(|verdict| format!("{} {}", self.count(*verdict), verdict.name())).collect();
        counts.join(", ")
    }

    /// For people.
    pub(super) fn table(&self, url: &str) -> String {
        let width = self.rows.iter().map(|row| row.check.chars().count()).max().unwrap_or_default();
        let mut text = String::new();
        for row in &self.rows {
            let (area, result) = (row.area.name(), row.result.name());
            // Writing to a String does not fail.
            let _ = writeln!(text, "{area:<13} {:<width$}  {result:<7}  {}", row.check, row.seen);
            if !row.advice.is_empty() && matches!(row.result, Verdict::Warn | Verdict::Fail) {
                let _ = writeln!(text, "{:<13} {:<width$}           -> {}", "", "", row.advice);
            }
        }
        let verdict = if self.is_green() { "green" } else { "RED" };
        let _ = writeln!(text, "\n{verdict}: {} at {}", self.counts(), self.shown(url));
        text
    }

    /// For machines.
    pub(super) fn json(&self, url: &str) -> String {
        let count = |verdict| self.count(verdict);
        let document = serde_json::json!({
            "url": self.shown(url),
            "result": if self.is_green() { "green" } else { "red" },
            "counts": {
                "ok": count(Verdict::Ok), "warn": count(Verdict::Warn), "fail": count(Verdict::Fail), "skipped": count(Verdict::Skipped)
            },
            "checks": self.rows,
        });
        format!("{document:#}\n")
    }
}

/// Text of somebody else's, fit for a terminal and a line: no control characters, none that turn text round, and not long.
pub(super) fn plain(text: &str, longest: usize) -> String {
    let unfit = |character: char| {
        character.is_control() || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let mut shown: String = text.chars().take(longest).map(|character| if unfit(character) { ' ' } else { character }).collect();
    if text.chars().nth(longest).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_report_is_red_as_soon_as_one_check_failed() {
        let mut report = Report::new();
        report.ok("one", "fine");
        report.warn("two", "hm", "look");
        report.skip("three", "not asked");
        assert!(report.is_green() && report.table("http://h").contains("green: 1 ok, 1 warn, 0 FAIL, 1 skipped at http://h"));
        report.begin(Area::Docs);
        report.fail("four", "broken", "mend it");
        let table = report.table("http://h");
        assert!(!report.is_green() && table.contains("RED: 1 ok, 1 warn, 1 FAIL, 1 skipped"), "{table}");
        assert!(table.contains("-> mend it") && table.contains("docs"), "{table}");
        let json: serde_json::Value = serde_json::from_str(&report.json("http://h")).unwrap();
        assert_eq!((&json["result"], &json["counts"]["fail"]), (&"red".into(), &1.into()));
        assert_eq!((&json["checks"][3]["area"], &json["checks"][3]["result"]), (&"docs".into(), &"fail".into()));
    }

    #[test]
    fn what_others_do_wrong_is_wrong_here_only_where_it_is_asked_for() {
        for (strict, green) in [(false, true), (true, false)] {
            let mut report = Report::new().strictly(strict);
            report.others("prices are fresh", "stale", "see the providers");
            assert_eq!(report.is_green(), green);
            assert!(report.table("http://h").contains("-> see the providers"));
        }
    }

    #[test]
    fn a_secret_is_hidden_whoever_sends_it_back() {
        let mut report = Report::new();
        report.hide("a-secret-token");
        report.fail("it echoes a-secret-token", "x: a-secret-token!", "hide a-secret-token");
        for text in [report.table("http://h/a-secret-token"), report.json("u")] {
            assert!(!text.contains("a-secret-token") && text.contains("[hidden]"), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_is_short_and_holds_nothing_that_steers_a_terminal(text in "\\PC{0,300}|.{0,300}") {
            let shown = plain(&text, 50);
            prop_assert!(shown.chars().count() <= 51);
            prop_assert!(!shown.chars().any(char::is_control));
        }
    }
}
