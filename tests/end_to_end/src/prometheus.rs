//! A real Prometheus that scrapes nodes by the files in deploy/.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use coinlink_testkit::servers::{Launch, Process, free_port};
use reqwest::{Client, header::CONTENT_TYPE};
use serde_json::Value;
use tempfile::TempDir;

/// Start-up under load on a small machine.
const START: Duration = Duration::from_secs(30);

/// What a test changes of a file of rules: a text that must be there, and what stands in its place.
pub type Override<'a> = (&'a str, &'a str);

/// Prometheus, on a port and in a folder of its own. Dropped, it is killed.
pub struct Prometheus {
    process: Process,
    _configuration: TempDir,
    client: Client,
    base: String,
}

impl Prometheus {
    /// Scrapes what listens at `targets` each second, by deploy/prometheus with these changes: everything is looked at each second, what must
    /// hold for a time must hold for a second, and `overrides`. Panics where `prometheus` is not installed.
    pub async fn start(targets: &[String], overrides: &[Override<'_>]) -> Self {
        let port = free_port();
        let own = format!("127.0.0.1:{port}");
        let folder = TempDir::new().expect("a folder");
        write_configuration(folder.path(), &own, targets, overrides);
        let mut process = Launch::new("prometheus")
            .args([&format!("--config.file={}", folder.path().join("prometheus.yml").display()), "--storage.tsdb.path=data"])
            .args([&format!("--web.listen-address={own}"), "--log.level=warn"])
            .start();
        let base = format!("http://{own}");
        process.wait_for(&format!("{base}/-/ready"), START).await;
        Self { process, _configuration: folder, client: Client::new(), base }
    }

    /// The values of a query now: none where there is no series, or none of them is a number.
    pub async fn query(&self, query: &str) -> Vec<f64> {
        let encoded = query.bytes().fold(String::new(), |encoded, byte| format!("{encoded}%{byte:02X}"));
        let asked = self.client.post(format!("{}/api/v1/query", self.base)).body(format!("query={encoded}"));
        let asked = asked.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        let answer: Value = asked.send().await.expect("an answer").json().await.expect("JSON");
        assert_eq!(answer["status"], "success", "{query}: {answer}");
        let series = answer["data"]["result"].as_array().cloned().unwrap_or_default();
        let values = series.iter().filter_map(|series| series["value"][1].as_str()?.parse().ok());
        values.filter(|value: &f64| value.is_finite()).collect()
    }

    /// The texts of the alerts of this name that fire.
    pub async fn firing(&self, alert: &str) -> Vec<String> {
        let asked = self.client.get(format!("{}/api/v1/alerts", self.base));
        let answer: Value = asked.send().await.expect("an answer").json().await.expect("JSON");
        let alerts = answer["data"]["alerts"].as_array().cloned().unwrap_or_default();
        let firing = alerts.iter().filter(|found| found["labels"]["alertname"] == alert && found["state"] == "firing");
        firing.filter_map(|found| found["annotations"]["description"].as_str().map(str::to_owned)).collect()
    }

    /// What it has written to its log.
    #[must_use]
    pub fn log(&self) -> String {
        self.process.log()
    }
}

/// The folder of files in `deploy`.
#[must_use]
pub fn deploy() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn changed(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from} is not there any more");
    text.replace(from, to)
}

fn write_configuration(folder: &Path, own: &str, targets: &[String], overrides: &[Override<'_>]) {
    let source = deploy().join("prometheus");
    let targets: Vec<_> = targets.iter().map(|target| format!("\"{target}\"")).collect();
    let mut settings = read(&source.join("prometheus.yml"));
    for (from, to) in [
        ("scrape_interval: 15s", "scrape_interval: 1s"),
        ("scrape_timeout: 5s", "scrape_timeout: 1s"),
        ("evaluation_interval: 15s", "evaluation_interval: 1s"),
        ("\"api-1:9100\", \"api-2:9100\"", &*targets.join(", ")),
        ("localhost:9090", own),
        // There are none: it is Prometheus that is scraped, and that hears of alerts and refuses them.
        ("backup-metrics:9100", own),
        ("alertmanager:9093", own),
    ] {
        settings = changed(&settings, from, to);
    }
    fs::create_dir(folder.join("rules")).expect("a folder");
    fs::write(folder.join("prometheus.yml"), settings).expect("a file");
    let mut rules: Vec<(_, String)> = ["service-levels.yml", "critical.yml", "warning.yml"]
        .map(|name| (folder.join("rules").join(name), read(&source.join("rules").join(name))))
        .into();
    for (from, to) in overrides {
        assert!(rules.iter().any(|(_, text)| text.contains(from)), "no rule says {from} any more");
        for (_, text) in &mut rules {
            *text = text.replace(from, to);
        }
    }
    for (path, text) in rules {
        let lines = text.lines().map(|line| {
            let (indent, word) = line.split_at(line.len() - line.trim_start().len());
            let at_once = if word.starts_with("for: ") {
                "for: 1s"
            } else if word.starts_with("interval: ") {
                "interval: 1s"
            } else {
                word
            };
            format!("{indent}{at_once}\n")
        });
        fs::write(path, lines.collect::<String>()).expect("a file");
    }
}
