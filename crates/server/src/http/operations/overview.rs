//! How things are, and what may be forgotten.

use actix_web::{HttpResponse, web::Data};
use coinlink_application::operations::{ClearCaches, ReadStats};

use super::{
    answers::{AdminStatsBody, ClearedBody},
    errors::AdministratorsOnly,
    guard::Admin,
    requests::ClearCacheBody,
};
use crate::http::{ApiError, gate::Client, json_object::JsonObject, private::private};

/// Accounts, sessions, sign-ins and mail in numbers.
#[utoipa::path(
    get,
    path = "/api/v2/admin/stats",
    tag = "admin",
    operation_id = "admin_stats",
    responses(
        (status = 200, description = "Counted at most ten seconds ago", body = AdminStatsBody),
        AdministratorsOnly
    ),
    security(("bearer" = []))
)]
pub(in crate::http) async fn stats(admin: Admin, use_case: Data<ReadStats>, client: Client) -> Result<HttpResponse, ApiError> {
    let stats = use_case.execute(admin.0.user, &client.0).await?;
    Ok(private(AdminStatsBody::from(stats)))
}

/// Clear caches.
///
/// What is kept only so that it need not be asked for again; never limits, revocations or leases. Clients notice nothing but that
/// what they missed before cannot be read again.
#[utoipa::path(
    post,
    path = "/api/v2/admin/cache/clear",
    tag = "admin",
    request_body = ClearCacheBody,
    responses(
        (status = 200, description = "What was cleared", body = ClearedBody),
        (status = 400, description = "`reason_required`, `invalid_input`: there is no such cache"),
        AdministratorsOnly
    ),
    security(("bearer" = []))
)]
pub(in crate::http) async fn clear_cache(
    admin: Admin,
    use_case: Data<ClearCaches>,
    client: Client,
    JsonObject(body): JsonObject<ClearCacheBody>,
) -> Result<HttpResponse, ApiError> {
    let reason = body.reason()?;
    let only = body.cache.as_deref().filter(|cache| *cache != "all");
    let cleared = use_case.execute(admin.0.user, only, &reason, &client.0).await?;
    Ok(private(ClearedBody::from(cleared)))
}
