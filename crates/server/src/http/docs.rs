//! The API's own documents: OpenAPI from the code, AsyncAPI for the socket, and a reference that needs no other host.

use std::sync::{Arc, LazyLock};

use actix_web::{
    HttpResponse,
    http::header,
    web::{self, Path},
};
use utoipa::{Modify as _, OpenApi};
use utoipa_swagger_ui::Config;

use super::{
    ApiError, Conditional,
    always_sent::require_what_may_be_null,
    assistant::AssistantDocument,
    conditional::Unchanged,
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
        description = "Accounts and live crypto prices over HTTP, server-sent events and WebSocket. Every answer carries `X-Request-Id` and `X-Trace-Id`, every one that is counted `X-RateLimit-Limit`, `-Remaining` and `-Reset`; every error has the body `ErrorBody`. Moments are RFC 3339 in UTC with six digits of a second (`2026-01-31T12:00:00.000000Z`), so that texts sort as moments do; any number of digits is taken. A path that takes GET takes HEAD as well; preflight requests of browsers are answered at every path."
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

fn written() -> String {
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
    let mut document = serde_json::to_value(&document).unwrap_or_default();
    require_what_may_be_null(&mut document);
    document.to_string()
}

/// Documents change with a release only.
const CACHE: &str = "public, max-age=300";

static TEXT: LazyLock<String> = LazyLock::new(written);
static OPENAPI: LazyLock<Conditional> = LazyLock::new(|| Conditional::tagged("openapi", TEXT.as_bytes().into(), CACHE));
static ASYNCAPI: LazyLock<Conditional> =
    LazyLock::new(|| Conditional::tagged("asyncapi", include_str!("asyncapi.json").into(), CACHE));

/// The OpenAPI document, which is made for the first who asks.
pub fn openapi_json() -> &'static str {
    &TEXT
}

/// This document.
#[utoipa::path(
    get,
    path = "/openapi.json",
    tag = "operations",
    responses(
        (status = 200, description = "OpenAPI 3.1", content_type = "application/json"),
        Unchanged
    )
)]
pub(super) async fn openapi() -> Result<Conditional, ApiError> {
    if let Some(made) = LazyLock::get(&OPENAPI) {
        return Ok(made.clone());
    }
    // Making it takes a while, and this thread serves others meanwhile.
    let made = web::block(|| OPENAPI.clone()).await;
    made.map_err(|error| ApiError::new(error_codes::INTERNAL_ERROR).caused_by(error))
}

/// The socket's messages.
#[utoipa::path(
    get,
    path = "/asyncapi.json",
    tag = "operations",
    responses(
        (status = 200, description = "AsyncAPI 3.0", content_type = "application/json"),
        Unchanged
    )
)]
pub(super) async fn asyncapi() -> Conditional {
    ASYNCAPI.clone()
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
