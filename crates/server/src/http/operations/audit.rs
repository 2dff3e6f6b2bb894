//! The audit log.

use actix_web::{
    HttpResponse,
    web::{Data, Query},
};
use coinlink_application::operations::ReadAudit;

use super::{
    answers::AuditBody,
    errors::{AdministratorsOnly, UnreadableFilter},
    guard::Admin,
    requests::AuditQuery,
};
use crate::http::{ApiError, gate::Client, private::private};

/// The audit log, newest first.
///
/// Filters combine. Reading it is an entry itself. What is added while pages are read is on none of the next ones.
#[utoipa::path(
    get,
    path = "/api/v2/admin/audit",
    tag = "admin",
    operation_id = "admin_audit",
    params(AuditQuery),
    responses(
        (status = 200, description = "Entries as the filters want them; none for an action that nobody does", body = AuditBody),
        UnreadableFilter,
        AdministratorsOnly
    ),
    security(("bearer" = []))
)]
pub(in crate::http) async fn audit(
    admin: Admin,
    use_case: Data<ReadAudit>,
    client: Client,
    query: Query<AuditQuery>,
) -> Result<HttpResponse, ApiError> {
    let (filter, limit) = (query.filter()?, query.limit()?);
    let page = use_case.execute(admin.0.user, &filter, query.cursor()?, limit, &client.0).await?;
    Ok(private(AuditBody::new(page, limit)))
}
