//! `POST /api/v2/auth/signup` and `POST /api/v2/auth/login`.

use actix_web::{
    HttpRequest, HttpResponse,
    cookie::{Cookie, SameSite, time::Duration},
    http::{StatusCode, header},
    web::Data,
};
use coinlink_application::identity::{AskForMail, DeviceSecret, NewAccount, SignIn, SignInOutcome, SignUp, SignedIn};
use coinlink_domain::identity::Email;
use coinlink_ports::identity::PresentedDevice;
use tokio::sync::oneshot;
use tracing::Instrument as _;

use super::{
    answers::{SecondFactorRequiredBody, SignedInBody},
    cookie_mode::Mode,
    errors::HashingBusy,
    links::mark,
    outcome::note,
    requests::{SignInBody, SignUpBody, name},
    second_factor_shapes::SignInAnswer,
};
use crate::{
    http::{
        ApiError, error_codes,
        gate::{Client, Gatekeeper},
        json_object::JsonObject,
        private::private,
    },
    telemetry::{Metrics, RequestContext},
};

/// What a browser is known by. The prefix keeps other hosts and plain HTTP from setting it (RFC 6265bis, 4.1.3.2).
pub(super) const DEVICE_COOKIE: &str = "__Host-coinlink-device";
/// The longest time browsers keep a cookie (RFC 6265bis, 5.5).
const DEVICE_KEPT: Duration = Duration::days(400);

/// By which this browser is known when somebody signs in.
pub(super) fn device_cookie(device: DeviceSecret) -> Cookie<'static> {
    Cookie::build(DEVICE_COOKIE, device.0)
        .path("/")
        .secure(true)
        .http_only(true)
        .same_site(SameSite::Lax)
        .max_age(DEVICE_KEPT)
        .finish()
}

pub(super) fn email(text: &str) -> Result<Email, ApiError> {
    Email::try_new(text).map_err(|error| ApiError::invalid_input("email", error.to_string()))
}

pub(super) fn answer(
    mode: &Mode,
    status: StatusCode,
    signed_in: &SignedIn,
    message: &'static str,
) -> Result<HttpResponse, ApiError> {
    let body = SignedInBody::new(signed_in, mode.told(&signed_in.tokens), message);
    let device = device_cookie(signed_in.device_token.clone());
    let response = HttpResponse::build(status).insert_header((header::CACHE_CONTROL, "no-store")).cookie(device).json(body);
    mode.set(&signed_in.tokens, response)
}

/// The device that a client says it is, in the body or by its cookie.
pub(super) fn shown_device(
    request: &HttpRequest,
    in_body: Option<&str>,
    read: impl Fn(&str) -> Option<PresentedDevice>,
) -> Option<PresentedDevice> {
    let cookie = request.cookie(DEVICE_COOKIE);
    in_body.or_else(|| cookie.as_ref().map(Cookie::value)).and_then(read)
}

/// What a sign-in leads to, whichever way it was made, with the tokens where they were asked for.
pub(super) fn outcome(mode: &Mode, outcome: SignInOutcome, message: &'static str) -> Result<HttpResponse, ApiError> {
    match outcome {
        SignInOutcome::SignedIn(signed_in) => answer(mode, StatusCode::OK, &signed_in, message),
        SignInOutcome::SecondFactorRequired(ticket) => {
            Ok(private(SignInAnswer::SecondFactorRequired(SecondFactorRequiredBody::from(ticket))))
        }
    }
}

/// Open an account and sign in.
#[utoipa::path(
    post,
    path = "/api/v2/auth/signup",
    tag = "auth",
    request_body = SignUpBody,
    responses(
        (status = 201, description = "The account, signed in. Sets a cookie by which this browser is known again.", body = SignedInBody, links(
            ("refresh" = (operation_id = "refresh", request_body = json!({"refresh_token": "$response.body#/tokens/refresh_token"}))),
            ("refresh_alias" = (operation_id = "refresh_alias", request_body = json!({"refresh_token": "$response.body#/tokens/refresh_token"}))),
            ("end" = (operation_id = "sign_out", request_body = json!({"refresh_token": "$response.body#/tokens/refresh_token"})))
        )),
        (status = 400, description = "`invalid_input`, `weak_password` or `email_taken`"),
        HashingBusy
    )
)]
pub(in crate::http) async fn sign_up(
    request: HttpRequest,
    gatekeeper: Data<Gatekeeper>,
    metrics: Data<Metrics>,
    use_case: Data<SignUp>,
    asking: Data<AskForMail>,
    client: Client,
    JsonObject(body): JsonObject<SignUpBody>,
) -> Result<HttpResponse, ApiError> {
    let mode = Mode::asked(body.cookies, &request, &gatekeeper)?;
    let email = email(&body.email)?;
    if body.confirm_password.is_some_and(|again| again.0 != body.password.0) {
        return Err(ApiError::invalid_input("confirm_password", "is not the password"));
    }
    let new = NewAccount {
        first_name: name("first_name", body.first_name.as_deref())?,
        last_name: name("last_name", body.last_name.as_deref())?,
        password: body.password.0,
        email,
    };
    gatekeeper.charge_sign_up(&request, &new.email).await?;
    // The browser that opens the account may verify its address without the code.
    let (mark, browser) = mark(&request, &asking);
    let opened = note(&metrics, "sign_up", use_case.in_browser(new, Some(mark), client.0).await)?;
    let mut response = answer(&mode, StatusCode::CREATED, &opened, "Welcome to CoinLink.")?;
    response.add_cookie(&browser).map_err(|error| ApiError::new(error_codes::INTERNAL_ERROR).caused_by(error))?;
    Ok(response)
}

/// Sign in.
///
/// Whether there is such an account is not told: a wrong address, a wrong password, an account that is switched off and one
/// that is being guessed at all look the same and take as long.
#[utoipa::path(
    post,
    path = "/api/v2/auth/login",
    tag = "auth",
    request_body = SignInBody,
    responses(
        (status = 200, description = "You are signed in, which sets a cookie by which this browser is known again; or the account asks for a second factor", body = SignInAnswer, links(
            ("refresh" = (operation_id = "refresh", request_body = json!({"refresh_token": "$response.body#/tokens/refresh_token"}))),
            ("refresh_alias" = (operation_id = "refresh_alias", request_body = json!({"refresh_token": "$response.body#/tokens/refresh_token"}))),
            ("end" = (operation_id = "sign_out", request_body = json!({"refresh_token": "$response.body#/tokens/refresh_token"})))
        )),
        (status = 401, description = "`invalid_credentials`"),
        HashingBusy
    )
)]
pub(in crate::http) async fn sign_in(
    request: HttpRequest,
    gatekeeper: Data<Gatekeeper>,
    metrics: Data<Metrics>,
    use_case: Data<SignIn>,
    client: Client,
    JsonObject(body): JsonObject<SignInBody>,
) -> Result<HttpResponse, ApiError> {
    let mode = Mode::asked(body.cookies, &request, &gatekeeper)?;
    let email = email(&body.email)?;
    let password = body.password.checked()?;
    let device = shown_device(&request, body.device_token.as_deref(), |token| use_case.device(token));
    gatekeeper.charge_sign_in(&request, &email, device.map(|device| device.device)).await?;
    // What a guess leads to is written down although whoever made it hangs up.
    let (staying, left) = oneshot::channel::<()>();
    let attempt = async move {
        let left = async { drop(left.await) };
        use_case.execute(&email, &password, device, client.0, left).await
    };
    let signed_in = tokio::spawn(RequestContext::current().scope(attempt).in_current_span()).await;
    drop(staying);
    let signed_in = signed_in
        .map_err(|error| ApiError::new(error_codes::INTERNAL_ERROR).caused_by(error))
        .and_then(|signed_in| signed_in.map_err(ApiError::from));
    outcome(&mode, note(&metrics, "sign_in", signed_in)?, "You are signed in.")
}
