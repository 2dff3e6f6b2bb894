//! What happens to a session once there is one: refresh, sign out, a new password, and who it belongs to.

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::HeaderName,
    web::{Bytes, Data},
};
use coinlink_application::identity::{ChangePassword, OwnAccount, RefreshSession, SignOut, SignOutEverywhere};
use coinlink_domain::identity::{Password, RetryKey};

use super::{
    answers::{MessageBody, ProfileBody, TokensAnswer, VerifiedBody},
    cookie_mode::{self, Mode, Sent},
    errors::HashingBusy,
    outcome::note,
    requests::{ChangePasswordBody, RefreshBody, SignOutBody, SignOutEverywhereBody},
};
use crate::{
    http::{
        ApiError, error_codes,
        gate::{Caller, Client, Gatekeeper, SignedIn},
        json_object::JsonObject,
        malformed::read_json,
        private::private,
    },
    telemetry::Metrics,
};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// What a refresh without its token is told.
const NO_REFRESH_TOKEN: &str = "There is no refresh token: send it as `refresh_token`, or in its cookie, or sign in again.";
/// What a sign-out without a token is told.
const NO_TOKEN: &str =
    "There is no session to end: send its refresh token as `refresh_token`, or its access token as a Bearer token.";

/// Words for people, and nothing else.
pub(super) fn message(message: impl Into<String>) -> HttpResponse {
    private(MessageBody { message: message.into() })
}

fn retry_key(request: &HttpRequest) -> Result<Option<RetryKey>, ApiError> {
    let Some(name) = request.headers().get(IDEMPOTENCY_KEY) else { return Ok(None) };
    let key = name.to_str().ok().and_then(RetryKey::of);
    let refused = || ApiError::invalid_input("Idempotency-Key", "1 to 255 visible ASCII characters");
    key.map(Some).ok_or_else(refused)
}

/// Exchange a refresh token for new tokens.
///
/// A refresh token is good once. Whoever presents it again within ten seconds, before the new tokens were used, gets the same
/// new tokens; with an `Idempotency-Key` the same request may be repeated for five minutes. A token that is presented after that
/// shows that somebody has a copy: the session is ended for both. Keep the session on 429 and 5xx, and ask again.
#[utoipa::path(
    post,
    path = "/api/v2/auth/token/refresh",
    tag = "auth",
    request_body = RefreshBody,
    params(("Idempotency-Key" = Option<String>, Header, description = "Names this request, so that it can be repeated when its answer was lost; visible ASCII characters", min_length = 1, max_length = 255, pattern = "^[!-~]+$")),
    responses(
        (status = 200, description = "The new tokens", body = TokensAnswer, links(
            ("again" = (operation_id = "refresh", request_body = json!({"refresh_token": "$response.body#/refresh_token"}))),
            ("end" = (operation_id = "sign_out", request_body = json!({"refresh_token": "$response.body#/refresh_token"})))
        )),
        (status = 401, description = "`invalid_token`, `token_expired`, `token_reused` or `session_revoked`, or `authentication_required` where none was sent: sign in again"),
        (status = 429, description = "`refresh_replayed` or `rate_limited`: the session goes on")
    )
)]
pub(in crate::http) async fn refresh(
    request: HttpRequest,
    gatekeeper: Data<Gatekeeper>,
    metrics: Data<Metrics>,
    use_case: Data<RefreshSession>,
    client: Client,
    JsonObject(body): JsonObject<RefreshBody>,
) -> Result<HttpResponse, ApiError> {
    let retry_key = retry_key(&request)?;
    let sent = Sent::of(&request, body.refresh_token.as_deref())?;
    let (claimed, mode) = match sent {
        Sent::InBody(token) => (use_case.claimed(token), Mode::Bearer),
        Sent::InCookie(token) => {
            let claimed = token.and_then(|token| use_case.claimed(token));
            (claimed, cookie_mode::by_cookie(&request, &gatekeeper, claimed)?)
        }
        Sent::Nothing => (None, Mode::Bearer),
    };
    let exchange = async {
        gatekeeper.charge_session(&request, claimed.map(|claimed| claimed.session.0)).await?;
        let none = || match sent {
            Sent::Nothing => ApiError::new(error_codes::AUTHENTICATION_REQUIRED).message(NO_REFRESH_TOKEN),
            Sent::InBody(_) | Sent::InCookie(_) => ApiError::new(error_codes::INVALID_TOKEN),
        };
        let claimed = claimed.ok_or_else(none)?;
        use_case.execute(claimed, retry_key, client.0).await.map_err(ApiError::from)
    };
    let refreshed = note(&metrics, "refresh", exchange.await);
    let answer = refreshed.and_then(|tokens| mode.set(&tokens, private(mode.told(&tokens))));
    mode.settled(answer)
}

/// Exchange a refresh token for new tokens, at its older path.
#[utoipa::path(
    post,
    path = "/api/v2/auth/refresh",
    tag = "auth",
    request_body = RefreshBody,
    params(("Idempotency-Key" = Option<String>, Header, description = "As at `/api/v2/auth/token/refresh`", min_length = 1, max_length = 255, pattern = "^[!-~]+$")),
    responses(
        (status = 200, description = "The new tokens", body = TokensAnswer, links(
            ("again" = (operation_id = "refresh", request_body = json!({"refresh_token": "$response.body#/refresh_token"}))),
            ("end" = (operation_id = "sign_out", request_body = json!({"refresh_token": "$response.body#/refresh_token"})))
        )),
        (status = 401, description = "As at `/api/v2/auth/token/refresh`"),
        (status = 429, description = "`refresh_replayed` or `rate_limited`: the session goes on")
    )
)]
pub(in crate::http) async fn refresh_alias(
    request: HttpRequest,
    gatekeeper: Data<Gatekeeper>,
    metrics: Data<Metrics>,
    use_case: Data<RefreshSession>,
    client: Client,
    body: JsonObject<RefreshBody>,
) -> Result<HttpResponse, ApiError> {
    refresh(request, gatekeeper, metrics, use_case, client, body).await
}

/// Sign out.
///
/// Ends the session of the refresh token in the body, whatever its age, and says 200 for one that is over already. Without one it
/// ends that of the access token.
#[utoipa::path(
    post,
    path = "/api/v2/auth/logout",
    tag = "auth",
    request_body(content = Option<SignOutBody>, content_type = "application/json"),
    responses(
        (status = 200, description = "The session is over, on every node within a second", body = MessageBody),
        (status = 400, description = "`invalid_refresh_token`"),
        (status = 401, description = "`authentication_required`: neither token was sent")
    ),
    security((), ("bearer" = []))
)]
pub(in crate::http) async fn sign_out(
    request: HttpRequest,
    gatekeeper: Data<Gatekeeper>,
    metrics: Data<Metrics>,
    use_case: Data<SignOut>,
    client: Client,
    body: Bytes,
) -> Result<HttpResponse, ApiError> {
    let sent: Option<JsonObject<SignOutBody>> = if body.is_empty() { None } else { read_json(&request, &body)? };
    let body = sent.unwrap_or_default().0;
    let held = Caller::of(&request).and_then(|caller| caller.session());
    let (claimed, mode, unreadable) = match Sent::of(&request, body.refresh_token.as_deref())? {
        Sent::InBody(token) => (Some(use_case.claimed(token)), Mode::Bearer, error_codes::INVALID_REFRESH_TOKEN),
        Sent::InCookie(token) => {
            let claimed = token.and_then(|token| use_case.claimed(token));
            let mode = cookie_mode::by_cookie(&request, &gatekeeper, claimed)?;
            (claimed.map(Some).or(held.is_none().then_some(None)), mode, error_codes::INVALID_TOKEN)
        }
        Sent::Nothing => (None, cookie_mode::of_caller(&request, &gatekeeper), error_codes::AUTHENTICATION_REQUIRED),
    };
    let end = async {
        let named = claimed.map_or(held, |claimed| claimed.map(|claimed| claimed.session));
        gatekeeper.charge_session(&request, named.map(|session| session.0)).await?;
        Ok(match (claimed, held) {
            (Some(Some(claimed)), _) => use_case.with_refresh_token(claimed, &client.0).await?,
            (Some(None), _) => return Err(ApiError::new(unreadable)),
            (None, Some(held)) => use_case.with_access_token(held, &client.0).await?,
            (None, None) => return Err(SignedIn::missing_other(&request, NO_TOKEN)),
        })
    };
    let answer = end.await.and_then(|ended| {
        metrics.auth_event("sign_out", if ended { "ok" } else { "over_already" });
        mode.unset(message("You are signed out."))
    });
    mode.settled(answer)
}

/// Sign out everywhere.
///
/// Ends all your sessions. API keys stay, unless the body says `revoke_api_keys`.
#[utoipa::path(
    post,
    path = "/api/v2/auth/logout-all",
    tag = "auth",
    request_body(content = Option<SignOutEverywhereBody>, content_type = "application/json"),
    responses(
        (status = 200, description = "All your sessions are over, this one too, on every node within a second", body = MessageBody),
        (status = 400, description = "`invalid_json`")
    ),
    security(("bearer" = []))
)]
pub(in crate::http) async fn sign_out_everywhere(
    request: HttpRequest,
    gatekeeper: Data<Gatekeeper>,
    caller: SignedIn,
    metrics: Data<Metrics>,
    use_case: Data<SignOutEverywhere>,
    client: Client,
    body: Bytes,
) -> Result<HttpResponse, ApiError> {
    let sent: Option<JsonObject<SignOutEverywhereBody>> = if body.is_empty() { None } else { read_json(&request, &body)? };
    let ended = use_case.execute(caller.user, sent.unwrap_or_default().0.revoke_api_keys, &client.0).await?;
    metrics.auth_event("sign_out_everywhere", "ok");
    let said = message(format!("You are signed out of {ended} session{}.", if ended == 1 { "" } else { "s" }));
    cookie_mode::of_caller(&request, &gatekeeper).unset(said)
}

/// Change your password.
///
/// Your other sessions are ended; this one goes on. API keys stay, unless the body says `revoke_api_keys`.
#[utoipa::path(
    post,
    path = "/api/v2/auth/password/change",
    tag = "auth",
    request_body = ChangePasswordBody,
    responses(
        (status = 200, description = "The password is changed and all other sessions are over", body = MessageBody),
        (status = 400, description = "`invalid_input` or `weak_password`"),
        HashingBusy
    ),
    security(("bearer" = []))
)]
pub(in crate::http) async fn change_password(
    request: HttpRequest,
    caller: SignedIn,
    gatekeeper: Data<Gatekeeper>,
    metrics: Data<Metrics>,
    use_case: Data<ChangePassword>,
    client: Client,
    JsonObject(body): JsonObject<ChangePasswordBody>,
) -> Result<HttpResponse, ApiError> {
    if body.current_password.0.expose().chars().count() > Password::MAX_CHARS {
        return Err(ApiError::invalid_input("current_password", "1 to 512 characters"));
    }
    gatekeeper.charge_own(&request, caller.user).await?;
    let (present, new) = (body.current_password.0, body.new_password.0);
    let who = (caller.user, caller.session);
    let changed = use_case.execute(who, &present, &new, body.revoke_api_keys, &client.0).await;
    note(&metrics, "password_change", changed)?;
    Ok(message("Your password is changed; your other sessions are over."))
}

/// Who am I?
#[utoipa::path(
    get,
    path = "/api/v2/auth/verify",
    tag = "auth",
    responses((status = 200, description = "The access token is good, and this is whose it is", body = VerifiedBody)),
    security(("bearer" = []))
)]
pub(in crate::http) async fn verify(caller: SignedIn, use_case: Data<OwnAccount>) -> Result<HttpResponse, ApiError> {
    let user = use_case.profile(caller.user).await?.ok_or_else(|| ApiError::new(error_codes::SESSION_REVOKED))?;
    Ok(private(VerifiedBody { user: ProfileBody::from(&user), message: "The token is valid." }))
}
