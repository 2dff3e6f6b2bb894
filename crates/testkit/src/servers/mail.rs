//! An SMTP server that keeps what it is handed: `tests/mail/sink.py` tells what it does to which letters.

use std::{
    env, fs,
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::Value;

use super::{Launch, Process, free_port};

/// Python on a busy machine.
const START: Duration = Duration::from_secs(30);
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// How the server encrypts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailTls {
    /// Not at all.
    None,
    /// It offers STARTTLS.
    StartTls,
    /// From the first byte.
    Implicit,
}

/// A letter that the server took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedMail {
    /// Who it is from, on the envelope.
    pub from: String,
    /// Who it is for, on the envelope.
    pub to: String,
    /// Whether it came encrypted.
    pub tls: bool,
    /// Who signed in to hand it over.
    pub user: Option<String>,
    /// Headers and body.
    pub message: String,
}

impl ReceivedMail {
    /// Its `Message-ID`.
    pub fn message_id(&self) -> Option<&str> {
        self.message.lines().find_map(|line| line.strip_prefix("Message-ID: "))
    }
}

/// The server.
pub struct PrivateMail {
    process: Process,
    port: u16,
}

impl PrivateMail {
    /// One that takes letters from everybody, unencrypted.
    pub async fn start() -> Self {
        Self::start_with(MailTls::None, None).await
    }

    /// One that encrypts so, and takes letters from who signs in with this `user:password`.
    pub async fn start_with(tls: MailTls, login: Option<&str>) -> Self {
        let port = free_port();
        let tls = match tls {
            MailTls::None => "none",
            MailTls::StartTls => "starttls",
            MailTls::Implicit => "implicit",
        };
        let script = Path::new(ROOT).join("tests/mail/sink.py");
        let mut launch = Launch::new(python()).args([script.as_os_str()]).args(["--port", &port.to_string(), "--tls", tls]);
        if let Some(login) = login {
            launch = launch.args(["--login", login]);
        }
        let mut process = launch.env("PYTHONDONTWRITEBYTECODE", "1").start();
        process.wait_for_log("ready", START).await;
        Self { process, port }
    }

    /// Where it listens, on `localhost`.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The certificate authority of its certificate, which is for `localhost`.
    pub fn authority(&self) -> PathBuf {
        self.process.directory().join("ca.pem")
    }

    /// What it took, in order.
    pub fn received(&self) -> Vec<ReceivedMail> {
        let lines = fs::read_to_string(self.process.directory().join("received.jsonl")).unwrap_or_default();
        // The last line may not be whole yet.
        let whole = lines.split_inclusive('\n').filter(|line| line.ends_with('\n'));
        whole.filter_map(|line| received(&serde_json::from_str(line).ok()?)).collect()
    }

    /// Ends it at once.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts it again where it was.
    pub async fn start_again(&mut self) {
        let before = self.process.log().matches("ready").count();
        self.process.start_again();
        self.process.wait_for_log(&"ready\n".repeat(before + 1), START).await;
    }
}

fn received(letter: &Value) -> Option<ReceivedMail> {
    Some(ReceivedMail {
        from: letter["from"].as_str()?.to_owned(),
        to: letter["to"].as_array()?.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "),
        tls: letter["tls"].as_bool()?,
        user: letter["user"].as_str().map(ToOwned::to_owned),
        message: letter["message"].as_str()?.to_owned(),
    })
}

/// The Python that `tests/venv mail` made.
fn python() -> PathBuf {
    let tools = env::var_os("COINLINK_TOOLS").map_or_else(|| Path::new(ROOT).join("target/tools"), PathBuf::from);
    let folder = tools.join("mail");
    assert!(
        folder.join("complete").is_file(),
        "the SMTP server for tests is missing: run `bash tests/venv mail`, or `bash tests/run`"
    );
    folder.join("bin/python")
}
