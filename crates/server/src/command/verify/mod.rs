//! `coinlink verify`: replays what was promised of a hardened server against a live one, from outside.

mod auth;
mod auth_cookies;
mod auth_limits;
mod auth_tokens;
mod client;
mod container;
mod docs;
mod evidence;
mod headers;
mod headers_cors;
mod headers_tls;
mod observability;
mod observability_metrics;
mod options;
mod parity;
mod person;
mod report;
mod settings;
mod shape;
mod sockets;
mod sockets_line;

use std::time::Duration;

use serde_json::Value;

pub use options::VerifyOptions;
pub use report::Area;

use client::{Answer, Ask, Client, Trouble};
use person::People;
use report::{Report, plain};

/// It could not be run: nothing is known of the server.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// There was no answer to the first request.
    #[error("{url} could not be verified: {why}")]
    NoAnswer {
        /// Whom it was asked of.
        url: String,
        /// Why.
        why: String,
    },
    /// What answers is something else.
    #[error("{url} is no CoinLink: {what}")]
    NotCoinLink {
        /// Whom it was asked of.
        url: String,
        /// What it is.
        what: String,
    },
    /// It sends its visitors somewhere else.
    #[error("{from} redirects to {to}: verify that one")]
    Elsewhere {
        /// Whom it was asked of.
        from: String,
        /// Where it leads.
        to: String,
    },
    /// The password cannot be read.
    #[error("the password file cannot be read: {0}")]
    Password(std::io::Error),
    /// There is no HTTP client.
    #[error("no TLS client could be made: {0}")]
    Client(#[from] reqwest::Error),
}

/// One verification under way.
struct Visit<'a> {
    options: &'a VerifyOptions,
    client: Client,
    report: Report,
    people: People,
    /// What `/health` said: everybody may read it.
    health: Value,
    /// What `/` said, where it was answered.
    home: Option<Value>,
}

impl Visit<'_> {
    /// Asks; where there is no answer the check failed.
    async fn ask(&mut self, check: &str, ask: Ask) -> Option<Answer> {
        match self.client.send(ask).await {
            Ok(answer) => Some(answer),
            Err(trouble) => {
                self.report.trouble(check, &trouble);
                None
            }
        }
    }

    /// The release that answers.
    fn version(&self) -> &str {
        self.health["version"].as_str().unwrap_or_default()
    }

    /// Whether it says that it is no production.
    fn is_for_work(&self) -> bool {
        self.home.as_ref().is_some_and(|home| home["environment"] == "local")
    }
}

/// Verifies the server. The text says what was found; `true`: it is green.
pub async fn run(options: &VerifyOptions) -> Result<(String, bool), VerifyError> {
    let url = options.url.as_str();
    let client = Client::new(&options.url, Duration::from_secs(options.timeout), Duration::from_secs(options.within))?;
    recognise(&client, url).await?;
    let mut report = Report::new().strictly(options.strict);
    let people = People::of(options, &mut report).map_err(VerifyError::Password)?;
    let mut visit = Visit { options, client, report, people, health: Value::Null, home: None };
    visit.health = visit.client.send(Ask::get("/health")).await.map(|answer| answer.json).unwrap_or_default();
    match visit.client.send(Ask::get("/")).await {
        Ok(answer) => visit.home = Some(answer.json),
        Err(Trouble::Limited(limited)) => visit.report.limited(&limited),
        // The checks that ask it tell.
        Err(_) => {}
    }
    for area in Area::ALL {
        if !options.only.is_empty() && !options.only.contains(&area) {
            continue;
        }
        visit.report.begin(area);
        match area {
            Area::Settings => settings::check(&mut visit).await,
            Area::Headers => headers::check(&mut visit).await,
            Area::Auth => auth::check(&mut visit).await,
            Area::Sockets => sockets::check(&mut visit).await,
            Area::Parity => parity::check(&mut visit).await,
            Area::Observability => observability::check(&mut visit).await,
            Area::Evidence => evidence::check(&mut visit),
            Area::Container => container::check(&mut visit),
            Area::Docs => docs::check(&mut visit).await,
        }
    }
    person::leave(&mut visit).await;
    let text = if options.json { visit.report.json(url) } else { visit.report.table(url) };
    Ok((text, visit.report.is_green()))
}

/// Whether it is a CoinLink at all: no other server gets a sign-up or any further request.
async fn recognise(client: &Client, url: &str) -> Result<(), VerifyError> {
    let answer = match client.send(Ask::get("/livez")).await {
        Ok(answer) => answer,
        Err(Trouble::TooLong) => {
            return Err(VerifyError::NotCoinLink { url: url.to_owned(), what: "its body does not end within 8 MiB".to_owned() });
        }
        Err(Trouble::Limited(limited)) => {
            let why = format!("{limited}; {}", limited.advice());
            return Err(VerifyError::NoAnswer { url: url.to_owned(), why: plain(&why, 400) });
        }
        Err(trouble) => return Err(VerifyError::NoAnswer { url: url.to_owned(), why: plain(&trouble.to_string(), 200) }),
    };
    if answer.status == 200 && answer.json["status"] == "alive" && answer.json["event_loop_responsive"].is_boolean() {
        return Ok(());
    }
    let location = answer.header("location");
    if (300..400).contains(&answer.status) && !location.is_empty() {
        return Err(VerifyError::Elsewhere { from: url.to_owned(), to: plain(&location, 200) });
    }
    let kind = plain(&answer.header("content-type"), 80);
    let kind = if kind.is_empty() { "no content type" } else { kind.as_str() };
    let what = format!("GET /livez is answered {} with {kind}, {} bytes", answer.status, answer.body.len());
    Err(VerifyError::NotCoinLink { url: url.to_owned(), what })
}
