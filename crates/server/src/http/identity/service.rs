//! `GET /api/v2/user/health` and `GET /api/v2/auth/health`: whether accounts can be read.

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
    /// `user` or `auth`.
    service: &'static str,
    /// When this was looked at, RFC 3339.
    #[schema(format = DateTime)]
    timestamp: String,
    /// Its routes: those under `/api/v2/user/` or `/api/v2/auth/`.
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
    health("user", "/api/v2/user/", &use_case).await
}

/// Whether people can sign in, and by which routes.
#[utoipa::path(
    get,
    path = "/api/v2/auth/health",
    tag = "auth",
    responses((status = 200, description = "How it is", body = UserHealthBody))
)]
pub(in crate::http) async fn auth_health(use_case: Data<OwnAccount>) -> HttpResponse {
    health("auth", "/api/v2/auth/", &use_case).await
}

async fn health(service: &'static str, under: &str, accounts: &OwnAccount) -> HttpResponse {
    private(UserHealthBody {
        status: if accounts.answers().await { "healthy" } else { "degraded" },
        service,
        timestamp: rfc3339(OffsetDateTime::now_utc()),
        endpoints: ENDPOINTS.iter().map(|endpoint| endpoint.path).filter(|path| path.starts_with(under)).collect(),
    })
}
