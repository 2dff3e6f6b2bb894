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
use utoipa::{Modify as _, OpenApi};
use utoipa_swagger_ui::Config;

use super::{
    ApiError, Conditional,
    assistant::AssistantDocument,
    connections, error_codes,
    everywhere::Everywhere,
    health, home,
    identity::{CookieDocument, IdentityDocument, LinksDocument},
    jwks,
    key_document::KeyDocument,
    market::{BulletinsDocument, HistoryDocument, MoodDocument},
    metrics,
    notifications::NotificationsDocument,
    operations::{MonitoringDocument, OperationsDocument},
    prices,
    shapes::ErrorBody,
    stream,
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "CoinLink",
        description = "Accounts and live crypto prices over HTTP, server-sent events and WebSocket. Every answer carries `X-Request-Id` and `X-Trace-Id`, every one that is counted `X-RateLimit-Limit`, `-Remaining` and `-Reset`; every error has the body `ErrorBody`. A path that takes GET takes HEAD as well; preflight requests of browsers are answered at every path."
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
        health::readyz_node,
        prices::ticker,
        prices::bitcoin,
        jwks::jwks,
        connections::connections,
        connections::socket_expected,
        stream::ticker_events,
        metrics::scrape,
        metrics::node,
        openapi,
        asyncapi
    )
)]
struct Document;

/// The OpenAPI document.
pub fn openapi_json() -> String {
    let mut document = Document::openapi();
    document.merge(IdentityDocument::openapi());
    document.merge(LinksDocument::openapi());
    document.merge(BulletinsDocument::openapi());
    document.merge(MoodDocument::openapi());
    document.merge(HistoryDocument::openapi());
    document.merge(OperationsDocument::openapi());
    document.merge(MonitoringDocument::openapi());
    document.merge(AssistantDocument::openapi());
    document.merge(NotificationsDocument::openapi());
    KeyDocument.modify(&mut document);
    // Adds to what these say of refusals.
    CookieDocument.modify(&mut document);
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
#[utoipa::path(
    get,
    path = "/openapi.json",
    tag = "operations",
    responses(
        (status = 200, description = "OpenAPI 3.1", content_type = "application/json"),
        (status = 304, description = "Unchanged since `If-None-Match`")
    )
)]
pub(super) async fn openapi() -> Conditional {
    OPENAPI.clone()
}

/// The socket's messages.
#[utoipa::path(
    get,
    path = "/asyncapi.json",
    tag = "operations",
    responses(
        (status = 200, description = "AsyncAPI 3.0", content_type = "application/json"),
        (status = 304, description = "Unchanged since `If-None-Match`")
    )
)]
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
