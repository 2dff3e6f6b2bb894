use std::{sync::Arc, time::Duration};

use coinlink_domain::shared::{
    retry_after,
    upstream_failure::{FailureClass, UpstreamFailure},
};
use coinlink_ports::shared::Clock;
use reqwest::{
    Client, Response, Url,
    header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER},
    redirect,
};
use secrecy::{ExposeSecret, SecretString};
use time::OffsetDateTime;
use tokio::sync::Semaphore;
use tracing::{Instrument as _, field::Empty};

use crate::{
    Body, ErrorReader, InvalidSettings, ProviderError, Streamed, USER_AGENT, UpstreamSettings, classify::Refusal, scrub::scrub,
    settings,
};

const ONCE: FailureClass = FailureClass::Transient { retryable: false };

/// One outside service. Asks once: repeating a call is the caller's decision, and each may cost a credit.
pub struct Upstream {
    name: &'static str,
    base: Url,
    http: Client,
    permits: Arc<Semaphore>,
    timeout: Duration,
    max_body: usize,
    key: Option<SecretString>,
    read_error: ErrorReader,
    clock: Arc<dyn Clock>,
}

impl Upstream {
    pub fn new(settings: UpstreamSettings, clock: Arc<dyn Clock>) -> Result<Self, InvalidSettings> {
        let name = settings.name;
        let base = settings::base_url(name, &settings.base_url, ["http", "https"])?;
        let mut headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json"))]);
        if let Some(key) = &settings.key {
            let mut value = HeaderValue::from_str(key.value.expose_secret())
                .map_err(|_| InvalidSettings { name, problem: "the API key has characters no header may hold" })?;
            value.set_sensitive(true);
            headers.insert(key.header.clone(), value);
        }
        let http = Client::builder()
            .user_agent(USER_AGENT)
            .default_headers(headers)
            .connect_timeout(settings.timeout)
            // The key must not follow a redirect to another host, and an API does not redirect.
            .redirect(redirect::Policy::none())
            .retry(reqwest::retry::never())
            .build()
            .map_err(|_| InvalidSettings { name, problem: "no TLS client could be built" })?;
        Ok(Self {
            name,
            base,
            http,
            permits: Arc::new(Semaphore::new(settings.permits.clamp(1, Semaphore::MAX_PERMITS))),
            timeout: settings.timeout,
            max_body: settings.max_body,
            key: settings.key.map(|key| key.value),
            read_error: settings.read_error,
            clock,
        })
    }

    pub fn now(&self) -> OffsetDateTime {
        self.clock.now()
    }

    /// `GET {base}/{path…}?{query…}`, done within the time-out.
    pub async fn get(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Body, UpstreamFailure> {
        let started = tokio::time::Instant::now();
        let call = async {
            let answer = tokio::time::timeout(self.timeout, self.call(self.url(path, query))).await;
            answer.unwrap_or_else(|_| Err(self.failure(ONCE, &format!("no answer within {:?}", self.timeout))))
        };
        let (answer, outcome) = self.traced("GET", call).await;
        let elapsed_ms = started.elapsed().as_millis();
        tracing::debug!(provider = self.name, path = path.join("/"), outcome, elapsed_ms, "provider call");
        answer
    }

    /// A failure told in this service's name, cleared of its key.
    pub fn failure(&self, class: FailureClass, detail: &str) -> UpstreamFailure {
        let key = self.key.as_ref().map(ExposeSecret::expose_secret);
        UpstreamFailure::new(class, format!("{}: {}", self.name, scrub(detail, key)))
    }

    /// The failure behind an error body that came with a success status.
    pub fn refused(&self, told: &ProviderError) -> UpstreamFailure {
        self.failure(told.class.unwrap_or(ONCE), &told.message)
    }

    fn url(&self, path: &[&str], query: &[(&str, &str)]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    async fn call(&self, url: Url) -> Result<Body, UpstreamFailure> {
        let _permit = self.permits.acquire().await.map_err(|_| self.failure(ONCE, "closed"))?;
        let response = self.http.get(url).send().await.map_err(|error| self.unreached(error))?;
        if response.status().is_success() {
            return Ok(Body::new(self.name, self.read(response).await?));
        }
        Err(self.refusal(response).await)
    }

    /// `POST {base}/{path…}` of a JSON text. The answer's head is there within the time-out; its body is read as it comes, and the call
    /// counts as under way until it is dropped.
    pub async fn post_streaming(&self, path: &[&str], json: String) -> Result<Streamed, UpstreamFailure> {
        let call = async {
            let opened = tokio::time::timeout(self.timeout, self.open(self.url(path, &[]), json)).await;
            opened.unwrap_or_else(|_| Err(self.failure(ONCE, &format!("no answer within {:?}", self.timeout))))
        };
        self.traced("POST", call).await.0
    }

    /// One call in a span of its own, and what came of it. No id of ours goes with the call: it leads to somebody else.
    async fn traced<T>(
        &self,
        method: &'static str,
        call: impl Future<Output = Result<T, UpstreamFailure>>,
    ) -> (Result<T, UpstreamFailure>, &'static str) {
        let span = tracing::debug_span!(
            "provider",
            otel.name = %format_args!("{} {method}", self.name),
            otel.kind = "client",
            otel.status_code = Empty,
            provider = self.name,
            http.request.method = method,
            outcome = Empty,
        );
        let answer = call.instrument(span.clone()).await;
        let outcome = answer.as_ref().map_or_else(|failure| failure.class.label(), |_| "ok");
        span.record("outcome", outcome);
        if answer.is_err() {
            span.record("otel.status_code", "ERROR");
        }
        (answer, outcome)
    }

    async fn open(&self, url: Url, json: String) -> Result<Streamed, UpstreamFailure> {
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(|_| self.failure(ONCE, "closed"))?;
        let request = self.http.post(url).header(CONTENT_TYPE, "application/json").header(ACCEPT, "text/event-stream");
        let response = request.body(json).send().await.map_err(|error| self.unreached(error))?;
        if response.status().is_success() {
            return Ok(Streamed::new(self.name, response, self.max_body, permit));
        }
        Err(self.refusal(response).await)
    }

    async fn refusal(&self, response: Response) -> UpstreamFailure {
        let status = response.status().as_u16();
        let wait = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        let retry_after = wait.and_then(|value| retry_after::parse(value, self.clock.now()));
        // A refusal is a refusal even when its explanation cannot be read.
        let body = self.read(response).await.unwrap_or_default();
        let told = (self.read_error)(&body);
        let class = Refusal { status, retry_after, body: &body, told: told.as_ref() }.class();
        let words = told.as_ref().map_or("", |told| told.message.as_str());
        self.failure(class, &format!("status {status} {words}"))
    }

    async fn read(&self, mut response: Response) -> Result<Vec<u8>, UpstreamFailure> {
        let too_long = || self.failure(ONCE, &format!("the answer is longer than {} bytes", self.max_body));
        if response.content_length().is_some_and(|length| usize::try_from(length).map_or(true, |length| length > self.max_body)) {
            return Err(too_long());
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|_| self.failure(ONCE, "the answer broke off"))? {
            if bytes.len() + chunk.len() > self.max_body {
                return Err(too_long());
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }

    /// Only a connection that was never made is worth a second call: later, the first may have been counted already.
    fn unreached(&self, error: reqwest::Error) -> UpstreamFailure {
        let (class, what) = match () {
            () if error.is_timeout() => (ONCE, "timed out"),
            () if error.is_connect() => (FailureClass::Transient { retryable: true }, "could not connect"),
            () => (ONCE, "the connection failed"),
        };
        let error = error.without_url();
        let mut cause: &dyn std::error::Error = &error;
        while let Some(deeper) = cause.source() {
            cause = deeper;
        }
        self.failure(class, &format!("{what}: {cause}"))
    }
}
