//! Whether a request in which a browser sent our cookies is of a page that may make it. Browsers send cookies along whoever asks
//! them to; what another page cannot do is name itself otherwise, or read the token that has to come with them.

use std::sync::Arc;

use actix_web::{
    dev::ServiceRequest,
    http::{
        Method,
        header::{self, AsHeaderName, HeaderMap},
    },
};
use coinlink_domain::identity::SessionId;
use coinlink_ports::identity::CsrfTokens;

use super::{
    super::{ApiError, Origins, error_codes},
    cookies,
};

/// What pages are known by.
#[derive(Clone)]
pub struct Pages {
    /// The origins of those that may act for who is signed in: the allowed ones, and our own.
    pub origins: Origins,
    /// What they send back.
    pub tokens: Arc<dyn CsrfTokens>,
}

const SEC_FETCH_SITE: &str = "sec-fetch-site";
const CSRF_TOKEN: &str = "x-csrf-token";

impl Pages {
    /// Refuses a request that no page of ours made, as far as the browser tells.
    pub(in crate::http) fn made(&self, headers: &HeaderMap) -> Result<(), ApiError> {
        let site = only(headers, SEC_FETCH_SITE);
        let origin =
            only(headers, header::ORIGIN).map(|origin| std::str::from_utf8(origin).is_ok_and(|origin| self.origins.know(origin)));
        let is_ours = match (site, origin) {
            (Sent::Nothing | Sent::One(b"same-site"), Sent::One(known)) => known,
            (Sent::One(b"same-origin"), origin) => matches!(origin, Sent::Nothing | Sent::One(true)),
            // Nobody says who made it, another site did, or two say different things.
            _ => false,
        };
        let why = match (only(headers, SEC_FETCH_SITE), only(headers, header::ORIGIN)) {
            (Sent::Nothing | Sent::One(b"same-site"), Sent::Nothing) => {
                "is missing: send an Origin header, one of ALLOWED_ORIGINS or that of PUBLIC_URL"
            }
            _ => "is not one that may make this request",
        };
        let refused = || ApiError::new(error_codes::CSRF_FAILED).detail("origin", why);
        is_ours.then_some(()).ok_or_else(refused)
    }

    /// Refuses a request without the token of `session`.
    pub(in crate::http) fn hold_token_of(&self, session: SessionId, headers: &HeaderMap) -> Result<(), ApiError> {
        let shown = match only(headers, CSRF_TOKEN) {
            Sent::One(token) => std::str::from_utf8(token).is_ok_and(|token| self.tokens.belongs(token, session)),
            Sent::Nothing | Sent::Several => false,
        };
        let refused = || ApiError::new(error_codes::CSRF_FAILED).detail("X-CSRF-Token", "is not the token of this session");
        shown.then_some(()).ok_or_else(refused)
    }
}

/// What was sent in a header that may be there once.
enum Sent<T> {
    Nothing,
    One(T),
    Several,
}

impl<T> Sent<T> {
    fn map<U>(self, map: impl FnOnce(T) -> U) -> Sent<U> {
        match self {
            Self::Nothing => Sent::Nothing,
            Self::One(value) => Sent::One(map(value)),
            Self::Several => Sent::Several,
        }
    }
}

fn only(headers: &HeaderMap, name: impl AsHeaderName) -> Sent<&[u8]> {
    let mut values = headers.get_all(name);
    match (values.next(), values.next()) {
        (None, _) => Sent::Nothing,
        (Some(value), None) => Sent::One(value.as_bytes()),
        (Some(_), Some(_)) => Sent::Several,
    }
}

/// Whose a request is that showed a good credential.
pub(super) enum Judged {
    /// That of whoever the credential is of.
    Ours,
    /// Nobody's: the route need not know who is calling, and the cookie may have come along unasked.
    Nobodys,
    /// Another page's, perhaps.
    Forged(ApiError),
}

/// The routes that open a session, in place of one whose cookie may still be there: a page that lost that one's token gets in again.
pub const SIGN_INS: [&str; 4] =
    ["/api/v2/auth/signup", "/api/v2/auth/login", "/api/v2/auth/2fa/verify", "/api/v2/auth/wallet/verify"];

/// Whose `request` is, which showed a good credential of `session`. One in a header is no browser's doing.
pub(super) fn judge(pages: &Pages, request: &ServiceRequest, session: SessionId) -> Judged {
    let headers = request.headers();
    if !is_unsafe(request.method()) || !cookies::is_shown(headers) {
        return Judged::Ours;
    }
    if let Err(refused) = pages.made(headers) {
        return Judged::Forged(refused);
    }
    match pages.hold_token_of(session, headers).and_then(|()| json_alone(headers)) {
        Ok(()) => Judged::Ours,
        Err(_) if SIGN_INS.contains(&request.path()) => Judged::Nobodys,
        Err(refused) => Judged::Forged(refused),
    }
}

/// Whether a request of this method may change something.
pub(super) fn is_unsafe(method: &Method) -> bool {
    ![Method::GET, Method::HEAD, Method::OPTIONS].contains(method)
}

/// Refuses a body that is no JSON: forms send theirs to anybody, without asking first.
pub(in crate::http) fn json_alone(headers: &HeaderMap) -> Result<(), ApiError> {
    let is_json = |text: &[u8]| text.split(|byte| *byte == b';').next().is_some_and(is_json_type);
    let said = match only(headers, header::CONTENT_TYPE) {
        Sent::One(text) => is_json(text),
        Sent::Nothing => !has_body(headers),
        Sent::Several => false,
    };
    let refused =
        || ApiError::new(error_codes::UNSUPPORTED_MEDIA_TYPE).detail("content_type", "must be application/json with cookies");
    (said || !has_body(headers)).then_some(()).ok_or_else(refused)
}

fn is_json_type(text: &[u8]) -> bool {
    text.trim_ascii().eq_ignore_ascii_case(b"application/json")
}

fn has_body(headers: &HeaderMap) -> bool {
    let is_empty = |length: &header::HeaderValue| length.as_bytes() == b"0";
    headers.contains_key(header::TRANSFER_ENCODING) || !headers.get_all(header::CONTENT_LENGTH).all(is_empty)
}
