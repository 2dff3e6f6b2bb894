use actix_web::{
    HttpResponse,
    http::{StatusCode, header},
};
use serde::Serialize;

/// An answer that is for nobody else and for no cache.
pub(super) fn private(body: impl Serialize) -> HttpResponse {
    private_as(StatusCode::OK, body)
}

/// The same with another status.
pub(super) fn private_as(status: StatusCode, body: impl Serialize) -> HttpResponse {
    HttpResponse::build(status).insert_header((header::CACHE_CONTROL, "no-store")).json(body)
}
