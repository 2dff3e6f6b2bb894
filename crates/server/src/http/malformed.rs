//! What is told of a body, a query or a path that cannot be read: which field, and why, in plain words. serde's own words name types
//! of this program, and quote a value that does not fit or a field that is not known, which may be a password: neither is told.

use std::fmt::Write as _;

use actix_web::{
    HttpMessage as _, HttpRequest,
    error::{PathError, PayloadError, QueryPayloadError},
};
use serde::de::DeserializeOwned;
use serde_path_to_error::{Path, Segment};

use super::{ApiError, error_codes};

/// The largest JSON body.
#[derive(Debug, Clone, Copy)]
pub(super) struct BodyLimit(pub(super) usize);

/// What is wrong with a text that should be JSON.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The field, or `body`.
    pub(crate) field: String,
    /// Why, in a sentence without the field.
    pub(crate) why: String,
}

/// Reads JSON.
pub(crate) fn read<T: DeserializeOwned>(text: &[u8]) -> Result<T, Fault> {
    let mut json = serde_json::Deserializer::from_slice(text);
    let read = serde_path_to_error::deserialize(&mut json).map_err(|why| unfit(why.inner(), why.path()))?;
    json.end().map_err(|why| no_json(&why))?;
    Ok(read)
}

/// Reads a body that was taken as bytes.
pub(super) fn read_json<T: DeserializeOwned>(request: &HttpRequest, body: &[u8]) -> Result<T, ApiError> {
    must_be_json(request)?;
    read_body(body)
}

/// The same, of a body that was found to be said to be JSON.
pub(super) fn read_body<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    read(body).map_err(|Fault { field, why }| ApiError::new(error_codes::INVALID_JSON).detail(field, why))
}

/// Refuses a body that is said to be something else.
pub(super) fn must_be_json(request: &HttpRequest) -> Result<(), ApiError> {
    let said = request.content_type();
    if said.eq_ignore_ascii_case("application/json") || said.to_ascii_lowercase().ends_with("+json") {
        return Ok(());
    }
    Err(ApiError::new(error_codes::UNSUPPORTED_MEDIA_TYPE).detail("content_type", "must be application/json"))
}

/// A body that did not arrive as a whole, or is too large.
pub(super) fn no_body(request: &HttpRequest, error: &actix_web::Error) -> ApiError {
    let limit = request.app_data::<BodyLimit>().map(|limit| limit.0.to_string());
    match error.as_error::<PayloadError>() {
        Some(PayloadError::Overflow) => {
            let refused = ApiError::new(error_codes::PAYLOAD_TOO_LARGE);
            limit.into_iter().fold(refused, |refused, limit| {
                let message = format!("The body is larger than this route takes: at most {limit} bytes may be sent.");
                refused.message(message).detail("max_bytes", limit)
            })
        }
        _ => ApiError::new(error_codes::INVALID_JSON).detail("body", "did not arrive as a whole"),
    }
}

fn no_json(why: &serde_json::Error) -> Fault {
    let is_empty = why.is_eof() && why.line() <= 1 && why.column() == 0;
    let why = if is_empty { "is empty".to_owned() } else { format!("is no JSON: {why}") };
    Fault { field: "body".to_owned(), why }
}

/// JSON that is not what the route takes.
fn unfit(why: &serde_json::Error, path: &Path) -> Fault {
    if !why.is_data() {
        return no_json(why);
    }
    let text = why.to_string();
    // Where it is says the field.
    let text = text.rfind(" at line ").map_or(text.as_str(), |at| &text[..at]);
    // What is expected is ours, and comes last.
    let (before, expected) = text.rsplit_once(", expected ").unwrap_or((text, ""));
    let named = |words: &str| before.strip_prefix(words).and_then(|name| name.strip_suffix('`')).filter(|name| is_plain(name));
    let inside = field(path);
    let told = |name: Option<&str>, why: String| {
        let field = match (&inside, name) {
            // A field that is not known is where it was read, one that is missing was not.
            (Some(inside), Some(name)) if inside.rsplit('.').next() != Some(name) => format!("{inside}.{name}"),
            (Some(inside), _) => inside.clone(),
            (None, name) => name.unwrap_or("body").to_owned(),
        };
        Fault { field, why }
    };
    if let Some(name) = named("missing field `") {
        told(Some(name), "is missing".to_owned())
    } else if let Some(name) = named("duplicate field `") {
        told(Some(name), "may be there once".to_owned())
    } else if before.starts_with("unknown field ") {
        let expected = if expected.is_empty() { String::new() } else { format!(", where {expected} may be") };
        match named("unknown field `") {
            Some(name) => told(Some(name), format!("is not known here{expected}")),
            None => told(None, format!("has a field that is not known here{expected}")),
        }
    } else if expected.is_empty() {
        told(None, "does not fit".to_owned())
    } else {
        told(None, format!("must be {}", plainly(expected)))
    }
}

/// The field that was being read. Its names are ours, and a map's keys the client's.
fn field(path: &Path) -> Option<String> {
    let mut field = String::new();
    for segment in path {
        match segment {
            Segment::Map { key } if is_plain(key) => {
                if !field.is_empty() {
                    field.push('.');
                }
                field.push_str(key);
            }
            // Writing to a String does not fail.
            Segment::Seq { index } => drop(write!(field, "[{index}]")),
            Segment::Map { .. } | Segment::Enum { .. } | Segment::Unknown => break,
        }
    }
    Some(field).filter(|field| !field.is_empty())
}

/// What serde calls by the name of a type of ours.
fn plainly(expected: &str) -> String {
    let whole = |most: u64| format!("a whole number from 0 to {most}");
    match expected {
        "u8" => whole(u8::MAX.into()),
        "u16" => whole(u16::MAX.into()),
        "u32" => whole(u32::MAX.into()),
        "u64" | "usize" | "u128" => "a whole number that is not negative".to_owned(),
        "i8" | "i16" | "i32" | "i64" | "isize" | "i128" => "a whole number".to_owned(),
        "f32" | "f64" => "a number".to_owned(),
        "a boolean" => "true or false".to_owned(),
        "a sequence" => "a list".to_owned(),
        "a map" => "an object".to_owned(),
        ours if ours.starts_with("struct ") => "an object".to_owned(),
        words => words.to_owned(),
    }
}

/// Names of fields are shorter.
const LONGEST_NAME: usize = 40;

/// Whether this can be a mistyped name and cannot be a password, which has a digit, or a token, which has a dot.
fn is_plain(name: &str) -> bool {
    (1..=LONGEST_NAME).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_')
}

/// A query string that is not what the route takes.
#[expect(clippy::needless_pass_by_value, reason = "actix passes it so")]
pub(super) fn query_error(error: QueryPayloadError, _: &HttpRequest) -> actix_web::Error {
    let told = ApiError::new(error_codes::INVALID_QUERY);
    let text = error.to_string();
    // serde's words hold the name of the field, or nothing that says which.
    let name_after = |words: &str| {
        let name = text.split_once(words)?.1.split_once('`')?.0;
        is_plain(name).then(|| name.to_owned())
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
        PathError::Deserialize(_) => "has a part that is not of the form this route takes, such as a UUID",
        _ => "cannot be read",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::{http::header, test::TestRequest};
    use proptest::prelude::*;
    use serde::Deserialize;
    use serde_json::Value;

    use super::super::json_object::JsonObject;

    fn read_as<T: DeserializeOwned>(content_type: &str, body: &str) -> Result<T, Value> {
        let request = TestRequest::default().insert_header((header::CONTENT_TYPE, content_type)).to_http_request();
        read_json(&request, body.as_bytes())
            .map_err(|error| serde_json::from_slice::<Value>(&error.body()).unwrap()["error"].take())
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read")]
    struct Body {
        password: String,
        #[serde(default)]
        above: u32,
        #[serde(default)]
        below: i64,
        #[serde(default)]
        on: Option<bool>,
        #[serde(default)]
        many: Vec<String>,
        #[serde(default)]
        inner: Option<Inner>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read")]
    struct Inner {
        at: f64,
    }

    fn told(body: &str) -> Value {
        read_as::<JsonObject<Body>>("application/json", body).unwrap_err()["details"].take()
    }

    #[test]
    fn a_body_is_json_and_said_to_be() {
        let code = |content_type, body| read_as::<Value>(content_type, body).map_err(|error| error["code"].clone());
        assert_eq!(code("application/json; charset=utf-8", "{}"), Ok(Value::Object(serde_json::Map::new())));
        assert_eq!(code("application/problem+json", "1"), Ok(1.into()));
        assert_eq!(code("application/json", "{"), Err("invalid_json".into()));
        assert_eq!(code("application/json", "{} {}"), Err("invalid_json".into()));
        assert_eq!(code("text/plain", "{}"), Err("unsupported_media_type".into()));
        assert_eq!(code("", "{}"), Err("unsupported_media_type".into()));
    }

    #[test]
    fn the_field_that_is_wrong_is_named_and_why_is_told_without_our_types() {
        for (body, field, why) in [
            ("{}", "password", "is missing"),
            (r#"{"password":7}"#, "password", "must be a string"),
            (r#"{"password":null}"#, "password", "must be a string"),
            (r#"{"password":"a","password":"b"}"#, "password", "may be there once"),
            (r#"{"password":"a","above":-1}"#, "above", "must be a whole number from 0 to 4294967295"),
            (r#"{"password":"a","below":"1"}"#, "below", "must be a whole number"),
            (r#"{"password":"a","below":1.5}"#, "below", "must be a whole number"),
            (r#"{"password":"a","on":"yes"}"#, "on", "must be true or false"),
            (r#"{"password":"a","many":"yes"}"#, "many", "must be a list"),
            (r#"{"password":"a","many":["b",1]}"#, "many[1]", "must be a string"),
            (r#"{"password":"a","inner":1}"#, "inner", "must be an object"),
            (r#"{"password":"a","inner":{}}"#, "inner.at", "is missing"),
            (r#"{"password":"a","inner":{"at":"1"}}"#, "inner.at", "must be a number"),
            (r#"{"password":"a","inner":{"att":1}}"#, "inner.att", "is not known here, where `at` may be"),
            ("[]", "body", "must be a JSON object"),
            ("null", "body", "must be a JSON object"),
            ("", "body", "is empty"),
            (r#"{"password":"#, "body", "is no JSON: EOF while parsing a value at line 1 column 12"),
            (r#"{"password":"a",}"#, "body", "is no JSON: trailing comma at line 1 column 17"),
        ] {
            assert_eq!(told(body), serde_json::json!({ field: why }), "{body}");
        }
    }

    #[test]
    fn a_value_that_does_not_fit_is_not_repeated() {
        for body in [r#"{"password":4711}"#, r#"{"password":["hunter2, expected 4711"]}"#, r#"{"password":true, "a":"4711"}"#] {
            assert_eq!(told(body), serde_json::json!({"password": "must be a string"}), "{body}");
        }
        assert_eq!(told(r#"{"password":"a","above":4711000000}"#)["above"], "must be a whole number from 0 to 4294967295");
    }

    #[test]
    fn an_unknown_field_is_named_where_its_name_is_plain_and_cannot_be_a_password() {
        let told = |field: &str| told(&serde_json::json!({ field: 1 }).to_string());
        assert!(
            told("passWord_again")["passWord_again"].as_str().unwrap().starts_with("is not known here, where one of `password`")
        );
        for field in ["Correct-horse-9", "Correct_horse_9", "a`4711", "a`, expected `4711", "v4.local.AAAA", "péché", "a b", ""]
        {
            let told = told(field);
            let why = told["body"].as_str().unwrap_or_default();
            assert!(why.starts_with("has a field that is not known here, where one of `password`"), "{field}: {told}");
            assert!(!why.contains("4711"), "{told}");
        }
    }

    proptest! {
        #[test]
        fn no_body_panics_and_what_is_told_has_a_field(body in r#"[\[\]{}":,a-z0-9 `.]{0,60}"#) {
            if let Err(error) = read_as::<JsonObject<Body>>("application/json", &body) {
                prop_assert_eq!(error["details"].as_object().map(serde_json::Map::len), Some(1));
            }
        }
    }
}
