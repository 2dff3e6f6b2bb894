use actix_web::{HttpRequest, HttpResponse, cookie::Cookie, http::header, web::Data};
use coinlink_application::identity::{AskForMail, ChangeEmail};
use coinlink_domain::identity::Password;

use super::{
    super::{answers::MessageBody, errors::HashingBusy, outcome::note, sign_in::email},
    bodies::{ChangeEmailBody, EmailBody, ResendBody},
    browser::mark,
};
use crate::{
    http::{
        ApiError,
        gate::{Caller, Client, Gatekeeper, SignedIn},
        json_object::JsonObject,
    },
    telemetry::Metrics,
};

/// The same whatever there is to do.
fn on_its_way(browser: Option<Cookie<'_>>) -> HttpResponse {
    let mut response = HttpResponse::Accepted();
    response.insert_header((header::CACHE_CONTROL, "no-store"));
    if let Some(browser) = browser {
        response.cookie(browser);
    }
    response.json(MessageBody { message: "Where that applies, a letter is on its way.".to_owned() })
}

/// Send the mail that verifies an address once more.
///
/// To the address in the body, or to your own where you are signed in and send none. The answer is the same whether there is such
/// an account or not, and whether it is verified already; at most three letters an hour go to an address.
#[utoipa::path(
    post,
    path = "/api/v2/auth/email/resend",
    tag = "auth",
    request_body = ResendBody,
    responses(
        (status = 202, description = "A letter is on its way, where there is an account that is not verified yet", body = MessageBody),
        (status = 400, description = "`invalid_input`"),
        (status = 401, description = "`authentication_required`: no address was sent, and you are not signed in")
    ),
    security((), ("bearer" = []))
)]
pub(in crate::http) async fn resend_verification(
    request: HttpRequest,
    gatekeeper: Data<Gatekeeper>,
    metrics: Data<Metrics>,
    use_case: Data<AskForMail>,
    client: Client,
    JsonObject(body): JsonObject<ResendBody>,
) -> Result<HttpResponse, ApiError> {
    let answer = match (body.email.as_deref(), Caller::of(&request)) {
        (Some(text), _) => {
            let email = email(text)?;
            gatekeeper.charge_letter(&request, "verify", &email).await?;
            use_case.resend(&email, &client.0).await?;
            on_its_way(None)
        }
        (None, Some(Caller::User { user, session, .. })) => {
            gatekeeper.charge_own(&request, user).await?;
            let (mark, cookie) = mark(&request, &use_case);
            use_case.resend_own((user, session), mark, &client.0).await?;
            on_its_way(Some(cookie))
        }
        (None, _) => return Err(SignedIn::missing(&request)),
    };
    metrics.auth_event("email_resend", "ok");
    Ok(answer)
}

/// Ask for a mail to reset the password with.
///
/// The answer is the same whether there is such an account or not; at most three letters an hour go to an address. Sets a cookie by
/// which this browser is recognised when it opens the link: in another one the link takes the code in the same mail.
#[utoipa::path(
    post,
    path = "/api/v2/auth/password/forgot",
    tag = "auth",
    request_body = EmailBody,
    responses(
        (status = 202, description = "A letter is on its way, where there is such an account", body = MessageBody),
        (status = 400, description = "`invalid_input`")
    )
)]
pub(in crate::http) async fn forgot_password(
    request: HttpRequest,
    gatekeeper: Data<Gatekeeper>,
    metrics: Data<Metrics>,
    use_case: Data<AskForMail>,
    client: Client,
    JsonObject(body): JsonObject<EmailBody>,
) -> Result<HttpResponse, ApiError> {
    let email = email(&body.email)?;
    gatekeeper.charge_letter(&request, "reset", &email).await?;
    let (mark, cookie) = mark(&request, &use_case);
    use_case.forgot_password(&email, mark, &client.0).await?;
    metrics.auth_event("password_forgot", "ok");
    Ok(on_its_way(Some(cookie)))
}

/// Ask for another address.
///
/// A link goes to the new one; nothing changes until it is used. The answer is the same where another account has that address:
/// then its owner is told.
#[utoipa::path(
    post,
    path = "/api/v2/auth/email/change",
    tag = "auth",
    request_body = ChangeEmailBody,
    responses(
        (status = 202, description = "A letter is on its way to the new address, unless it has an account", body = MessageBody),
        (status = 400, description = "`invalid_input`"),
        (status = 403, description = "`second_factor_required`"),
        HashingBusy
    ),
    security(("bearer" = []))
)]
#[expect(clippy::too_many_arguments, reason = "what a handler takes is what it extracts")]
pub(in crate::http) async fn change_email(
    request: HttpRequest,
    caller: SignedIn,
    gatekeeper: Data<Gatekeeper>,
    metrics: Data<Metrics>,
    asking: Data<AskForMail>,
    use_case: Data<ChangeEmail>,
    client: Client,
    JsonObject(body): JsonObject<ChangeEmailBody>,
) -> Result<HttpResponse, ApiError> {
    let new = email(&body.email)?;
    if body.password.0.expose().chars().count() > Password::MAX_CHARS {
        return Err(ApiError::invalid_input("password", "1 to 512 characters"));
    }
    gatekeeper.charge_own(&request, caller.user).await?;
    gatekeeper.charge_letter(&request, "change", &new).await?;
    let (mark, cookie) = mark(&request, &asking);
    let who = (caller.user, caller.session);
    let asked = use_case.ask(who, &new, &body.password.0, mark, &client.0).await;
    note(&metrics, "email_change", asked)?;
    Ok(on_its_way(Some(cookie)))
}
