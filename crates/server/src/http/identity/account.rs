//! `/api/v2/user`: what users see and change of their own accounts.

use actix_web::{
    HttpResponse,
    web::{Data, Path},
};
use coinlink_application::identity::{EndSession, OwnAccount, ProfileChange};
use coinlink_domain::identity::{Preferences, SessionId};
use uuid::Uuid;

use super::{
    answers::{MessageBody, ProfileBody, SessionBody, StatsBody},
    preferences::PreferencesBody,
    requests::ProfileChangeBody,
    sessions::message,
};
use crate::http::{
    ApiError, error_codes,
    gate::{Account, Client, SignedIn},
    json_object::JsonObject,
    private::private,
};

/// The account is gone, or was switched off, since the token was made.
fn gone() -> ApiError {
    ApiError::new(error_codes::SESSION_REVOKED)
}

/// Your account.
#[utoipa::path(
    get,
    path = "/api/v2/user/profile",
    tag = "user",
    responses((status = 200, description = "Your account", body = ProfileBody)),
    security(("bearer" = []))
)]
pub(in crate::http) async fn profile(caller: Account, use_case: Data<OwnAccount>) -> Result<HttpResponse, ApiError> {
    let user = use_case.profile(caller.user).await?.ok_or_else(gone)?;
    Ok(private(ProfileBody::from(&user)))
}

/// Change your names.
///
/// Nothing else of an account can be changed here; any other field is refused.
#[utoipa::path(
    put,
    path = "/api/v2/user/profile",
    tag = "user",
    request_body = ProfileChangeBody,
    responses(
        (status = 200, description = "Your account as it is now", body = ProfileBody),
        (status = 400, description = "`invalid_input`, or `invalid_json` for a field that cannot be changed")
    ),
    security(("bearer" = []))
)]
pub(in crate::http) async fn save_profile(
    caller: Account,
    use_case: Data<OwnAccount>,
    client: Client,
    JsonObject(body): JsonObject<ProfileChangeBody>,
) -> Result<HttpResponse, ApiError> {
    let change = ProfileChange::try_from(body)?;
    let user = use_case.change_profile(caller.actor(), change, &client.0).await?.ok_or_else(gone)?;
    Ok(private(ProfileBody::from(&user)))
}

/// Your preferences.
#[utoipa::path(
    get,
    path = "/api/v2/user/preferences",
    tag = "user",
    responses((status = 200, description = "What you set, and the defaults", body = PreferencesBody)),
    security(("bearer" = []))
)]
pub(in crate::http) async fn preferences(caller: Account, use_case: Data<OwnAccount>) -> Result<HttpResponse, ApiError> {
    Ok(private(PreferencesBody::from(use_case.preferences(caller.user).await?)))
}

/// Set your preferences.
#[utoipa::path(
    put,
    path = "/api/v2/user/preferences",
    tag = "user",
    request_body = PreferencesBody,
    responses(
        (status = 200, description = "Your preferences as they are now", body = PreferencesBody),
        (status = 400, description = "`invalid_input`")
    ),
    security(("bearer" = []))
)]
pub(in crate::http) async fn save_preferences(
    caller: Account,
    use_case: Data<OwnAccount>,
    client: Client,
    JsonObject(body): JsonObject<PreferencesBody>,
) -> Result<HttpResponse, ApiError> {
    let set = Preferences::try_from(body)?;
    if !use_case.save_preferences(caller.actor(), &set, &client.0).await? {
        return Err(gone());
    }
    Ok(private(PreferencesBody::from(set)))
}

/// Your account in numbers.
#[utoipa::path(
    get,
    path = "/api/v2/user/stats",
    tag = "user",
    responses((status = 200, description = "Counted now", body = StatsBody)),
    security(("bearer" = []))
)]
pub(in crate::http) async fn stats(caller: Account, use_case: Data<OwnAccount>) -> Result<HttpResponse, ApiError> {
    let stats = use_case.stats(caller.user).await?.ok_or_else(gone)?;
    Ok(private(StatsBody::from(stats)))
}

/// Where you are signed in.
#[utoipa::path(
    get,
    path = "/api/v2/user/sessions",
    tag = "user",
    responses(
        (status = 200, description = "Your sessions that go on, refreshed most recently first", body = [SessionBody], links(
            ("end" = (operation_id = "remove_session", parameters(("id" = "$response.body#/0/id"))))
        ))
    ),
    security(("bearer" = []))
)]
pub(in crate::http) async fn sessions(caller: SignedIn, use_case: Data<OwnAccount>) -> Result<HttpResponse, ApiError> {
    let sessions = use_case.sessions(caller.user).await?;
    let shown: Vec<SessionBody> =
        sessions.iter().map(|session| SessionBody::new(session, caller.session, session.expires_at(&use_case.policy))).collect();
    Ok(private(shown))
}

/// Sign out on another device.
#[utoipa::path(
    delete,
    path = "/api/v2/user/sessions/{id}",
    tag = "user",
    params(("id" = Uuid, Path, description = "One of your sessions")),
    responses(
        (status = 200, description = "The session is over, on every node within a second", body = MessageBody),
        (status = 404, description = "`session_not_found`: you have no such session that goes on")
    ),
    security(("bearer" = []))
)]
pub(in crate::http) async fn remove_session(
    caller: SignedIn,
    use_case: Data<EndSession>,
    client: Client,
    id: Path<Uuid>,
) -> Result<HttpResponse, ApiError> {
    if !use_case.execute(caller.user, SessionId(id.into_inner()), &client.0).await? {
        return Err(ApiError::new(error_codes::SESSION_NOT_FOUND));
    }
    Ok(message("The session is over."))
}
