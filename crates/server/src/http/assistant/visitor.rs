//! What somebody without an account is known by: a session in a cookie, or one that the client sends itself.

use actix_web::{
    HttpRequest, HttpResponse,
    cookie::{Cookie, SameSite, time::Duration},
};
use coinlink_domain::assistant::{Exchange, VisitorSession};

use crate::http::{
    ApiError, error_codes,
    gate::{Presented, cookie},
};

/// The prefix keeps other hosts and plain HTTP from setting it (RFC 6265bis, 4.1.3.2).
const SECURE: &str = "__Host-coinlink-chat";
/// Without TLS browsers take no such cookie, on `http://127.0.0.1` not all of them.
const PLAIN: &str = "coinlink-chat";

/// The cookie that holds a visitor's session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChatCookie {
    is_secure: bool,
}

impl ChatCookie {
    /// For a server that browsers reach at `public_url`.
    pub fn at(public_url: &str) -> Self {
        Self { is_secure: !public_url.starts_with("http://") }
    }

    /// What the request shows: what the client sends itself, else the cookie. What others might send as well is as nothing.
    pub(super) fn shown(self, request: &HttpRequest, sent: Option<&str>) -> Option<VisitorSession> {
        sent.and_then(VisitorSession::chosen).or_else(|| match cookie(request.headers(), self.name()) {
            Presented::Token(text) => VisitorSession::chosen(text),
            Presented::Nothing | Presented::Unusable => None,
        })
    }

    /// Hands out a session.
    pub(super) fn set(self, session: &VisitorSession, mut response: HttpResponse) -> Result<HttpResponse, ApiError> {
        let good_for = Duration::seconds(Exchange::VISITOR_KEPT_FOR.whole_seconds());
        let cookie = Cookie::build(self.name(), session.text().to_owned()).path("/").max_age(good_for);
        let cookie = cookie.secure(self.is_secure).http_only(true).same_site(SameSite::Lax).finish();
        let added = response.add_cookie(&cookie);
        added.map_err(|error| ApiError::new(error_codes::INTERNAL_ERROR).caused_by(error.to_string()))?;
        Ok(response)
    }

    const fn name(self) -> &'static str {
        if self.is_secure { SECURE } else { PLAIN }
    }
}
