use actix_web::{HttpRequest, HttpResponse, web::Data};
use coinlink_application::identity::{ChangeEmail, ResetPassword, UndoEmailChange, VerifyEmail};
use coinlink_domain::identity::LinkCode;

use super::{
    super::{answers::MessageBody, errors::HashingBusy, outcome::note, sessions::message, sign_in::device_cookie},
    bodies::{OpenLinkBody, PasswordResetBody, ResetPasswordBody, VerifyEmailBody},
    browser::opening,
};
use crate::{
    http::{
        ApiError, error_codes,
        gate::{Caller, Client, SignedIn},
        json_object::JsonObject,
        private::private,
    },
    telemetry::Metrics,
};

/// Verify an address.
///
/// In the browser, or with an access token of the session, that opened the account the link is enough, and in that session the code in
/// the same mail alone as well. Anywhere else it takes the link, the code and another password, and everything else that could open
/// the account goes: it may have been opened by somebody else.
#[utoipa::path(
    post,
    path = "/api/v2/auth/email/verify",
    tag = "auth",
    request_body = VerifyEmailBody,
    responses(
        (status = 200, description = "The address is verified", body = MessageBody),
        (status = 400, description = "`invalid_link`, `weak_password`, or `invalid_input`: set a password"),
        (status = 401, description = "`invalid_code`; after five of them the link is void. `authentication_required`: there is neither a link nor a session"),
        (status = 403, description = "`code_required`"),
        HashingBusy
    ),
    security((), ("bearer" = []))
)]
pub(in crate::http) async fn verify_email(
    request: HttpRequest,
    metrics: Data<Metrics>,
    use_case: Data<VerifyEmail>,
    client: Client,
    JsonObject(body): JsonObject<VerifyEmailBody>,
) -> Result<HttpResponse, ApiError> {
    let code = body.code.as_deref();
    let done = if let Some(token) = &body.token {
        let password = body.password.as_ref().map(|password| &password.0);
        use_case.execute(&opening(&request, token, code), password, &client.0).await
    } else {
        let Some(Caller::User { user, session, .. }) = Caller::of(&request) else { return Err(SignedIn::missing(&request)) };
        if body.password.is_some() {
            return Err(ApiError::invalid_input("password", "goes with a token"));
        }
        let code = code.ok_or_else(|| ApiError::invalid_input("code", "send it, or the token"))?;
        use_case.by_code((user, session), LinkCode::from_text(code), &client.0).await.map(|()| false)
    };
    let is_password_set = note(&metrics, "email_verify", done)?;
    Ok(message(if is_password_set {
        "Your e-mail address is verified, and your new password is set: the old one no longer works. Sign in with the new one."
    } else {
        "Your e-mail address is verified."
    }))
}

/// Reset the password.
///
/// All sessions end; you are not signed in. Sets the cookie by which this browser is known when you sign in.
#[utoipa::path(
    post,
    path = "/api/v2/auth/password/reset",
    tag = "auth",
    request_body = ResetPasswordBody,
    responses(
        (status = 200, description = "The password is another, and all sessions are over", body = PasswordResetBody),
        (status = 400, description = "`invalid_link` or `weak_password`"),
        (status = 401, description = "`invalid_code`; after five of them the link is void"),
        (status = 403, description = "`code_required`"),
        HashingBusy
    )
)]
pub(in crate::http) async fn reset_password(
    request: HttpRequest,
    metrics: Data<Metrics>,
    use_case: Data<ResetPassword>,
    client: Client,
    JsonObject(body): JsonObject<ResetPasswordBody>,
) -> Result<HttpResponse, ApiError> {
    let opening = opening(&request, &body.token, body.code.as_deref());
    let done = use_case.execute(&opening, &body.password.0, &client.0).await;
    let device = note(&metrics, "password_reset", done)?;
    let message = "Your password is changed, and all sessions are over. Sign in with the new one.";
    let mut response = private(PasswordResetBody { message, device_token: device.0.clone() });
    response.add_cookie(&device_cookie(device)).map_err(|error| ApiError::new(error_codes::INTERNAL_ERROR).caused_by(error))?;
    Ok(response)
}

/// Change the address.
///
/// Only where the change was asked for: in the same browser, or signed in to the same account; no code makes up for that. Your other
/// sessions end. The old address, where it was verified, gets a link to take this back within seven days.
#[utoipa::path(
    post,
    path = "/api/v2/auth/email/change/confirm",
    tag = "auth",
    request_body = OpenLinkBody,
    responses(
        (status = 200, description = "The account has the new address", body = MessageBody),
        (status = 400, description = "`invalid_link`"),
        (status = 403, description = "`code_required`: open it where you asked for the change")
    ),
    security((), ("bearer" = []))
)]
pub(in crate::http) async fn confirm_email_change(
    request: HttpRequest,
    metrics: Data<Metrics>,
    use_case: Data<ChangeEmail>,
    client: Client,
    JsonObject(body): JsonObject<OpenLinkBody>,
) -> Result<HttpResponse, ApiError> {
    let opening = opening(&request, &body.token, body.code.as_deref());
    let done = use_case.confirm(&opening, &client.0).await;
    note(&metrics, "email_change_confirm", done)?;
    Ok(message("Your account has this address now."))
}

/// Take a change of the address back.
///
/// All sessions end, nobody knows the password any more, and a link to set another goes to the address of before. Five wrong codes do
/// not void this link: for 15 minutes none is looked at, and each is answered as a wrong one.
#[utoipa::path(
    post,
    path = "/api/v2/auth/email/change/undo",
    tag = "auth",
    request_body = OpenLinkBody,
    responses(
        (status = 200, description = "The account has its old address", body = MessageBody),
        (status = 400, description = "`invalid_link`"),
        (status = 401, description = "`invalid_code`; after five of them none is looked at for 15 minutes"),
        (status = 403, description = "`code_required`"),
        HashingBusy
    )
)]
pub(in crate::http) async fn undo_email_change(
    request: HttpRequest,
    metrics: Data<Metrics>,
    use_case: Data<UndoEmailChange>,
    client: Client,
    JsonObject(body): JsonObject<OpenLinkBody>,
) -> Result<HttpResponse, ApiError> {
    let opening = opening(&request, &body.token, body.code.as_deref());
    let done = use_case.execute(&opening, &client.0).await;
    note(&metrics, "email_change_undo", done)?;
    Ok(message("Your account has its old address again. A letter with a link to set another password is on its way to it."))
}
