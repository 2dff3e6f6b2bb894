//! What somebody without an account is known by: a session in a cookie, or one that the client sends itself.

use actix_web::{
    HttpRequest, HttpResponse,
    cookie::{Cookie, SameSite, time::Duration},
};
use coinlink_application::assistant::Chat;
use coinlink_domain::assistant::{Exchange, VisitorKey, VisitorSession};

use crate::http::{
    ApiError, error_codes,
    gate::{Presented, cookie},
};

/// The prefix keeps other hosts and plain HTTP from setting it (RFC 6265bis, 4.1.3.2).
const SECURE: &str = "__Host-coinlink-chat";
/// Without TLS browsers take no such cookie, on `http://127.0.0.1` not all of them.
const PLAIN: &str = "coinlink-chat";
/// What clients without cookies show it in, out of addresses that are logged on the way here.
const HEADER: &str = "x-chat-session";

/// The cookie that holds a visitor's session, and what tells sessions that were given out from others.
#[derive(Debug, Clone)]
pub struct ChatCookie {
    is_secure: bool,
    key: VisitorKey,
}

impl ChatCookie {
    /// For a server that browsers reach at `public_url`, whose sessions have tags under `key`.
    pub fn at(public_url: &str, key: VisitorKey) -> Self {
        Self { is_secure: !public_url.starts_with("http://"), key }
    }

    /// What the request shows: what the client sends itself, else the cookie.
    pub(super) fn shown(&self, request: &HttpRequest, sent: Option<&str>) -> Option<VisitorSession> {
        self.sent(request, sent).or_else(|| self.kept(request))
    }

    /// What the client sends itself: in the header, else in `sent`. What we did not give out is as nothing, here and in the cookie.
    pub(super) fn sent(&self, request: &HttpRequest, sent: Option<&str>) -> Option<VisitorSession> {
        let header = request.headers().get(HEADER).and_then(|value| value.to_str().ok());
        [header, sent].into_iter().flatten().find_map(|text| self.key.taken_back(text))
    }

    /// What is in the cookie.
    pub(super) fn kept(&self, request: &HttpRequest) -> Option<VisitorSession> {
        match cookie(request.headers(), self.name()) {
            Presented::Token(text) => self.key.taken_back(text),
            Presented::Nothing | Presented::Unusable => None,
        }
    }

    /// A new one.
    pub(super) fn greet(&self, chat: &Chat) -> VisitorSession {
        chat.greet(&self.key)
    }

    /// Hands out a session.
    pub(super) fn set(&self, session: &VisitorSession, mut response: HttpResponse) -> Result<HttpResponse, ApiError> {
        let good_for = Duration::seconds(Exchange::VISITOR_KEPT_FOR.whole_seconds());
        let cookie = Cookie::build(self.name(), session.text().to_owned()).path("/").max_age(good_for);
        let cookie = cookie.secure(self.is_secure).http_only(true).same_site(SameSite::Lax).finish();
        let added = response.add_cookie(&cookie);
        added.map_err(|error| ApiError::new(error_codes::INTERNAL_ERROR).caused_by(error.to_string()))?;
        Ok(response)
    }

    const fn name(&self) -> &'static str {
        if self.is_secure { SECURE } else { PLAIN }
    }
}
