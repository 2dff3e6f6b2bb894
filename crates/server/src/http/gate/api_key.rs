//! The `X-API-Key` header: programs show in it who they are, in place of an access token.

use std::net::IpAddr;

use actix_web::{HttpMessage as _, dev::ServiceRequest, http::header::HeaderMap};
use coinlink_application::identity::{KeyRefusal, Standing, VerifiedKey};
use coinlink_domain::{
    identity::ApiKeyId,
    shared::rate_limit::{Charge, RateClass, RateSubject},
};

use super::{
    super::{ApiError, client_ip::counted_address, error_codes},
    Gatekeeper, bearer,
    caller::Caller,
    cookies,
    key_access::KeyAccess,
    windows::Windows,
};
use crate::wire::seconds_up;

pub(super) const X_API_KEY: &str = "x-api-key";

/// What a request presents as its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PresentedKey<'a> {
    /// A text, not looked at yet.
    Text(&'a str),
    /// A header that cannot be understood, or several: whichever was chosen, somebody else might choose another.
    Unusable,
    /// There is an access token as well, in its header or in a cookie: nobody could say which was meant.
    Ambiguous,
}

/// What is in the header; `None` where there is none.
pub(super) fn presented(headers: &HeaderMap) -> Option<PresentedKey<'_>> {
    let mut lines = headers.get_all(X_API_KEY);
    let first = lines.next()?;
    if !matches!(cookies::credential(headers), Ok(bearer::Presented::Nothing)) {
        return Some(PresentedKey::Ambiguous);
    }
    let text = if lines.next().is_some() { None } else { first.to_str().ok() };
    Some(text.map_or(PresentedKey::Unusable, PresentedKey::Text))
}

/// Lets a request with a key in, with its [`Caller`], or says why not. Where nothing was counted, the request is counted by its
/// address: a key that is no good costs whoever sends it.
pub(super) async fn admit(
    gatekeeper: &Gatekeeper,
    access: KeyAccess,
    request: &ServiceRequest,
    presented: PresentedKey<'_>,
) -> (Windows, Option<ApiError>) {
    let from = gatekeeper.address(request.peer_addr().map(|peer| peer.ip()), request.headers());
    let ip = counted_address(from);
    request.extensions_mut().insert(Caller::Anonymous { ip });
    let text = match presented {
        PresentedKey::Text(text) => text,
        PresentedKey::Unusable => return (Windows::default(), Some(ApiError::new(error_codes::INVALID_API_KEY))),
        PresentedKey::Ambiguous => return (Windows::default(), Some(ApiError::new(error_codes::AMBIGUOUS_CREDENTIALS))),
    };
    match gatekeeper.verify_key(text, from, ip).await {
        Ok(verified) => {
            request.extensions_mut().insert(known(&verified, ip));
            let (windows, _) = gatekeeper.admit(&[charge(verified.key)], None).await;
            let refusal = gatekeeper.refusal(&windows, Standing::Good).or_else(|| access.refuses(verified.scopes));
            (windows, refusal)
        }
        Err(KeyRefusal::Invalid) => (Windows::default(), Some(ApiError::new(error_codes::INVALID_API_KEY))),
        Err(KeyRefusal::TooMany { retry_after }) => {
            let secs = u32::try_from(seconds_up(retry_after).max(1)).unwrap_or(u32::MAX);
            (Windows::default(), Some(ApiError::new(error_codes::RATE_LIMITED).retry_after(secs)))
        }
        Err(KeyRefusal::Store { error, proven }) => {
            // Whoever was known a moment ago does not pay for the trouble with the address of others.
            let windows = match proven {
                Some(key) => gatekeeper.admit(&[charge(key)], None).await.0,
                None => Windows::default(),
            };
            let refusal = gatekeeper.refusal(&windows, Standing::Good).unwrap_or_else(|| error.into());
            (windows, Some(refusal))
        }
    }
}

const fn charge(key: ApiKeyId) -> Charge {
    Charge { class: RateClass::ApiKey, subject: RateSubject::ApiKey(key.0) }
}

const fn known(verified: &VerifiedKey, ip: IpAddr) -> Caller {
    Caller::Key { user: verified.user, key: verified.key, scopes: verified.scopes, ip }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::{AUTHORIZATION, COOKIE, HeaderName, HeaderValue};
    use proptest::prelude::*;

    fn headers(lines: &[(HeaderName, &[u8])]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, line) in lines {
            headers.append(name.clone(), HeaderValue::from_bytes(line).unwrap());
        }
        headers
    }

    fn key(line: &[u8]) -> (HeaderName, &[u8]) {
        (HeaderName::from_static(X_API_KEY), line)
    }

    #[test]
    fn one_key_is_taken_and_no_two_credentials() {
        let access = format!("{}=token", cookies::ACCESS_COOKIE);
        for (lines, expected) in [
            (vec![], None),
            (vec![key(b"ck_1")], Some(PresentedKey::Text("ck_1"))),
            (vec![key(b"ck_1"), (COOKIE, b"theme=dark")], Some(PresentedKey::Text("ck_1"))),
            (vec![key(b"")], Some(PresentedKey::Text(""))),
            (vec![key(b"ck_1"), key(b"ck_1")], Some(PresentedKey::Unusable)),
            (vec![key("é".as_bytes())], Some(PresentedKey::Unusable)),
            (vec![key(b"ck_1"), (AUTHORIZATION, b"Bearer a")], Some(PresentedKey::Ambiguous)),
            (vec![key(b"ck_1"), (AUTHORIZATION, b"Basic a")], Some(PresentedKey::Ambiguous)),
            (vec![key(b"ck_1"), (COOKIE, access.as_bytes())], Some(PresentedKey::Ambiguous)),
            (vec![(AUTHORIZATION, b"Bearer a")], None),
        ] {
            assert_eq!(presented(&headers(&lines)), expected, "{lines:?}");
        }
    }

    proptest! {
        #[test]
        fn no_header_panics(line in prop::collection::vec(0x20..=0xff_u8, 0..120)) {
            if HeaderValue::from_bytes(&line).is_ok() {
                let _ = presented(&headers(&[key(&line)]));
            }
        }
    }
}
