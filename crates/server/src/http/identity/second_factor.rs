//! `/api/v2/auth/2fa`: setting a second factor up, showing it, and doing without it.

use actix_web::{HttpRequest, HttpResponse, web::Data};
use coinlink_application::identity::{
    CompleteSignIn, ConfirmSecondFactor, DisableSecondFactor, FactorProof, RenewRecoveryCodes, SecondFactorError,
    SecondFactorStatus, SetUpSecondFactor, StepUp,
};
use coinlink_domain::identity::{OneTimeSecret, RecoveryCode, TotpCode};

use super::{
    cookie_mode::Mode,
    errors::HashingBusy,
    outcome::note,
    second_factor_shapes::{
        ConfirmBody, DisableBody, EnrolmentBody, FactorStatusBody, FreshBody, ProvenBody, RecoveryCodesBody, SinglePasswordBody,
        VerifyFactorBody,
    },
    sessions::message,
    sign_in::{answer, shown_device},
};
use crate::{
    http::{
        ApiError,
        gate::{Client, Gatekeeper, SignedIn, Verified},
        json_object::JsonObject,
        private::private,
    },
    telemetry::Metrics,
    wire::rfc3339,
};

fn code(text: &str) -> Result<TotpCode, ApiError> {
    let refused = || ApiError::invalid_input("code", "the six digits that your app shows");
    TotpCode::from_text(text).ok_or_else(refused)
}

fn proof(code_text: Option<&str>, recovery_code: Option<&str>) -> Result<FactorProof, ApiError> {
    match (code_text, recovery_code) {
        (Some(text), None) => code(text).map(FactorProof::Code),
        (None, Some(text)) => {
            let refused = || ApiError::invalid_input("recovery_code", "is none: 26 letters and digits");
            RecoveryCode::from_text(text).map(FactorProof::Recovery).ok_or_else(refused)
        }
        _ => Err(ApiError::invalid_input("code", "send either code or recovery_code")),
    }
}

/// Your second factor.
#[utoipa::path(
    get,
    path = "/api/v2/auth/2fa",
    tag = "auth",
    responses(
        (status = 200, description = "Whether a second factor is asked for, and how many recovery codes are left", body = FactorStatusBody)
    ),
    security(("bearer" = []))
)]
pub(in crate::http) async fn second_factor(
    caller: SignedIn,
    use_case: Data<SecondFactorStatus>,
) -> Result<HttpResponse, ApiError> {
    let state = use_case.execute(caller.user).await?;
    Ok(private(FactorStatusBody {
        enabled: state.enabled_at.is_some(),
        enabled_at: state.enabled_at.map(rfc3339),
        recovery_codes_left: state.recovery_codes_left,
    }))
}

/// Set up an authenticator app.
///
/// The secret is shown once, and is asked for only after a code of it was sent to `2fa/confirm`. Asked again before that, there is a new
/// secret, and the earlier one is good for nothing.
#[utoipa::path(
    post,
    path = "/api/v2/auth/2fa/setup",
    tag = "auth",
    request_body = SinglePasswordBody,
    responses(
        (status = 200, description = "What the app is given", body = EnrolmentBody),
        (status = 400, description = "`invalid_input`: the password is another, too"),
        (status = 403, description = "`email_not_verified`"),
        (status = 409, description = "`second_factor_enabled`"),
        HashingBusy
    ),
    security(("bearer" = []))
)]
pub(in crate::http) async fn set_up_second_factor(
    request: HttpRequest,
    Verified(caller): Verified,
    gatekeeper: Data<Gatekeeper>,
    metrics: Data<Metrics>,
    use_case: Data<SetUpSecondFactor>,
    client: Client,
    JsonObject(body): JsonObject<SinglePasswordBody>,
) -> Result<HttpResponse, ApiError> {
    let password = body.password.checked()?;
    gatekeeper.charge_own(&request, caller.user).await?;
    let done = use_case.execute((caller.user, caller.session), &password, &client.0).await;
    Ok(private(EnrolmentBody::from(note(&metrics, "second_factor_setup", done)?)))
}

/// Turn the second factor on.
///
/// Your other sessions are ended; this one goes on. The recovery codes are shown once.
#[utoipa::path(
    post,
    path = "/api/v2/auth/2fa/confirm",
    tag = "auth",
    request_body = ConfirmBody,
    responses(
        (status = 200, description = "It is asked for from now on", body = RecoveryCodesBody),
        (status = 401, description = "`invalid_code`, or not signed in"),
        (status = 409, description = "`second_factor_enabled` or `second_factor_not_set_up`")
    ),
    security(("bearer" = []))
)]
pub(in crate::http) async fn confirm_second_factor(
    request: HttpRequest,
    caller: SignedIn,
    gatekeeper: Data<Gatekeeper>,
    metrics: Data<Metrics>,
    use_case: Data<ConfirmSecondFactor>,
    client: Client,
    JsonObject(body): JsonObject<ConfirmBody>,
) -> Result<HttpResponse, ApiError> {
    let code = code(&body.code)?;
    gatekeeper.charge_own(&request, caller.user).await?;
    let done = use_case.execute((caller.user, caller.session), code, &client.0).await;
    let codes = note(&metrics, "second_factor_enable", done)?;
    Ok(private(RecoveryCodesBody::new(&codes, "Your second factor is on. Keep the recovery codes: they are not shown again.")))
}

/// Show the second factor.
///
/// With the ticket of a sign-in it completes that sign-in. Without one it is shown anew in the session you are signed in with: what is
/// sensitive takes a second factor that is not older than five minutes. A code is good once; so is a recovery code.
#[utoipa::path(
    post,
    path = "/api/v2/auth/2fa/verify",
    tag = "auth",
    request_body = VerifyFactorBody,
    responses(
        (status = 200, description = "You are signed in; or, without a ticket, until when your second factor is fresh", body = ProvenBody),
        (status = 401, description = "`invalid_mfa_ticket` or `invalid_code`; without a ticket, not signed in"),
        (status = 409, description = "`second_factor_not_set_up`")
    ),
    security((), ("bearer" = []))
)]
pub(in crate::http) async fn verify_second_factor(
    request: HttpRequest,
    gatekeeper: Data<Gatekeeper>,
    metrics: Data<Metrics>,
    sign_in: Data<CompleteSignIn>,
    step_up: Data<StepUp>,
    client: Client,
    JsonObject(body): JsonObject<VerifyFactorBody>,
) -> Result<HttpResponse, ApiError> {
    let proof = proof(body.code.as_deref(), body.recovery_code.as_deref())?;
    let Some(ticket) = body.mfa_ticket.as_deref() else {
        let caller = <SignedIn as actix_web::FromRequest>::extract(&request).await?;
        gatekeeper.charge_own(&request, caller.user).await?;
        let done = step_up.execute((caller.user, caller.session), proof, &client.0).await;
        let fresh_until = rfc3339(note(&metrics, "second_factor_verify", done)?);
        return Ok(private(ProvenBody::Fresh(FreshBody { message: "Your second factor was accepted.", fresh_until })));
    };
    let mode = Mode::asked(body.cookies, &request, &gatekeeper)?;
    let device = shown_device(&request, body.device_token.as_deref(), |token| sign_in.device(token));
    let done = match OneTimeSecret::from_text(ticket) {
        Some(ticket) => {
            gatekeeper.charge_given_out(&request, ticket.id).await?;
            sign_in.execute(&ticket, proof, device, client.0).await
        }
        None => Err(SecondFactorError::InvalidTicket),
    };
    let signed_in = note(&metrics, "second_factor_sign_in", done)?;
    answer(&mode, actix_web::http::StatusCode::OK, &signed_in, "You are signed in.")
}

/// Turn the second factor off.
///
/// Takes both factors once more. Your other sessions are ended; this one goes on.
#[utoipa::path(
    post,
    path = "/api/v2/auth/2fa/disable",
    tag = "auth",
    request_body = DisableBody,
    responses(
        (status = 200, description = "It is not asked for any more", body = super::answers::MessageBody),
        (status = 400, description = "`invalid_input`: the password is another, too"),
        (status = 401, description = "`invalid_code`, or not signed in"),
        (status = 409, description = "`second_factor_not_set_up`"),
        HashingBusy
    ),
    security(("bearer" = []))
)]
pub(in crate::http) async fn disable_second_factor(
    request: HttpRequest,
    caller: SignedIn,
    gatekeeper: Data<Gatekeeper>,
    metrics: Data<Metrics>,
    use_case: Data<DisableSecondFactor>,
    client: Client,
    JsonObject(body): JsonObject<DisableBody>,
) -> Result<HttpResponse, ApiError> {
    let proof = proof(body.code.as_deref(), body.recovery_code.as_deref())?;
    let password = body.password.checked()?;
    gatekeeper.charge_own(&request, caller.user).await?;
    let done = use_case.execute((caller.user, caller.session), &password, proof, &client.0).await;
    note(&metrics, "second_factor_disable", done)?;
    Ok(message("Your second factor is off; your other sessions are over."))
}

/// Get new recovery codes.
///
/// All earlier ones are void. Takes a second factor that is not older than five minutes.
#[utoipa::path(
    post,
    path = "/api/v2/auth/2fa/recovery-codes",
    tag = "auth",
    request_body = SinglePasswordBody,
    responses(
        (status = 200, description = "The new codes, shown once", body = RecoveryCodesBody),
        (status = 400, description = "`invalid_input`: the password is another, too"),
        (status = 403, description = "`second_factor_required`"),
        (status = 409, description = "`second_factor_not_set_up`"),
        HashingBusy
    ),
    security(("bearer" = []))
)]
pub(in crate::http) async fn renew_recovery_codes(
    request: HttpRequest,
    caller: SignedIn,
    gatekeeper: Data<Gatekeeper>,
    metrics: Data<Metrics>,
    use_case: Data<RenewRecoveryCodes>,
    client: Client,
    JsonObject(body): JsonObject<SinglePasswordBody>,
) -> Result<HttpResponse, ApiError> {
    let password = body.password.checked()?;
    gatekeeper.charge_own(&request, caller.user).await?;
    let done = use_case.execute((caller.user, caller.session), &password, &client.0).await;
    let codes = note(&metrics, "second_factor_recovery_codes", done)?;
    Ok(private(RecoveryCodesBody::new(&codes, "These are your recovery codes now; all earlier ones are void.")))
}
