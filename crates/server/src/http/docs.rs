//! The API's own documents: OpenAPI from the code, AsyncAPI for the socket, and a reference that needs no other host.

use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::{Arc, LazyLock},
};

use actix_web::{
    HttpResponse,
    http::header::{self, HeaderValue},
    web::Path,
};
use bytes::Bytes;
use utoipa::{
    Modify, OpenApi,
    openapi::{
        Content, OpenApi as Specification, Ref, RefOr, ResponseBuilder,
        path::{Operation, PathItem},
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};
use utoipa_swagger_ui::Config;

use super::{
    ApiError, Conditional, connections, error_codes, health, home, identity::IdentityDocument, metrics, prices,
    shapes::ErrorBody, stream,
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "CoinLink",
        description = "Accounts and live crypto prices over HTTP, server-sent events and WebSocket. Every answer carries `X-Request-Id` and `X-Trace-Id`, every one that is counted `X-RateLimit-Limit`, `-Remaining` and `-Reset`; every error has the body `ErrorBody`."
    ),
    tags(
        (name = "market", description = "Prices"),
        (name = "operations", description = "How the server is, and what it offers")
    ),
    components(schemas(ErrorBody)),
    paths(
        home::index,
        health::health,
        health::livez,
        health::readyz,
        prices::ticker,
        prices::bitcoin,
        connections::connections,
        connections::socket_expected,
        stream::ticker_events,
        metrics::scrape,
        openapi,
        asyncapi
    )
)]
struct Document;

/// What any route may answer, whatever it is for, and how callers show who they are.
struct Everywhere;

/// Status and meaning of the errors that come from what stands before and around the handlers.
const ANY_ROUTE: [(&str, &str); 7] = [
    ("400", "The request is malformed: `bad_request`, `invalid_query`, `invalid_path`"),
    (
        "401",
        "The access token that was sent is no good: `invalid_token`, `token_expired`, `token_not_yet_valid`, `session_revoked`",
    ),
    ("405", "The path does not take this method: `method_not_allowed`"),
    ("429", "Too many requests: `rate_limited`; try again after `Retry-After`"),
    ("500", "`internal_error`"),
    ("503", "`dependency_unavailable`; try again after `Retry-After`"),
    ("504", "`request_timeout`"),
];
/// The same for routes that read a body.
const ANY_BODY: [(&str, &str); 2] =
    [("413", "The body is too large: `payload_too_large`"), ("415", "The body is no JSON: `unsupported_media_type`")];

impl Modify for Everywhere {
    fn modify(&self, document: &mut Specification) {
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
        document.components.get_or_insert_default().add_security_scheme("bearer", SecurityScheme::Http(bearer));
        for item in document.paths.paths.values_mut() {
            for operation in operations(item) {
                let body = if operation.request_body.is_some() { &ANY_BODY[..] } else { &[] };
                for (status, meaning) in ANY_ROUTE.iter().chain(body) {
                    operation.responses.responses.entry((*status).to_owned()).or_insert_with(|| error(meaning));
                }
            }
        }
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.put, &mut item.post, &mut item.delete, &mut item.patch].into_iter().flatten()
}

fn error(meaning: &str) -> RefOr<utoipa::openapi::Response> {
    let body = Content::new(Some(Ref::from_schema_name("ErrorBody")));
    RefOr::T(ResponseBuilder::new().description(meaning).content("application/json", body).build())
}

/// The OpenAPI document.
pub fn openapi_json() -> String {
    let mut document = Document::openapi();
    document.merge(IdentityDocument::openapi());
    Everywhere.modify(&mut document);
    // Made of what this program is made of: nothing here fails to serialise.
    document.to_pretty_json().unwrap_or_default()
}

const ASYNCAPI: &str = include_str!("asyncapi.json");
/// Documents change with a release only.
const CACHE: &str = "public, max-age=300";

static OPENAPI: LazyLock<Conditional> = LazyLock::new(|| {
    let text = openapi_json();
    Conditional { etag: etag_of("openapi", text.as_bytes()), ..Conditional::json(text.into(), "", CACHE) }
});

/// A strong tag for a document: it changes when the bytes do, and with the release.
pub(super) fn etag_of(what: &str, bytes: &[u8]) -> HeaderValue {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    let tag = format!("\"{what}-{}-{:016x}\"", env!("CARGO_PKG_VERSION"), hasher.finish());
    HeaderValue::from_str(&tag).unwrap_or(HeaderValue::from_static(""))
}

/// This document.
#[utoipa::path(get, path = "/openapi.json", tag = "operations", responses((status = 200, description = "OpenAPI 3.1", content_type = "application/json")))]
pub(super) async fn openapi() -> Conditional {
    OPENAPI.clone()
}

/// The socket's messages.
#[utoipa::path(get, path = "/asyncapi.json", tag = "operations", responses((status = 200, description = "AsyncAPI 3.0", content_type = "application/json")))]
pub(super) async fn asyncapi() -> Conditional {
    let body = Bytes::from_static(ASYNCAPI.as_bytes());
    Conditional { etag: etag_of("asyncapi", &body), ..Conditional::json(body, "", CACHE) }
}

/// Swagger UI styles itself inline and embeds its icons.
const REFERENCE_POLICY: &str = "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:";

static SWAGGER: LazyLock<Arc<Config<'static>>> = LazyLock::new(|| Arc::new(Config::from("/openapi.json")));

/// The reference's files are relative to the slash.
pub(super) async fn to_reference() -> HttpResponse {
    HttpResponse::PermanentRedirect().insert_header((header::LOCATION, "/docs/")).finish()
}

/// A file of the reference.
pub(super) async fn reference(file: Path<String>) -> Result<HttpResponse, ApiError> {
    let found = utoipa_swagger_ui::serve(&file, Arc::clone(&SWAGGER));
    let found = found.map_err(|error| ApiError::new(error_codes::INTERNAL_ERROR).caused_by(error.to_string()))?;
    let found = found.ok_or_else(|| ApiError::new(error_codes::NOT_FOUND))?;
    let mut response = HttpResponse::Ok();
    response
        .insert_header((header::CONTENT_TYPE, found.content_type))
        .insert_header((header::CACHE_CONTROL, CACHE))
        .insert_header((header::CONTENT_SECURITY_POLICY, REFERENCE_POLICY));
    Ok(response.body(found.bytes.into_owned()))
}
