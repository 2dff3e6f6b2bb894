//! The requests of a verification: bounded in time, number and size, whatever answers.

use std::{
    cell::Cell,
    time::{Duration, Instant},
};

use reqwest::{
    Method, StatusCode, Url,
    header::{CONTENT_TYPE, HeaderMap},
    redirect,
    tls::TlsInfo,
};
use serde_json::Value;

/// What is read of an answer at most: the API's own document has 2 MiB and a bit.
const MAX_BODY: usize = 8 << 20;
/// All requests of a run, sockets apart. A whole run makes about 100.
const MAX_REQUESTS: u32 = 150;
/// A limiter is waited for no longer.
const LONGEST_WAIT: Duration = Duration::from_secs(65);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    #[error("no answer within {0:?}")]
    Slow(Duration),
    #[error("no answer: {0}")]
    Unreachable(String),
    #[error("the body does not end within 8 MiB")]
    TooLong,
    #[error("not checked: the time of --within is over")]
    OutOfTime,
    #[error("not checked: {MAX_REQUESTS} requests were made")]
    OutOfRequests,
    #[error("the request cannot be made: {0}")]
    Request(&'static str),
}

impl Trouble {
    pub(super) const fn advice(&self) -> &'static str {
        match self {
            Self::Slow(_) => "find what holds it up; --timeout gives it longer",
            Self::Unreachable(_) => "look at the server's log, and at what stands between",
            Self::TooLong => "no answer of CoinLink is that long: look at what stands between",
            Self::OutOfTime => "give it longer with --within, or less to do with --only",
            Self::OutOfRequests | Self::Request(_) => "give it less to do with --only",
        }
    }
}

/// A request that is not sent yet.
#[derive(Clone)]
pub(super) struct Ask {
    pub(super) method: Method,
    pub(super) path: String,
    headers: Vec<(&'static str, String)>,
    body: Option<String>,
}

impl Ask {
    pub(super) fn new(method: Method, path: &str) -> Self {
        Self { method, path: path.to_owned(), headers: Vec::new(), body: None }
    }

    pub(super) fn get(path: &str) -> Self {
        Self::new(Method::GET, path)
    }

    pub(super) fn post(path: &str, body: &Value) -> Self {
        Self::new(Method::POST, path).text(&body.to_string())
    }

    /// A body that calls itself JSON.
    pub(super) fn text(mut self, body: &str) -> Self {
        self.body = Some(body.to_owned());
        self.with(CONTENT_TYPE.as_str(), "application/json")
    }

    pub(super) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    pub(super) fn bearer(self, token: &str) -> Self {
        self.with("authorization", &format!("Bearer {token}"))
    }
}

/// What came back.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
    /// The body, where it is JSON.
    pub(super) json: Value,
    /// The server's certificate, where it showed one.
    pub(super) certificate: Option<Vec<u8>>,
    pub(super) took: Duration,
}

impl Answer {
    /// A header as text; several of a name are put together as one list. Empty where it is not there.
    pub(super) fn header(&self, name: &str) -> String {
        let values: Vec<_> = self.headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
        values.join(", ")
    }

    pub(super) fn number(&self, name: &str) -> Option<u64> {
        self.header(name).trim().parse().ok()
    }

    pub(super) fn code(&self) -> &str {
        self.json["error"]["code"].as_str().unwrap_or_default()
    }

    /// Status and error code, as a report shows them. Never the body: it may hold what is nobody's business.
    pub(super) fn told(&self) -> String {
        if self.code().is_empty() { self.status.to_string() } else { format!("{} {}", self.status, self.code()) }
    }
}

/// Asks one server.
pub(super) struct Client {
    http: reqwest::Client,
    base: Url,
    timeout: Duration,
    deadline: Instant,
    made: Cell<u32>,
}

impl Client {
    pub(super) fn new(base: &Url, timeout: Duration, within: Duration) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder()
            .user_agent(concat!("coinlink-verify/", env!("CARGO_PKG_VERSION")))
            // HTTP/1.1 alone: a socket begins in it, and header names are compared as they come.
            .http1_only()
            .redirect(redirect::Policy::none())
            .retry(reqwest::retry::never())
            .tls_info(true)
            .build()?;
        Ok(Self { http, base: base.clone(), timeout, deadline: Instant::now() + within, made: Cell::new(0) })
    }

    /// The time one answer may take, of what is left of the whole.
    pub(super) fn patience(&self) -> Result<Duration, Trouble> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(Trouble::OutOfTime) } else { Ok(left.min(self.timeout)) }
    }

    pub(super) fn url(&self, path: &str) -> Result<Url, Trouble> {
        let base = self.base.as_str().trim_end_matches('/');
        Url::parse(&format!("{base}{path}")).map_err(|_| Trouble::Request("not a path"))
    }

    /// A request of its own kind, counted and bounded like the others.
    pub(super) fn request(&self, method: Method, url: Url) -> Result<reqwest::RequestBuilder, Trouble> {
        if self.made.get() >= MAX_REQUESTS {
            return Err(Trouble::OutOfRequests);
        }
        self.made.set(self.made.get() + 1);
        Ok(self.http.request(method, url))
    }

    /// Asks the server. Where a limiter says later, it is later asked once more.
    pub(super) async fn send(&self, ask: Ask) -> Result<Answer, Trouble> {
        let answer = self.send_to(self.url(&ask.path)?, &ask).await?;
        if answer.status != StatusCode::TOO_MANY_REQUESTS.as_u16() {
            return Ok(answer);
        }
        let wait = Duration::from_secs(answer.number("retry-after").unwrap_or(u64::MAX).saturating_add(1));
        if wait > LONGEST_WAIT || Instant::now() + wait >= self.deadline {
            return Ok(answer);
        }
        tokio::time::sleep(wait).await;
        self.send_to(self.url(&ask.path)?, &ask).await
    }

    /// Asks wherever `url` leads.
    pub(super) async fn send_to(&self, url: Url, ask: &Ask) -> Result<Answer, Trouble> {
        let patience = self.patience()?;
        let mut request = self.request(ask.method.clone(), url)?;
        for (name, value) in &ask.headers {
            request = request.header(*name, value);
        }
        if let Some(body) = &ask.body {
            request = request.body(body.clone());
        }
        tokio::time::timeout(patience, read(request)).await.unwrap_or(Err(Trouble::Slow(patience)))
    }
}

async fn read(request: reqwest::RequestBuilder) -> Result<Answer, Trouble> {
    let started = Instant::now();
    let mut response = request.send().await.map_err(|error| unreachable_because(&error))?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let took = started.elapsed();
    let certificate = response.extensions().get::<TlsInfo>().and_then(TlsInfo::peer_certificate).map(<[u8]>::to_vec);
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| unreachable_because(&error))? {
        if body.len() + chunk.len() > MAX_BODY {
            return Err(Trouble::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    let json = serde_json::from_slice(&body).unwrap_or(Value::Null);
    Ok(Answer { status, headers, body, json, certificate, took })
}

/// The innermost cause: the others only say that a request failed. The URL is left out.
pub(super) fn unreachable_because(error: &reqwest::Error) -> Trouble {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    Trouble::Unreachable(cause.to_string())
}
