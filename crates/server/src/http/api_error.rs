//! The one shape of errors.

use std::{borrow::Cow, collections::BTreeMap, error::Error as StdError, fmt};

use actix_web::{
    HttpResponse, ResponseError,
    body::BoxBody,
    http::{
        StatusCode,
        header::{self, HeaderValue},
    },
};
use bytes::Bytes;
use serde::Serialize;
use uuid::Uuid;

use super::error_codes::{self, ErrorCode};
use crate::telemetry::RequestContext;

/// Everything a handler may fail with.
#[derive(Debug)]
pub struct ApiError {
    code: &'static ErrorCode,
    /// Where it is not that of the table.
    message: Option<Cow<'static, str>>,
    details: BTreeMap<Cow<'static, str>, String>,
    retry_after_secs: Option<u32>,
    allow: Option<&'static str>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl ApiError {
    /// An error of `code` with the message of the table.
    pub const fn new(code: &'static ErrorCode) -> Self {
        Self { code, message: None, details: BTreeMap::new(), retry_after_secs: None, allow: None, source: None }
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
        self.message = Some(message.into());
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

    /// What it says to people, who see nothing else of it: where the table refers to the details, or to the header with the wait,
    /// these are said in its place.
    pub fn words(&self) -> Cow<'_, str> {
        let meaning = self.code.meaning;
        match (&self.message, meaning.split_once(SEE_DETAILS), meaning.split_once(SEE_WAIT)) {
            (Some(message), ..) => message.as_ref().into(),
            (None, Some((what, _)), _) if self.details.is_empty() => format!("{what}.").into(),
            (None, Some((what, _)), _) => {
                let why: Vec<_> = self.details.iter().map(|(field, why)| sentence(field, why)).collect();
                format!("{what}: {}.", why.join("; ")).into()
            }
            (None, None, Some((what, _))) => match self.retry_after_secs {
                None => format!("{what}; try again later.").into(),
                Some(1) => format!("{what}; try again in a second.").into(),
                Some(secs) => format!("{what}; try again in {secs} seconds.").into(),
            },
            (None, None, None) => meaning.into(),
        }
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

    /// Its code.
    pub const fn code(&self) -> &'static ErrorCode {
        self.code
    }

    /// The body, with the trace id of the request being served.
    pub fn body(&self) -> Bytes {
        let trace_id = RequestContext::try_with(|context| context.trace_id).unwrap_or_else(|| RequestContext::current().trace_id);
        let words = self.words();
        let error = Fields { code: self.code.code, message: &words, details: &self.details, trace_id };
        let body = Body { error, detail: &words };
        // Text and maps of text: nothing here fails to serialise.
        serde_json::to_vec(&body).unwrap_or_default().into()
    }
}

/// What the table says where the details say it better.
const SEE_DETAILS: &str = "; details say ";
/// What the table says where the answer knows how long.
const SEE_WAIT: &str = "; try again ";

/// What is wrong with a field, for people: by the name it is sent under, which is what a client's developer looks for.
fn sentence(field: &str, why: &str) -> String {
    let is_verb = ["is ", "are ", "has ", "holds ", "may ", "must "].iter().any(|verb| why.starts_with(verb));
    format!("{field}{} {why}", if is_verb { "" } else { ":" })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_reads_the_message_alone_knows_what_is_wrong_and_how_long_to_wait() {
        let busy = || ApiError::new(error_codes::DEPENDENCY_UNAVAILABLE);
        let field = |field: &'static str, why: &str| ApiError::invalid_input(field, why);
        for (error, expected) in [
            (
                field("current_password", "is not your present password"),
                "A field is not as it must be: current_password is not your present password.",
            ),
            (field("name", "1 to 5").detail("age", "above 3"), "A field is not as it must be: age: above 3; name: 1 to 5."),
            (ApiError::new(error_codes::INVALID_INPUT), "A field is not as it must be."),
            (field("name", "1 to 5").message("Choose a shorter name."), "Choose a shorter name."),
            (busy(), "Something this server depends on is down; try again later."),
            (busy().retry_after(1), "Something this server depends on is down; try again in a second."),
            (busy().retry_after(9), "Something this server depends on is down; try again in 9 seconds."),
            (ApiError::new(error_codes::NOT_FOUND).detail("a", "b"), error_codes::NOT_FOUND.meaning),
        ] {
            assert_eq!(error.words(), expected);
            let body: serde_json::Value = serde_json::from_slice(&error.body()).unwrap();
            assert_eq!((&body["detail"], &body["error"]["message"]), (&expected.into(), &expected.into()));
        }
    }

    #[test]
    fn no_message_sends_people_to_what_they_do_not_see() {
        for code in error_codes::ALL {
            let told = ApiError::new(code).detail("a_field", "is wrong").retry_after(7).words().into_owned();
            assert!(!told.contains("details") && !told.contains("Retry-After"), "{}: {told}", code.code);
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
