//! `GET /api/v2/user/health`: whether accounts can be read.

use actix_web::{HttpResponse, web::Data};
use coinlink_application::identity::OwnAccount;
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::{
    http::{ENDPOINTS, private::private},
    wire::rfc3339,
};

/// How the routes of accounts are.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct UserHealthBody {
    /// `healthy`, or `degraded` while the store does not answer.
    status: &'static str,
    /// `user`.
    service: &'static str,
    /// When this was looked at, RFC 3339.
    #[schema(format = DateTime)]
    timestamp: String,
    /// The routes under `/api/v2/user`.
    endpoints: Vec<&'static str>,
}

/// Whether accounts can be read, and what else there is.
#[utoipa::path(
    get,
    path = "/api/v2/user/health",
    tag = "user",
    responses((status = 200, description = "How it is", body = UserHealthBody))
)]
pub(in crate::http) async fn user_health(use_case: Data<OwnAccount>) -> HttpResponse {
    private(UserHealthBody {
        status: if use_case.answers().await { "healthy" } else { "degraded" },
        service: "user",
        timestamp: rfc3339(OffsetDateTime::now_utc()),
        endpoints: ENDPOINTS.iter().map(|endpoint| endpoint.path).filter(|path| path.starts_with("/api/v2/user/")).collect(),
    })
}
