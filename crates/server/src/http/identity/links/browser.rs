//! The cookie by which a browser is recognised between asking for a mail and opening its link.

use actix_web::{
    HttpRequest,
    cookie::{Cookie, SameSite, time::Duration},
};
use coinlink_application::identity::{AskForMail, Opening};
use coinlink_domain::identity::{BrowserMark, LinkCode, LinkProof};

use crate::http::gate::{Caller, Presented, cookie};

/// The prefix keeps other hosts and plain HTTP from setting it (RFC 6265bis, 4.1.3.2).
const BROWSER_COOKIE: &str = "__Host-coinlink-browser";
/// As long as the link that lives longest of those that are asked for.
const KEPT: Duration = Duration::days(1);

fn sent(request: &HttpRequest) -> Option<BrowserMark> {
    match cookie(request.headers(), BROWSER_COOKIE) {
        Presented::Token(text) => BrowserMark::from_text(text),
        Presented::Nothing | Presented::Unusable => None,
    }
}

/// The mark of the browser that asks for a mail, and the cookie to answer it with.
pub(in crate::http::identity) fn mark(request: &HttpRequest, use_case: &AskForMail) -> (BrowserMark, Cookie<'static>) {
    let mark = sent(request).unwrap_or_else(|| use_case.new_mark());
    let cookie = Cookie::build(BROWSER_COOKIE, mark.to_text())
        .path("/")
        .secure(true)
        .http_only(true)
        .same_site(SameSite::Lax)
        .max_age(KEPT)
        .finish();
    (mark, cookie)
}

/// What a link is opened with.
pub(super) fn opening(request: &HttpRequest, token: &str, code: Option<&str>) -> Opening {
    // A program with a key is not its owner.
    let signed_in = match Caller::of(request) {
        Some(Caller::User { user, session, .. }) => Some((user, session)),
        _ => None,
    };
    let proof = LinkProof {
        browser: sent(request),
        session: signed_in.map(|(_, session)| session),
        account: signed_in.map(|(user, _)| user),
        code: code.and_then(LinkCode::from_text),
        by_session: false,
    };
    Opening::new(token, proof)
}
