//! The requests of a verification: bounded in time, number and size, whatever answers.

use std::{
    cell::Cell,
    fmt,
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
/// What a limiter counts by, as a report calls it.
pub(super) const QUOTA: &str = "the quota of requests";
/// A 429 that is no limiter's: what it says is of one token.
const OF_ONE_TOKEN: &str = "refresh_replayed";

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
    #[error("not checked: {QUOTA} is used up")]
    Limited(Limited),
}

impl Trouble {
    pub(super) const fn advice(&self) -> &'static str {
        match self {
            Self::Slow(_) => "find what holds it up; --timeout gives it longer",
            Self::Unreachable(_) => "look at the server's log, and at what stands between",
            Self::TooLong => "no answer of CoinLink is that long: look at what stands between",
            Self::OutOfTime => "give it longer with --within, or less to do with --only",
            Self::OutOfRequests | Self::Request(_) => "give it less to do with --only",
            Self::Limited(limited) => limited.advice(),
        }
    }
}

/// A limiter refused a request, and waiting is of no use.
#[derive(Debug)]
pub(super) struct Limited {
    /// Method and path.
    asked: String,
    /// What the server lets through in a window, where it says.
    limit: Option<u64>,
    /// How long it was waited for.
    waited: Option<Duration>,
    /// All requests of this run so far: there cannot be more of ours in the window.
    made: u32,
    /// Whether it is an account's quota, and no address's.
    is_somebodys: bool,
}

impl Limited {
    pub(super) const fn advice(&self) -> &'static str {
        if self.is_somebodys {
            "others ask as the same account: use one that nobody else uses"
        } else {
            "others ask from this address: if it is a proxy's that TRUSTED_PROXIES does not name, the server takes all clients for the proxy: \
             name it there; else verify when it is quiet, or from another address"
        }
    }
}

impl fmt::Display for Limited {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} is answered 429", self.asked)?;
        match self.waited {
            Some(waited) => write!(out, ", also after {} s", waited.as_secs())?,
            None => write!(out, ", and waiting takes too long")?,
        }
        if let Some(limit) = self.limit {
            write!(out, ": all of {limit} were taken")?;
        }
        write!(out, "; this run made {} requests", self.made)
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

    fn has_credential(&self) -> bool {
        self.headers.iter().any(|(name, _)| matches!(*name, "authorization" | "cookie"))
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
        list(&self.headers, name)
    }

    pub(super) fn number(&self, name: &str) -> Option<u64> {
        number(&self.headers, name)
    }

    /// The headers, where a limiter refused the request.
    fn refusal(&self) -> Option<&HeaderMap> {
        (self.status == StatusCode::TOO_MANY_REQUESTS.as_u16() && self.code() != OF_ONE_TOKEN).then_some(&self.headers)
    }

    pub(super) fn code(&self) -> &str {
        self.json["error"]["code"].as_str().unwrap_or_default()
    }

    /// Status and error code, as a report shows them. Never the body: it may hold what is nobody's business.
    pub(super) fn told(&self) -> String {
        if self.code().is_empty() { self.status.to_string() } else { format!("{} {}", self.status, self.code()) }
    }
}

fn list(headers: &HeaderMap, name: &str) -> String {
    let values: Vec<_> = headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
    values.join(", ")
}

fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    list(headers, name).trim().parse().ok()
}

/// Asks one server.
pub(super) struct Client {
    http: reqwest::Client,
    base: Url,
    timeout: Duration,
    deadline: Instant,
    made: Cell<u32>,
    /// Whether waiting for a limiter was of no use: it is not tried again.
    is_limited: Cell<bool>,
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
        Ok(Self {
            http,
            base: base.clone(),
            timeout,
            deadline: Instant::now() + within,
            made: Cell::new(0),
            is_limited: Cell::new(false),
        })
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

    /// Asks the server.
    pub(super) async fn send(&self, ask: Ask) -> Result<Answer, Trouble> {
        let asked = (format!("{} {}", ask.method, ask.path), ask.has_credential());
        self.patiently(asked, Answer::refusal, async || self.send_to(self.url(&ask.path)?, &ask).await).await
    }

    /// Does it `once`, and, where a limiter says later, later once more. `refusal` tells the headers of a limiter's answer.
    pub(super) async fn patiently<T>(
        &self,
        (asked, has_credential): (String, bool),
        refusal: impl Fn(&T) -> Option<&HeaderMap>,
        once: impl AsyncFn() -> Result<T, Trouble>,
    ) -> Result<T, Trouble> {
        let mut answer = once().await?;
        let waited = refusal(&answer).and_then(|headers| self.short_wait(headers));
        if let Some(waited) = waited {
            tokio::time::sleep(waited).await;
            answer = once().await?;
        }
        let Some(headers) = refusal(&answer) else { return Ok(answer) };
        self.is_limited.set(true);
        let limit = number(headers, "x-ratelimit-limit");
        // A token that is no good is nobody's.
        let is_somebodys = has_credential && !list(headers, "ratelimit-policy").contains("\"anonymous\"");
        Err(Trouble::Limited(Limited { asked, limit, waited, made: self.made.get(), is_somebodys }))
    }

    /// How long to wait, where that is short and was of use before.
    fn short_wait(&self, headers: &HeaderMap) -> Option<Duration> {
        let wait = Duration::from_secs(number(headers, "retry-after")?.saturating_add(1));
        let is_short = wait <= LONGEST_WAIT && Instant::now() + wait < self.deadline;
        (is_short && !self.is_limited.get()).then_some(wait)
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
