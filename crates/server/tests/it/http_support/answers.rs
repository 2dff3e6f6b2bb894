//! What a front end asks, and what came back.

use reqwest::Method;
use serde_json::Value;

use super::{Server, header};

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) cookie: Option<String>,
    pub(crate) cache: Option<String>,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or_default()
    }

    pub(crate) fn refusal(&self) -> (u16, &str) {
        (self.status, self.code())
    }

    pub(crate) fn detail(&self, field: &str) -> &str {
        self.body["error"]["details"][field].as_str().unwrap_or_default()
    }
}

/// Asks a route of `/api/v2`, as whoever holds `token`.
pub(crate) async fn ask(server: &Server, method: Method, path: &str, token: Option<&str>, body: Option<Value>) -> Answer {
    let mut request = server.request(method, &format!("/api/v2{path}"));
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    if let Some(body) = body {
        request = request.header("content-type", "application/json").body(body.to_string());
    }
    let response = request.send().await.unwrap();
    let kept = |name: &str| header(&response, name).map(str::to_owned);
    let (status, cookie, cache) = (response.status().as_u16(), kept("set-cookie"), kept("cache-control"));
    let body = serde_json::from_str(&response.text().await.unwrap()).unwrap_or(Value::Null);
    Answer { status, cookie, cache, body }
}
