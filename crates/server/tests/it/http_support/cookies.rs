//! A page of an allowed origin, whose browser keeps cookies for it.

use reqwest::Method;
use serde_json::{Value, json};

use super::{ORIGIN, Server};

pub(crate) const ACCESS: &str = "__Host-coinlink-access";
pub(crate) const REFRESH: &str = "__Secure-coinlink-refresh";

/// Who signs up and in.
pub(crate) const SIGN_UP: fn() -> Value = || json!({"email": "ada@example.org", "password": "Correct-horse-9-battery"});

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) cookies: Vec<String>,
    pub(crate) cache: Option<String>,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or_default()
    }

    /// The cookies of the session as they are set, sorted.
    pub(crate) fn session_cookies(&self) -> Vec<String> {
        let is_one = |cookie: &&String| cookie.starts_with(ACCESS) || cookie.starts_with(REFRESH);
        let mut found: Vec<_> = self.cookies.iter().filter(is_one).cloned().collect();
        found.sort();
        found
    }

    /// What a cookie is set to.
    pub(crate) fn cookie(&self, name: &str) -> Option<&str> {
        let mut pairs = self.cookies.iter().filter_map(|cookie| cookie.split("; ").next()?.split_once('='));
        pairs.find(|(found, _)| *found == name).map(|(_, value)| value)
    }
}

#[derive(Clone)]
pub(crate) struct Page<'a> {
    pub(crate) server: &'a Server,
    pub(crate) origin: Option<String>,
    pub(crate) access: Option<String>,
    pub(crate) refresh: Option<String>,
    /// What it sends as `X-CSRF-Token`; nothing where it is empty.
    pub(crate) token: String,
}

impl<'a> Page<'a> {
    pub(crate) fn of(server: &'a Server) -> Self {
        Self { server, origin: Some(ORIGIN.to_owned()), access: None, refresh: None, token: String::new() }
    }

    /// What goes along with its requests.
    pub(crate) fn headers(&self) -> Vec<(&'static str, String)> {
        let pair = |name: &str, value: &Option<String>| value.as_ref().map(|value| format!("{name}={value}"));
        let cookies: Vec<_> = pair(ACCESS, &self.access).into_iter().chain(pair(REFRESH, &self.refresh)).collect();
        let mut headers = Vec::new();
        headers.extend(self.origin.clone().map(|origin| ("origin", origin)));
        headers.extend((!cookies.is_empty()).then(|| ("cookie", cookies.join("; "))));
        headers.extend((!self.token.is_empty()).then(|| ("x-csrf-token", self.token.clone())));
        headers
    }

    pub(crate) async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        self.ask_with(method, path, body, &[]).await
    }

    pub(crate) async fn ask_with(&self, method: Method, path: &str, body: Option<Value>, headers: &[(&str, &str)]) -> Answer {
        let mut request = self.server.request(method, &format!("/api/v2{path}"));
        for (name, value) in self.headers() {
            request = request.header(name, value);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let response = request.send().await.unwrap();
        let text = |value: &reqwest::header::HeaderValue| value.to_str().unwrap().to_owned();
        let cookies = response.headers().get_all("set-cookie").iter().map(text).collect();
        let (status, cache) = (response.status().as_u16(), response.headers().get("cache-control").map(text));
        let body = serde_json::from_str(&response.text().await.unwrap()).unwrap_or(Value::Null);
        Answer { status, cookies, cache, body }
    }

    /// Signs up or in with cookies, and keeps them.
    pub(crate) async fn sign_in(&mut self, path: &str) -> Answer {
        let mut body = SIGN_UP();
        body["cookies"] = json!(true);
        let answer = self.ask(Method::POST, path, Some(body)).await;
        self.keep(&answer);
        answer
    }

    /// Refreshes by cookie, and keeps what comes back.
    pub(crate) async fn refresh(&mut self, path: &str) -> Answer {
        let answer = self.ask(Method::POST, path, Some(json!({}))).await;
        self.keep(&answer);
        answer
    }

    pub(crate) fn keep(&mut self, answer: &Answer) {
        self.access = answer.cookie(ACCESS).map(str::to_owned);
        self.refresh = answer.cookie(REFRESH).map(str::to_owned);
        let token = answer.body["tokens"]["csrf_token"].as_str().or_else(|| answer.body["csrf_token"].as_str());
        token.unwrap_or_default().clone_into(&mut self.token);
    }
}
