//! Looking at a link changes nothing: whatever reads mail on its way to a person opens its links.

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Query},
};
use coinlink_application::identity::LookAtLink;
use coinlink_domain::identity::LinkPurpose;

use super::{
    bodies::{LinkBody, LinkQuery, OldVerificationBody},
    browser::opening,
    errors::ASKED_ELSEWHERE,
};
use crate::{
    http::{ApiError, error_codes, gate::is_shown, private::private},
    wire::rfc3339,
};

async fn look(
    request: &HttpRequest,
    use_case: &LookAtLink,
    query: &LinkQuery,
    purpose: LinkPurpose,
) -> Result<HttpResponse, ApiError> {
    let view = use_case.execute(&opening(request, &query.token, None), purpose).await?;
    let message = match &view {
        None => "This link is not valid any more. Ask for a new one.",
        Some(view) if !view.usable_here => ASKED_ELSEWHERE,
        Some(view) if view.code_needed => "Enter the code that came with the link.",
        Some(_) => "This link is good.",
    };
    Ok(private(LinkBody {
        valid: view.is_some(),
        purpose: purpose.name(),
        usable_here: view.as_ref().map(|view| view.usable_here),
        code_needed: view.as_ref().map(|view| view.code_needed),
        csrf_needed: is_shown(request.headers()),
        expires_at: view.as_ref().map(|view| rfc3339(view.expires_at)),
        email: view.map(|view| view.email),
        message,
    }))
}

/// Look at a link that verifies an address.
#[utoipa::path(
    get,
    path = "/api/v2/auth/email/verify",
    tag = "auth",
    params(LinkQuery),
    responses((status = 200, description = "Whether it can be used, and with what; nothing changes", body = LinkBody)),
    security((), ("bearer" = []))
)]
pub(in crate::http) async fn look_at_verification(
    request: HttpRequest,
    use_case: Data<LookAtLink>,
    query: Query<LinkQuery>,
) -> Result<HttpResponse, ApiError> {
    look(&request, &use_case, &query, LinkPurpose::VerifyEmail).await
}

/// Look at a link that resets a password.
#[utoipa::path(
    get,
    path = "/api/v2/auth/password/reset",
    tag = "auth",
    params(LinkQuery),
    responses((status = 200, description = "Whether it can be used, and with what; nothing changes", body = LinkBody))
)]
pub(in crate::http) async fn look_at_reset(
    request: HttpRequest,
    use_case: Data<LookAtLink>,
    query: Query<LinkQuery>,
) -> Result<HttpResponse, ApiError> {
    look(&request, &use_case, &query, LinkPurpose::ResetPassword).await
}

/// Look at a link that changes an address.
#[utoipa::path(
    get,
    path = "/api/v2/auth/email/change/confirm",
    tag = "auth",
    params(LinkQuery),
    responses((status = 200, description = "Whether it can be used, and with what; nothing changes", body = LinkBody)),
    security((), ("bearer" = []))
)]
pub(in crate::http) async fn look_at_change(
    request: HttpRequest,
    use_case: Data<LookAtLink>,
    query: Query<LinkQuery>,
) -> Result<HttpResponse, ApiError> {
    look(&request, &use_case, &query, LinkPurpose::ChangeEmail).await
}

/// Look at a link that takes a change of an address back.
#[utoipa::path(
    get,
    path = "/api/v2/auth/email/change/undo",
    tag = "auth",
    params(LinkQuery),
    responses((status = 200, description = "Whether it can be used, and with what; nothing changes", body = LinkBody))
)]
pub(in crate::http) async fn look_at_undo(
    request: HttpRequest,
    use_case: Data<LookAtLink>,
    query: Query<LinkQuery>,
) -> Result<HttpResponse, ApiError> {
    look(&request, &use_case, &query, LinkPurpose::UndoEmailChange).await
}

/// Whether the address of a link is verified, at the path of the older front end.
///
/// It never verifies: that is `POST /api/v2/auth/email/verify`, or the page at `next`.
#[utoipa::path(
    get,
    path = "/api/auth/verify",
    tag = "auth",
    params(LinkQuery),
    responses(
        (status = 200, description = "Whether the address is verified", body = OldVerificationBody),
        (status = 400, description = "`invalid_link`")
    )
)]
pub(in crate::http) async fn old_verification(
    request: HttpRequest,
    use_case: Data<LookAtLink>,
    query: Query<LinkQuery>,
) -> Result<HttpResponse, ApiError> {
    let opening = opening(&request, &query.token, None);
    let success = use_case.is_verified(&opening).await?.ok_or_else(|| ApiError::new(error_codes::INVALID_LINK))?;
    // The text of a link is nothing but hexadecimal digits, or it would be none.
    let next = (!success).then(|| format!("/account/verify?token={}", query.token));
    let message = if success {
        "Your e-mail address is verified."
    } else {
        "Your e-mail address is not verified yet: open the link in the mail, and confirm there."
    };
    Ok(private(OldVerificationBody { success, message, next }))
}
