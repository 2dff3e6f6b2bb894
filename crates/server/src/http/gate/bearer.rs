//! The `Authorization` header (RFC 6750, section 2.1).

use actix_web::http::header::{self, HeaderMap};

/// What a request presents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum Presented<'a> {
    /// No header.
    Nothing,
    /// A token, not looked at yet.
    Token(&'a str),
    /// A header that cannot be understood, or several: whichever was chosen, somebody else might choose another.
    Unusable,
}

pub(super) fn presented(headers: &HeaderMap) -> Presented<'_> {
    let mut lines = headers.get_all(header::AUTHORIZATION);
    match (lines.next(), lines.next()) {
        (None, _) => Presented::Nothing,
        (Some(line), None) => line.to_str().ok().and_then(token).map_or(Presented::Unusable, Presented::Token),
        (Some(_), Some(_)) => Presented::Unusable,
    }
}

/// The token of `Bearer <token>`. Names of schemes have no case (RFC 9110, section 11.1).
fn token(line: &str) -> Option<&str> {
    let (scheme, rest) = line.split_once(' ')?;
    let token = rest.trim_matches(' ');
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() && !token.contains([' ', ','])).then_some(token)
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;
    use proptest::prelude::*;

    fn headers(lines: &[&[u8]]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::AUTHORIZATION, HeaderValue::from_bytes(line).unwrap());
        }
        headers
    }

    #[test]
    fn one_bearer_token_is_taken_and_nothing_else_is_guessed_at() {
        for (line, expected) in [
            ("Bearer abc.def", Presented::Token("abc.def")),
            ("bearer abc", Presented::Token("abc")),
            ("BEARER   abc", Presented::Token("abc")),
            ("Bearer", Presented::Unusable),
            ("Bearer ", Presented::Unusable),
            ("Bearer a b", Presented::Unusable),
            ("Bearer a, Bearer b", Presented::Unusable),
            ("Bearer a,b", Presented::Unusable),
            ("Basic YWRhOmFkYQ==", Presented::Unusable),
            ("abc.def", Presented::Unusable),
            ("", Presented::Unusable),
            ("Bearer é", Presented::Unusable),
        ] {
            assert_eq!(presented(&headers(&[line.as_bytes()])), expected, "{line}");
        }
        assert_eq!(presented(&headers(&[])), Presented::Nothing);
        assert_eq!(presented(&headers(&[b"Bearer a", b"Bearer a"])), Presented::Unusable);
    }

    proptest! {
        #[test]
        fn no_header_panics_and_a_token_has_no_blank(line in prop::collection::vec(0x20..=0xff_u8, 0..60)) {
            let Ok(value) = HeaderValue::from_bytes(&line) else { return Ok(()) };
            let mut headers = HeaderMap::new();
            headers.append(header::AUTHORIZATION, value);
            if let Presented::Token(token) = presented(&headers) {
                prop_assert!(!token.is_empty() && !token.contains([' ', ',']));
            }
        }

        #[test]
        fn a_token_comes_back_as_it_was_sent(token in "[A-Za-z0-9._~+/-]{1,60}=*") {
            let line = format!("Bearer {token}");
            let headers = headers(&[line.as_bytes()]);
            prop_assert_eq!(presented(&headers), Presented::Token(&token));
        }
    }
}
