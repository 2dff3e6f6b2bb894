//! The one shape of errors.

use std::{borrow::Cow, collections::BTreeMap, error::Error as StdError, fmt};

use actix_web::{
    HttpMessage as _, HttpRequest, HttpResponse, ResponseError,
    body::BoxBody,
    error::{JsonPayloadError, PathError, QueryPayloadError},
    http::{
        StatusCode,
        header::{self, HeaderValue},
    },
};
use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};
use uuid::Uuid;

use super::error_codes::{self, ErrorCode};
use crate::telemetry::RequestContext;

/// Everything a handler may fail with.
#[derive(Debug)]
pub struct ApiError {
    code: &'static ErrorCode,
    message: Cow<'static, str>,
    details: BTreeMap<Cow<'static, str>, String>,
    retry_after_secs: Option<u32>,
    allow: Option<&'static str>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl ApiError {
    /// An error of `code` with the message of the table.
    pub fn new(code: &'static ErrorCode) -> Self {
        Self { code, message: code.meaning.into(), details: BTreeMap::new(), retry_after_secs: None, allow: None, source: None }
    }

    /// A field of a body that is not as it must be.
    pub fn invalid_input(field: impl Into<Cow<'static, str>>, why: impl Into<String>) -> Self {
        Self::new(error_codes::INVALID_INPUT).detail(field, why)
    }

    /// A parameter of a query that cannot be read.
    pub fn invalid_query(parameter: impl Into<Cow<'static, str>>, why: impl Into<String>) -> Self {
        Self::new(error_codes::INVALID_QUERY).detail(parameter, why)
    }

    /// A more exact message.
    #[must_use]
    pub fn message(mut self, message: impl Into<Cow<'static, str>>) -> Self {
        self.message = message.into();
        self
    }

    /// What is wrong with one field.
    #[must_use]
    pub fn detail(mut self, field: impl Into<Cow<'static, str>>, why: impl Into<String>) -> Self {
        self.details.insert(field.into(), why.into());
        self
    }

    /// When to come back.
    #[must_use]
    pub const fn retry_after(mut self, secs: u32) -> Self {
        self.retry_after_secs = Some(secs);
        self
    }

    /// What it says to people.
    pub fn words(&self) -> &str {
        &self.message
    }

    /// In how many seconds to come back, where that is known.
    pub const fn comes_back_in(&self) -> Option<u32> {
        self.retry_after_secs
    }

    /// What the path takes, for 405.
    #[must_use]
    pub const fn allow(mut self, methods: &'static str) -> Self {
        self.allow = Some(methods);
        self
    }

    /// What caused it, for the log; never shown.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Reads a body that a handler took as bytes, since it may be left out, as it would be read otherwise.
    pub fn read_json<T: DeserializeOwned>(request: &HttpRequest, body: &[u8]) -> Result<T, Self> {
        let content_type = request.content_type();
        if !content_type.eq_ignore_ascii_case("application/json") && !content_type.ends_with("+json") {
            return Err(no_json());
        }
        serde_json::from_slice(body).map_err(|why| invalid_json(&why))
    }

    /// Its code.
    pub const fn code(&self) -> &'static ErrorCode {
        self.code
    }

    /// The body, with the trace id of the request being served.
    pub fn body(&self) -> Bytes {
        let trace_id = RequestContext::try_with(|context| context.trace_id).unwrap_or_else(|| RequestContext::current().trace_id);
        let body = Body {
            error: Fields { code: self.code.code, message: &self.message, details: &self.details, trace_id },
            detail: &self.message,
        };
        // Text and maps of text: nothing here fails to serialise.
        serde_json::to_vec(&body).unwrap_or_default().into()
    }
}

#[derive(Serialize)]
struct Body<'a> {
    error: Fields<'a>,
    detail: &'a str,
}

#[derive(Serialize)]
struct Fields<'a> {
    code: &'static str,
    message: &'a str,
    details: &'a BTreeMap<Cow<'static, str>, String>,
    #[serde(serialize_with = "hyphenated")]
    trace_id: Uuid,
}

fn hyphenated<S: serde::Serializer>(id: &Uuid, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(id.hyphenated().encode_lower(&mut [0; 36]))
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code.code)
    }
}

impl StdError for ApiError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.code.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::with_body(self.status_code(), BoxBody::new(self.body()));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(secs) = self.retry_after_secs {
            headers.insert(header::RETRY_AFTER, secs.into());
        }
        if let Some(methods) = self.allow {
            headers.insert(header::ALLOW, HeaderValue::from_static(methods));
        }
        if self.code.status == 401 {
            headers.insert(header::WWW_AUTHENTICATE, challenge(self.code));
        }
        response
    }
}

/// What every 401 asks for. Where a token was presented and is no good it says so (RFC 6750, section 3); where none was, it
/// names no error.
fn challenge(code: &ErrorCode) -> HeaderValue {
    let names_no_token =
        [error_codes::AUTHENTICATION_REQUIRED, error_codes::INVALID_CREDENTIALS, error_codes::INVALID_API_KEY].contains(&code);
    if names_no_token { HeaderValue::from_static("Bearer") } else { HeaderValue::from_static("Bearer error=\"invalid_token\"") }
}

fn no_json() -> ApiError {
    ApiError::new(error_codes::UNSUPPORTED_MEDIA_TYPE).detail("content_type", "must be application/json")
}

/// `serde_json` says what and where, and quotes a value that does not fit or a field that is not known, which may be a password:
/// that is left out.
fn invalid_json(why: &serde_json::Error) -> ApiError {
    let text = why.to_string();
    let quotes = ["invalid type: ", "invalid value: ", "unknown variant "].iter().any(|words| text.starts_with(words));
    // What is expected is ours, and comes last.
    let at = text.rfind(", expected ");
    let (before, expected) = at.map_or((text.as_str(), ""), |at| text.split_at(at));
    let field = before.strip_prefix("unknown field ").map(|name| name.trim_matches('`'));
    let told = if text.starts_with("EOF") && why.line() <= 1 && why.column() == 0 {
        "is empty".to_owned()
    } else if quotes {
        format!("a value does not fit{expected}")
    } else if field.is_some_and(|name| !is_plain(name)) {
        format!("a field is not known{expected}")
    } else {
        text
    };
    ApiError::new(error_codes::INVALID_JSON).detail("body", told)
}

/// Whether this can be a mistyped name and cannot be a password, which has a digit, or a token, which has a dot.
fn is_plain(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_')
}

/// A body that is not the JSON it should be.
#[expect(clippy::needless_pass_by_value, reason = "actix passes it so")]
pub(super) fn json_error(error: JsonPayloadError, _: &HttpRequest) -> actix_web::Error {
    let refused = match &error {
        JsonPayloadError::OverflowKnownLength { limit, .. } | JsonPayloadError::Overflow { limit } => {
            ApiError::new(error_codes::PAYLOAD_TOO_LARGE).detail("max_bytes", limit.to_string())
        }
        JsonPayloadError::ContentType => no_json(),
        JsonPayloadError::Deserialize(why) => invalid_json(why),
        JsonPayloadError::Payload(actix_web::error::PayloadError::Overflow) => ApiError::new(error_codes::PAYLOAD_TOO_LARGE),
        _ => ApiError::new(error_codes::INVALID_JSON),
    };
    refused.into()
}

/// Names of fields are shorter.
const LONGEST_NAME: usize = 40;

/// A query string that is not what the route takes.
#[expect(clippy::needless_pass_by_value, reason = "actix passes it so")]
pub(super) fn query_error(error: QueryPayloadError, _: &HttpRequest) -> actix_web::Error {
    let told = ApiError::new(error_codes::INVALID_QUERY);
    let text = error.to_string();
    // serde's words hold the name of the field, or nothing that says which.
    let name_after = |words: &str| {
        let name = text.split_once(words)?.1.split_once('`')?.0;
        (is_plain(name) && (1..=LONGEST_NAME).contains(&name.len())).then(|| name.to_owned())
    };
    let refused = if let Some(name) = name_after("unknown field `") {
        told.detail(name, "is not known here")
    } else if let Some(name) = name_after("duplicate field `") {
        told.detail(name, "may be there once")
    } else if let Some(name) = name_after("missing field `") {
        told.detail(name, "is missing")
    } else {
        told.detail("query", "has a field that is not known here, or a value that cannot be read")
    };
    refused.into()
}

/// A path segment that is not what the route takes.
#[expect(clippy::needless_pass_by_value, reason = "actix passes it so")]
pub(super) fn path_error(error: PathError, _: &HttpRequest) -> actix_web::Error {
    ApiError::new(error_codes::INVALID_PATH).detail("path", path_reason(&error)).into()
}

/// The words of the library are none for people.
fn path_reason(error: &PathError) -> &'static str {
    match error {
        PathError::Deserialize(_) => "a part of it is not of the form this route takes, such as a UUID",
        _ => "cannot be read",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;
    use serde_json::Value;

    fn read(content_type: &str, body: &str) -> Result<Value, &'static str> {
        let request = TestRequest::default().insert_header((header::CONTENT_TYPE, content_type)).to_http_request();
        ApiError::read_json(&request, body.as_bytes()).map_err(|error| error.code().code)
    }

    #[test]
    fn a_body_taken_as_bytes_is_read_like_any_other() {
        assert_eq!(read("application/json; charset=utf-8", "{}"), Ok(Value::Object(serde_json::Map::new())));
        assert_eq!(read("application/problem+json", "1"), Ok(1.into()));
        assert_eq!(read("application/json", "{"), Err("invalid_json"));
        assert_eq!(read("text/plain", "{}"), Err("unsupported_media_type"));
        assert_eq!(read("", "{}"), Err("unsupported_media_type"));
    }

    #[test]
    fn a_value_that_does_not_fit_is_not_repeated() {
        #[derive(Debug, serde::Deserialize)]
        struct Body {
            #[expect(dead_code, reason = "only read")]
            password: String,
        }
        for body in [r#"{"password":4711}"#, r#"{"password":["hunter2, expected 4711"]}"#, r#"{"password":true, "a":"4711"}"#] {
            let request = TestRequest::default().insert_header(header::ContentType::json()).to_http_request();
            let error = ApiError::read_json::<Body>(&request, body.as_bytes()).unwrap_err();
            assert!(error.details["body"].starts_with("a value does not fit, expected a string"), "{:?}", error.details);
            assert!(!format!("{:?}", error.details).contains("4711"));
        }
    }

    #[test]
    fn an_unknown_field_is_named_where_its_name_is_plain_and_cannot_be_a_password() {
        #[derive(Debug, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Body {
            #[expect(dead_code, reason = "only read")]
            password: String,
        }
        let told = |field: &str| {
            let request = TestRequest::default().insert_header(header::ContentType::json()).to_http_request();
            let body = serde_json::json!({ field: 1 }).to_string();
            ApiError::read_json::<Body>(&request, body.as_bytes()).unwrap_err().details["body"].clone()
        };
        assert!(told("passWord_again").starts_with("unknown field `passWord_again`, expected `password` at"));
        for field in ["Correct-horse-9", "Correct_horse_9", "a`4711", "a`, expected `4711", "v4.local.AAAA", "péché", "a b"] {
            assert!(told(field).starts_with("a field is not known, expected `password` at"), "{field}: {}", told(field));
        }
    }

    #[test]
    fn every_401_says_how_to_authenticate_and_whether_a_token_was_no_good() {
        for code in error_codes::ALL {
            let response = ApiError::new(code).error_response();
            let challenge = response.headers().get(header::WWW_AUTHENTICATE).map(|value| value.to_str().unwrap());
            let expected = match (code.status, code.code) {
                (401, "authentication_required" | "invalid_credentials" | "invalid_api_key") => Some("Bearer"),
                (401, _) => Some("Bearer error=\"invalid_token\""),
                _ => None,
            };
            assert_eq!(challenge, expected, "{}", code.code);
        }
    }
}
