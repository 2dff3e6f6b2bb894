//! The `Cookie` header (RFC 6265, section 4.2), as far as our own cookies go.

use actix_web::{
    dev::ServiceRequest,
    http::header::{self, HeaderMap},
};

use super::{
    super::error_codes::{self, ErrorCode},
    api_key::X_API_KEY,
    bearer::{Presented, presented},
    csrf::is_unsafe,
};

/// Holds the access token. The prefix keeps other hosts and plain HTTP from setting it (RFC 6265bis, 4.1.3.2).
pub(in crate::http) const ACCESS_COOKIE: &str = "__Host-coinlink-access";
/// Holds the refresh token. It is sent to the routes that take it alone, for which `__Host-` leaves no room (RFC 6265bis, 4.1.3.1).
pub(in crate::http) const REFRESH_COOKIE: &str = "__Secure-coinlink-refresh";

/// The access token of a request: in `Authorization`, or else in its cookie. With a cookie and another credential nobody could say
/// which was meant.
pub(super) fn credential(headers: &HeaderMap) -> Result<Presented<'_>, &'static ErrorCode> {
    match cookie(headers, ACCESS_COOKIE) {
        Presented::Nothing => Ok(presented(headers)),
        _ if has_other_credential(headers) => Err(error_codes::AMBIGUOUS_CREDENTIALS),
        shown => Ok(shown),
    }
}

/// Whether there is a credential that is no cookie.
pub(in crate::http) fn has_other_credential(headers: &HeaderMap) -> bool {
    headers.contains_key(header::AUTHORIZATION) || headers.contains_key(X_API_KEY)
}

/// Whether there is an access token in a cookie, good or not.
pub(in crate::http) fn is_shown(headers: &HeaderMap) -> bool {
    cookie(headers, ACCESS_COOKIE) != Presented::Nothing
}

/// Whether a credential that is no good for the reason `code` counts as none, since it is a cookie: browsers send it with whatever they
/// read, on public pages too, wanted or not. Where somebody has to be signed in the reason is told.
pub(super) fn overlooks(request: &ServiceRequest, code: &'static ErrorCode) -> bool {
    code != error_codes::AMBIGUOUS_CREDENTIALS && !is_unsafe(request.method()) && is_shown(request.headers())
}

/// What is presented in the cookie called `name`. Two of that name are as unusable as two `Authorization` headers: whichever was
/// chosen, somebody else might choose the other.
pub(in crate::http) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Presented<'a> {
    let pairs = headers.get_all(header::COOKIE).flat_map(|line| line.as_bytes().split(|byte| *byte == b';'));
    let mut values = pairs.filter_map(|pair| value_of(pair, name));
    match (values.next(), values.next()) {
        (None, _) => Presented::Nothing,
        (Some(value), None) => token(value).map_or(Presented::Unusable, Presented::Token),
        (Some(_), Some(_)) => Presented::Unusable,
    }
}

/// The value of a pair, where it has this name. Names have case.
fn value_of<'a>(pair: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let at = pair.iter().position(|byte| *byte == b'=')?;
    let (found, value) = pair.split_at(at);
    (found.trim_ascii() == name.as_bytes()).then(|| value[1..].trim_ascii())
}

/// Ours are visible ASCII. What other cookies of the same host hold is no matter.
fn token(value: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(value).ok()?;
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;
    use proptest::prelude::*;

    fn headers(lines: &[&[u8]]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::COOKIE, HeaderValue::from_bytes(line).unwrap());
        }
        headers
    }

    #[test]
    fn our_cookie_is_found_among_others_and_nothing_else_is_taken_for_it() {
        for (line, expected) in [
            ("mine=abc.def", Presented::Token("abc.def")),
            ("a=b; mine=abc; c=d", Presented::Token("abc")),
            ("a=b;mine=abc;", Presented::Token("abc")),
            (" mine = abc ; a", Presented::Token("abc")),
            ("mine=a=b=", Presented::Token("a=b=")),
            ("other=é; mine=abc", Presented::Token("abc")),
            ("mine=", Presented::Unusable),
            ("mine=a b", Presented::Unusable),
            ("mine=é", Presented::Unusable),
            ("mine=a; mine=a", Presented::Unusable),
            ("mine=a; mine=", Presented::Unusable),
            ("mine=a; =mine=b", Presented::Token("a")),
            ("mine=a; mine=b; =c", Presented::Unusable),
            ("Mine=a", Presented::Nothing),
            ("notmine=a; mine2=b; mine", Presented::Nothing),
            ("a=mine=b", Presented::Nothing),
            ("", Presented::Nothing),
        ] {
            assert_eq!(cookie(&headers(&[line.as_bytes()]), "mine"), expected, "{line}");
        }
        assert_eq!(cookie(&headers(&[]), "mine"), Presented::Nothing);
        assert_eq!(cookie(&headers(&[b"a=b", b"mine=c"]), "mine"), Presented::Token("c"));
        assert_eq!(cookie(&headers(&[b"mine=c", b"mine=c"]), "mine"), Presented::Unusable);
    }

    proptest! {
        #[test]
        fn no_header_panics_and_a_token_is_visible(lines in prop::collection::vec(prop::collection::vec(0x20..=0xff_u8, 0..60), 0..3)) {
            let lines: Vec<_> = lines.iter().map(|line| [b"mine=", &line[..]].concat()).collect();
            let mut headers = HeaderMap::new();
            for line in &lines {
                let Ok(value) = HeaderValue::from_bytes(line) else { return Ok(()) };
                headers.append(header::COOKIE, value);
            }
            if let Presented::Token(token) = cookie(&headers, "mine") {
                prop_assert!(lines.len() == 1 && token.bytes().all(|byte| byte.is_ascii_graphic() && byte != b';'));
            }
        }

        #[test]
        fn a_token_comes_back_as_it_was_sent(token in "[A-Za-z0-9._~+/=-]{1,60}", before in "([a-z]{1,5}=[a-z]{0,5}; ){0,3}") {
            let line = format!("{before}__Host-mine={token}; z=1");
            let headers = headers(&[line.as_bytes()]);
            prop_assert_eq!(cookie(&headers, "__Host-mine"), Presented::Token(&token));
        }
    }
}
