//! Other people's accounts.

use actix_web::{
    HttpResponse,
    web::{Data, Path, Query},
};
use coinlink_application::identity::{AdministerAccounts, ReadAccounts};
use coinlink_domain::identity::UserId;
use uuid::Uuid;

use super::{
    answers::{AccountsBody, AdministeredBody},
    errors::{AdministratorsOnly, NeedsReason, UnreadableFilter},
    guard::Admin,
    requests::{ReasonBody, UsersQuery},
};
use crate::http::{ApiError, gate::Client, json_object::JsonObject, private::private};

/// Accounts, opened last first.
#[utoipa::path(
    get,
    path = "/api/v2/admin/users",
    tag = "admin",
    operation_id = "admin_users",
    params(UsersQuery),
    responses(
        (status = 200, description = "Accounts as the filters want them, all of them together", body = AccountsBody),
        UnreadableFilter,
        AdministratorsOnly
    ),
    security(("bearer" = []))
)]
pub(in crate::http) async fn users(
    admin: Admin,
    use_case: Data<ReadAccounts>,
    client: Client,
    query: Query<UsersQuery>,
) -> Result<HttpResponse, ApiError> {
    let (filter, limit) = (query.filter()?, query.limit()?);
    let page = use_case.execute(admin.0, &filter, query.cursor()?, limit, &client.0).await?;
    Ok(private(AccountsBody::new(&page, limit)))
}

/// Lock an account.
///
/// It cannot sign in, its sessions are over on every node within a second, and its API keys are revoked. Its owner gets a mail
/// with the reason. An account that is locked stays locked.
#[utoipa::path(
    post,
    path = "/api/v2/admin/users/{id}/lock",
    tag = "admin",
    params(("id" = Uuid, Path, description = "An account")),
    request_body = ReasonBody,
    responses(
        (status = 200, description = "The account is locked; `changed` says whether it was not before", body = AdministeredBody),
        NeedsReason,
        AdministratorsOnly,
        (status = 404, description = "There is no such account"),
        (status = 409, description = "`last_admin`, `own_account`")
    ),
    security(("bearer" = []))
)]
pub(in crate::http) async fn lock_user(
    admin: Admin,
    use_case: Data<AdministerAccounts>,
    client: Client,
    id: Path<Uuid>,
    JsonObject(body): JsonObject<ReasonBody>,
) -> Result<HttpResponse, ApiError> {
    let reason = body.reason()?;
    let done = use_case.lock(admin.0, UserId(id.into_inner()), &reason, &client.0).await?;
    let message = if done.changed { "The account is locked." } else { "The account was locked already." };
    Ok(private(AdministeredBody::new(&done, message)))
}

/// Unlock an account.
///
/// It may sign in again, and the guesses that were counted against it are forgotten. An account that is not locked stays so.
#[utoipa::path(
    post,
    path = "/api/v2/admin/users/{id}/unlock",
    tag = "admin",
    params(("id" = Uuid, Path, description = "An account")),
    request_body = ReasonBody,
    responses(
        (status = 200, description = "The account may sign in; `changed` says whether it might not before", body = AdministeredBody),
        NeedsReason,
        AdministratorsOnly,
        (status = 404, description = "There is no such account")
    ),
    security(("bearer" = []))
)]
pub(in crate::http) async fn unlock_user(
    admin: Admin,
    use_case: Data<AdministerAccounts>,
    client: Client,
    id: Path<Uuid>,
    JsonObject(body): JsonObject<ReasonBody>,
) -> Result<HttpResponse, ApiError> {
    let reason = body.reason()?;
    let done = use_case.unlock(admin.0, UserId(id.into_inner()), &reason, &client.0).await?;
    let message = if done.changed { "The account may sign in again." } else { "The account was not locked." };
    Ok(private(AdministeredBody::new(&done, message)))
}

/// End all sessions of an account.
///
/// They are over on every node within a second. The account may sign in again.
#[utoipa::path(
    post,
    path = "/api/v2/admin/users/{id}/sessions/revoke",
    tag = "admin",
    operation_id = "admin_revoke_sessions",
    params(("id" = Uuid, Path, description = "An account")),
    request_body = ReasonBody,
    responses(
        (status = 200, description = "The sessions are over", body = AdministeredBody),
        NeedsReason,
        AdministratorsOnly,
        (status = 404, description = "There is no such account")
    ),
    security(("bearer" = []))
)]
pub(in crate::http) async fn revoke_sessions(
    admin: Admin,
    use_case: Data<AdministerAccounts>,
    client: Client,
    id: Path<Uuid>,
    JsonObject(body): JsonObject<ReasonBody>,
) -> Result<HttpResponse, ApiError> {
    let reason = body.reason()?;
    let done = use_case.revoke_sessions(admin.0, UserId(id.into_inner()), &reason, &client.0).await?;
    let message = match done.ended {
        0 => "There was no session to end.".to_owned(),
        1 => "1 session was ended.".to_owned(),
        ended => format!("{ended} sessions were ended."),
    };
    Ok(private(AdministeredBody::new(&done, message)))
}
