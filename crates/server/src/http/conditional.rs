//! Answers that a client may already have.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use actix_web::{
    HttpRequest, HttpResponse, Responder,
    body::BoxBody,
    http::{
        StatusCode,
        header::{self, HeaderMap, HeaderValue},
    },
};
use bytes::Bytes;
use serde::Serialize;
use utoipa::IntoResponses;

use super::coding::MIN_COMPRESSED;
use crate::wire::json;

/// What of a [`Conditional`] a client is told that has it.
#[derive(IntoResponses)]
#[response(status = 304, description = "Unchanged since `If-None-Match`")]
pub(super) struct Unchanged;

/// Bytes under a strong entity tag: 304 when the client has them.
#[derive(Debug, Clone)]
pub struct Conditional {
    /// The body.
    pub body: Bytes,
    /// Strong, in quotes.
    pub etag: HeaderValue,
    /// Its type.
    pub content_type: HeaderValue,
    /// How long it may be kept.
    pub cache_control: HeaderValue,
}

impl Conditional {
    /// JSON that is the same for everybody.
    pub(super) fn shared(what: &str, body: &impl Serialize, cache_control: &'static str) -> Self {
        Self::tagged(what, json(body).into(), cache_control)
    }

    /// The same, written already.
    pub(super) fn tagged(what: &str, body: Bytes, cache_control: &'static str) -> Self {
        Self { etag: etag_of(what, &body), ..Self::json(body, "", cache_control) }
    }

    /// JSON under `etag`; a tag that is no header value is left out, and the body always sent.
    pub fn json(body: Bytes, etag: &str, cache_control: &'static str) -> Self {
        Self {
            body,
            etag: HeaderValue::from_str(etag).unwrap_or(HeaderValue::from_static("")),
            content_type: HeaderValue::from_static("application/json"),
            cache_control: HeaderValue::from_static(cache_control),
        }
    }
}

/// A strong tag for a document: it changes when the bytes do, and with the release.
pub(super) fn etag_of(what: &str, bytes: &[u8]) -> HeaderValue {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    let tag = format!("\"{what}-{}-{:016x}\"", env!("CARGO_PKG_VERSION"), hasher.finish());
    HeaderValue::from_str(&tag).unwrap_or(HeaderValue::from_static(""))
}

impl Responder for Conditional {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        let known = self.etag.to_str().ok().and_then(|etag| known(request.headers(), etag));
        let mut response = match &known {
            Some(_) => HttpResponse::new(StatusCode::NOT_MODIFIED),
            None => HttpResponse::with_body(StatusCode::OK, BoxBody::new(self.body.clone())),
        };
        let headers = response.headers_mut();
        if known.is_none() {
            headers.insert(header::CONTENT_TYPE, self.content_type);
        } else if self.body.len() as u64 > MIN_COMPRESSED {
            headers.append(header::VARY, HeaderValue::from_static("accept-encoding"));
        }
        headers.insert(header::CACHE_CONTROL, self.cache_control);
        let etag = known.unwrap_or(self.etag);
        if !etag.is_empty() {
            headers.insert(header::ETAG, etag);
        }
        response
    }
}

/// The tag of the representation the client has, compared weakly (RFC 9110, section 13.1.2). A compressed one is a
/// representation of its own: [`compressed_etag`].
fn known(headers: &HeaderMap, etag: &str) -> Option<HeaderValue> {
    let core = etag.strip_prefix('"')?.strip_suffix('"')?;
    for line in headers.get_all(header::IF_NONE_MATCH) {
        let Ok(line) = line.to_str() else { continue };
        if line.trim() == "*" {
            return HeaderValue::from_str(etag).ok();
        }
        let found = tags(line).find(|tag| [Some(*tag), tag.strip_suffix("-br"), tag.strip_suffix("-gzip")].contains(&Some(core)));
        if let Some(tag) = found {
            return HeaderValue::from_str(&format!("\"{tag}\"")).ok();
        }
    }
    None
}

/// What stands between the quotes of each tag in a list; commas inside quotes belong to the tag.
fn tags(list: &str) -> impl Iterator<Item = &str> {
    let mut rest = list;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let quoted = rest.strip_prefix("W/").unwrap_or(rest).strip_prefix('"')?;
        let (tag, after) = quoted.split_once('"')?;
        rest = after;
        Some(tag)
    })
}

/// The tag of the same thing compressed: strong tags of different bytes must differ.
pub(super) fn compressed_etag(etag: &HeaderValue, coding: &str) -> Option<HeaderValue> {
    let core = etag.to_str().ok()?.strip_suffix('"')?;
    HeaderValue::from_str(&format!("{core}-{coding}\"")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn matches(if_none_match: &str, etag: &str) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert(header::IF_NONE_MATCH, HeaderValue::from_bytes(if_none_match.as_bytes()).unwrap());
        known(&headers, etag).map(|tag| tag.to_str().unwrap().to_owned())
    }

    #[test]
    fn lists_weak_tags_and_the_star_match() {
        for (if_none_match, expected) in [
            ("\"a-1\"", Some("\"a-1\"")),
            ("W/\"a-1\"", Some("\"a-1\"")),
            ("\"x\", W/\"y\" , \"a-1\"", Some("\"a-1\"")),
            ("\"x,\", \"a-1\"", Some("\"a-1\"")),
            ("\"a-1-gzip\"", Some("\"a-1-gzip\"")),
            ("\"a-1-br\"", Some("\"a-1-br\"")),
            ("*", Some("\"a-1\"")),
            ("\"a-2\"", None),
            ("a-1", None),
            ("\"a-1", None),
            ("\"x,a-1\"", None),
            ("", None),
        ] {
            assert_eq!(matches(if_none_match, "\"a-1\"").as_deref(), expected, "{if_none_match}");
        }
    }

    proptest! {
        #[test]
        fn no_header_panics(list in "[ -~]{0,80}") {
            let _ = matches(&list, "\"a-1\"");
        }

        #[test]
        fn a_tag_is_found_in_any_list_it_is_in(before in prop::collection::vec("[!#-~]{0,8}", 0..5), tag in "[!#-~]{1,12}") {
            let mut list: Vec<_> = before.iter().map(|tag| format!("\"{tag}\"")).collect();
            let etag = format!("\"{tag}\"");
            list.push(etag.clone());
            prop_assert!(matches(&list.join(", "), &etag).is_some());
        }
    }
}
