//! A client of the HTTP API: requests with JSON, and people who sign in.

use std::{sync::atomic::AtomicU32, sync::atomic::Ordering, time::Duration};

use reqwest::{
    Client, Method, RequestBuilder,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap},
};
use serde_json::{Value, json};

/// A password every test may use.
pub const PASSWORD: &str = "Correct-horse-9-battery";
/// Longer than any request may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as it came.
    pub text: String,
    /// The body, where it is JSON.
    pub json: Value,
}

impl Answer {
    /// `error.code`.
    #[must_use]
    pub fn code(&self) -> &str {
        self.json["error"]["code"].as_str().unwrap_or_default()
    }

    /// A header as text; empty where it is not there.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Itself, where its status is this one; panics with what it says otherwise.
    #[must_use]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }
}

/// The API of one node.
#[derive(Clone)]
pub struct Api {
    client: Client,
    base: String,
}

impl Api {
    /// At `base`, without a slash at its end. Keeps connections.
    #[must_use]
    pub fn at(base: impl Into<String>) -> Self {
        let client = Client::builder().timeout(PATIENCE).build().expect("a client");
        Self { client, base: base.into() }
    }

    /// A request that is not sent yet.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base))
    }

    /// Sends it.
    pub async fn send(&self, request: RequestBuilder) -> Answer {
        self.try_send(request).await.expect("an answer")
    }

    /// Sends it; the error is that there was no answer.
    pub async fn try_send(&self, request: RequestBuilder) -> Result<Answer, reqwest::Error> {
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await?;
        let json = serde_json::from_str(&text).unwrap_or(Value::Null);
        Ok(Answer { status, headers, text, json })
    }

    /// A request with JSON that is not sent yet.
    pub fn with_json(&self, method: Method, path: &str, body: &Value) -> RequestBuilder {
        self.request(method, path).header(CONTENT_TYPE, "application/json").body(body.to_string())
    }

    /// POSTs JSON.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(self.with_json(Method::POST, path, body)).await
    }

    /// POSTs JSON with an access token.
    pub async fn post_as(&self, token: &str, path: &str, body: &Value) -> Answer {
        self.send(self.with_json(Method::POST, path, body).header(AUTHORIZATION, format!("Bearer {token}"))).await
    }

    /// GETs.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    /// GETs with an access token.
    pub async fn get_as(&self, token: &str, path: &str) -> Answer {
        self.send(self.request(Method::GET, path).header(AUTHORIZATION, format!("Bearer {token}"))).await
    }

    /// Opens the account of `email` with [`PASSWORD`].
    pub async fn sign_up(&self, email: &str) -> Held {
        Held::of(&self.post("/api/v2/auth/signup", &json!({"email": email, "password": PASSWORD})).await.expect(201))
    }

    /// Signs in with [`PASSWORD`].
    pub async fn sign_in(&self, email: &str) -> Held {
        Held::of(&self.post("/api/v2/auth/login", &json!({"email": email, "password": PASSWORD})).await.expect(200))
    }

    /// Presents a refresh token.
    pub async fn refresh(&self, token: &str) -> Answer {
        self.post("/api/v2/auth/token/refresh", &json!({"refresh_token": token})).await
    }

    /// Presents a refresh token in a request of this name.
    pub async fn refresh_named(&self, token: &str, name: &str) -> Answer {
        let body = json!({"refresh_token": token});
        self.send(self.with_json(Method::POST, "/api/v2/auth/token/refresh", &body).header("Idempotency-Key", name)).await
    }
}

/// What a client holds of its session.
#[derive(Debug, Clone)]
pub struct Held {
    /// The account.
    pub user: String,
    /// The access token.
    pub access: String,
    /// The refresh token.
    pub refresh: String,
    /// What the device keeps.
    pub device: String,
}

impl Held {
    /// Of an answer to a sign-up or sign-in.
    #[must_use]
    pub fn of(answer: &Answer) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (body, tokens) = (&answer.json, &answer.json["tokens"]);
        Self {
            user: text(&body["user"]["id"]),
            access: text(&tokens["access_token"]),
            refresh: text(&tokens["refresh_token"]),
            device: text(&body["device_token"]),
        }
    }
}

/// An address nobody else in this process uses.
#[must_use]
pub fn somebody() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("person{}@example.org", COUNT.fetch_add(1, Ordering::Relaxed))
}

/// Limits that no test meets by accident.
pub const UNLIMITED: [(&str, &str); 5] = [
    ("RATE_LIMIT_ANONYMOUS", "1000000"),
    ("RATE_LIMIT_AUTHENTICATED", "1000000"),
    ("RATE_LIMIT_CREDENTIALS", "1000000"),
    ("RATE_LIMIT_SESSION", "1000000"),
    ("RATE_LIMIT_PRICE", "1000000"),
];
