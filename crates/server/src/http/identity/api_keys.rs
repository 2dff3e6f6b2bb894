//! `/api/v2/user/api-keys`: the keys of your programs.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Path, Query},
};
use coinlink_application::identity::{ApiKeyPage, CreateApiKey, CreateApiKeyError, ListApiKeys, NewApiKey, RevokeApiKey};
use coinlink_domain::identity::{ApiKey, ApiKeyId, ApiKeyName, ApiScope, ApiScopes, IpRange, Password};
use coinlink_ports::identity::ApiKeyPlace;
use serde::{Deserialize, Serialize};
use time::{OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{answers::MessageBody, errors::HashingBusy, outcome::note, requests::PasswordField, sessions::message};
use crate::{
    http::{
        ApiError, error_codes,
        gate::{Client, Gatekeeper, SignedIn},
        json_object::JsonObject,
        lists::{Cursor as _, PageBody, read_cursor, read_limit},
        private::{private, private_as},
    },
    telemetry::Metrics,
    wire::rfc3339,
};

/// What a key may do, for the document.
#[derive(Serialize, ToSchema)]
#[cfg_attr(not(test), expect(dead_code, reason = "bodies hold the scope's own name"))]
enum ScopeName {
    #[serde(rename = "market:read")]
    MarketRead,
    #[serde(rename = "account:read")]
    AccountRead,
    #[serde(rename = "account:write")]
    AccountWrite,
    #[serde(rename = "chat:write")]
    ChatWrite,
    #[serde(rename = "alerts:read")]
    AlertsRead,
    #[serde(rename = "alerts:write")]
    AlertsWrite,
    #[serde(rename = "monitoring:read")]
    MonitoringRead,
}

/// A new key.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Trading bot", "scopes": ["market:read"], "password": "Correct-horse-9-battery"}))]
pub(in crate::http) struct NewApiKeyBody {
    /// What you call it.
    #[schema(max_length = 100, pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]*[^\\s\\x00-\\x1f\\x7f-\\x9f][^\\x00-\\x1f\\x7f-\\x9f]*$")]
    pub name: String,
    /// What it may do; none includes another.
    #[schema(value_type = Vec<ScopeName>, min_items = 1)]
    pub scopes: Vec<String>,
    /// Where it may be used from: networks such as `203.0.113.0/24`, or addresses. Anywhere, where none is named.
    #[schema(value_type = Vec<String>, max_items = 20)]
    #[serde(default)]
    pub allowed_networks: Vec<String>,
    /// From when on it is good for nothing, RFC 3339; never, where it is not sent.
    #[schema(format = DateTime)]
    #[serde(default)]
    pub expires_at: Option<String>,
    /// Your present password.
    #[schema(value_type = String, format = Password, min_length = 1, max_length = 512)]
    pub password: PasswordField,
}

/// Which of your keys.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct ApiKeysQuery {
    /// Keys in one answer.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100, default = 20)]
    limit: Option<String>,
    /// `page.next_cursor` of the answer before.
    cursor: Option<String>,
}

/// A key, without its text.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct ApiKeyBody {
    /// Its id; its text begins with `ck_` and this id without hyphens.
    pub id: Uuid,
    /// What you call it.
    pub name: String,
    /// What it may do.
    #[schema(value_type = Vec<ScopeName>)]
    pub scopes: Vec<&'static str>,
    /// Where it may be used from; anywhere, where none is named.
    pub allowed_networks: Vec<String>,
    /// When it was made, RFC 3339.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// From when on it is good for nothing, RFC 3339.
    #[schema(format = DateTime)]
    pub expires_at: Option<String>,
    /// When it was last used, to the minute, RFC 3339.
    #[schema(format = DateTime)]
    pub last_used_at: Option<String>,
}

/// The key that was made, with its text.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct CreatedApiKeyBody {
    /// For the header `X-API-Key`. It is shown this once and is not kept: store it where only your program reads it.
    #[schema(pattern = "^ck_[0-9a-f]{32}_[0-9a-f]{64}_[0-9a-f]{8}$")]
    pub key: String,
    #[serde(flatten)]
    pub made: ApiKeyBody,
}

/// Keys, newest first.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct ApiKeysBody {
    /// The keys.
    data: Vec<ApiKeyBody>,
    /// Where in the list this is.
    page: PageBody,
}

impl ApiKeysBody {
    fn new(page: &ApiKeyPage, limit: u32) -> Self {
        let data = page.keys.iter().map(ApiKeyBody::from).collect();
        Self { data, page: PageBody::new(limit, page.next.map(|next| next.to_text())) }
    }
}

impl From<&ApiKey> for ApiKeyBody {
    fn from(key: &ApiKey) -> Self {
        Self {
            id: key.id.0,
            name: key.name.as_str().to_owned(),
            scopes: key.scopes.iter().map(ApiScope::name).collect(),
            allowed_networks: key.networks.iter().map(ToString::to_string).collect(),
            created_at: rfc3339(key.created_at),
            expires_at: key.expires_at.map(rfc3339),
            last_used_at: key.last_used_at.map(rfc3339),
        }
    }
}

impl NewApiKeyBody {
    fn read(self) -> Result<(NewApiKey, Password), ApiError> {
        let password = self.password.checked()?;
        let name = ApiKeyName::try_new(&self.name).map_err(|error| ApiError::invalid_input("name", error.to_string()))?;
        let scopes: Option<Vec<_>> = self.scopes.iter().map(|name| ApiScope::from_name(name)).collect();
        let scopes = scopes.ok_or_else(|| {
            let known: Vec<_> = ApiScope::ALL.into_iter().map(ApiScope::name).collect();
            ApiError::invalid_input("scopes", format!("the scopes are {}", known.join(", ")))
        })?;
        let scopes = ApiScopes::try_new(scopes).map_err(|error| ApiError::invalid_input("scopes", error.to_string()))?;
        if self.allowed_networks.len() > ApiKey::MAX_NETWORKS {
            return Err(ApiError::invalid_input("allowed_networks", format!("at most {} networks", ApiKey::MAX_NETWORKS)));
        }
        let networks = self.allowed_networks.iter().map(|text| IpRange::try_new(text)).collect::<Result<_, _>>();
        let networks = networks.map_err(|error| ApiError::invalid_input("allowed_networks", error.to_string()))?;
        let expires_at = self.expires_at.as_deref().map(moment).transpose()?;
        Ok((NewApiKey { name, scopes, networks, expires_at }, password))
    }
}

fn moment(text: &str) -> Result<OffsetDateTime, ApiError> {
    let read = OffsetDateTime::parse(text, &Rfc3339).ok().and_then(|at| at.checked_to_offset(UtcOffset::UTC));
    // A year before the first or after the last that stores keep is no moment of ours.
    read.filter(|at| (1970..=9999).contains(&at.year()))
        .ok_or_else(|| ApiError::invalid_input("expires_at", "a moment such as 2030-01-31T12:00:00Z (RFC 3339)"))
}

impl From<CreateApiKeyError> for ApiError {
    fn from(error: CreateApiKeyError) -> Self {
        match error {
            CreateApiKeyError::NoAccount => Self::new(error_codes::SESSION_REVOKED),
            CreateApiKeyError::Expired => Self::invalid_input("expires_at", "is over already"),
            CreateApiKeyError::EmailNotVerified => Self::new(error_codes::EMAIL_NOT_VERIFIED),
            CreateApiKeyError::FactorMissing => Self::new(error_codes::SECOND_FACTOR_REQUIRED),
            CreateApiKeyError::WrongPassword => Self::invalid_input("password", "is not your present password"),
            CreateApiKeyError::TooMany => Self::new(error_codes::TOO_MANY_KEYS),
            CreateApiKeyError::TooManyToday => Self::new(error_codes::TOO_MANY_KEYS)
                .message(format!("An account makes at most {} API keys a day; try again tomorrow.", ApiKey::MAX_A_DAY)),
            CreateApiKeyError::Hash(error) => error.into(),
            CreateApiKeyError::Store(error) => error.into(),
        }
    }
}

/// Your keys.
///
/// Those that you did not revoke, newest first, without their texts.
#[utoipa::path(
    get,
    path = "/api/v2/user/api-keys",
    tag = "user",
    params(ApiKeysQuery),
    responses(
        (status = 200, description = "Your keys, expired ones too", body = ApiKeysBody, links(
            ("revoke" = (operation_id = "revoke_api_key", parameters(("id" = "$response.body#/data/0/id"))))
        )),
        (status = 400, description = "`invalid_query`: `limit` or `cursor` cannot be read")
    ),
    security(("bearer" = []))
)]
pub(in crate::http) async fn list_api_keys(
    caller: SignedIn,
    use_case: Data<ListApiKeys>,
    query: Query<ApiKeysQuery>,
) -> Result<HttpResponse, ApiError> {
    let limit = read_limit(query.limit.as_deref())?;
    let before: Option<ApiKeyPlace> = read_cursor(query.cursor.as_deref())?;
    let page = use_case.execute(caller.user, before, limit).await?;
    Ok(private(ApiKeysBody::new(&page, limit)))
}

/// Make a key.
///
/// Takes your password once more. The key's text is in this answer and nowhere else. An account has at most 25 keys that are neither
/// revoked nor expired, and makes at most 25 a day.
#[utoipa::path(
    post,
    path = "/api/v2/user/api-keys",
    tag = "user",
    request_body = NewApiKeyBody,
    responses(
        (status = 201, description = "The key, shown this once", body = CreatedApiKeyBody, links(
            ("revoke" = (operation_id = "revoke_api_key", parameters(("id" = "$response.body#/id"))))
        )),
        (status = 400, description = "`invalid_input`, also where the password is not yours"),
        (status = 403, description = "`email_not_verified` or `second_factor_required`"),
        (status = 409, description = "`too_many_keys`"),
        HashingBusy
    ),
    security(("bearer" = []))
)]
pub(in crate::http) async fn create_api_key(
    request: HttpRequest,
    gatekeeper: Data<Gatekeeper>,
    caller: SignedIn,
    metrics: Data<Metrics>,
    use_case: Data<CreateApiKey>,
    client: Client,
    JsonObject(body): JsonObject<NewApiKeyBody>,
) -> Result<HttpResponse, ApiError> {
    let (new, password) = body.read()?;
    gatekeeper.charge_own(&request, caller.user).await?;
    let made = use_case.execute((caller.user, caller.session), &password, new, &client.0).await;
    let (key, text) = note(&metrics, "api_key_create", made)?;
    let body = CreatedApiKeyBody { key: text.0, made: ApiKeyBody::from(&key) };
    Ok(private_as(StatusCode::CREATED, body))
}

/// Revoke a key.
#[utoipa::path(
    delete,
    path = "/api/v2/user/api-keys/{id}",
    tag = "user",
    params(("id" = Uuid, Path, description = "One of your keys")),
    responses(
        (status = 200, description = "The key is refused, on every node within a second", body = MessageBody),
        (status = 404, description = "You have no such key")
    ),
    security(("bearer" = []))
)]
pub(in crate::http) async fn revoke_api_key(
    caller: SignedIn,
    metrics: Data<Metrics>,
    use_case: Data<RevokeApiKey>,
    client: Client,
    id: Path<Uuid>,
) -> Result<HttpResponse, ApiError> {
    if !use_case.execute(caller.user, ApiKeyId(id.into_inner()), &client.0).await? {
        return Err(ApiError::new(error_codes::NOT_FOUND).message("You have no such key."));
    }
    metrics.auth_event("api_key_revoke", "ok");
    Ok(message("The key is revoked."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_document_names_every_scope_as_it_is() {
        let shown = [
            ScopeName::MarketRead,
            ScopeName::AccountRead,
            ScopeName::AccountWrite,
            ScopeName::ChatWrite,
            ScopeName::AlertsRead,
            ScopeName::AlertsWrite,
            ScopeName::MonitoringRead,
        ];
        let named: Vec<_> = shown.iter().map(|name| serde_json::to_value(name).unwrap()).collect();
        assert_eq!(named, ApiScope::ALL.map(ApiScope::name));
    }

    proptest! {
        #[test]
        fn no_text_of_a_moment_panics(text in prop_oneof![".{0,40}", "-?[0-9]{4,6}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9](Z|[+-][0-2][0-9]:[0-5][0-9])"]) {
            if let Ok(at) = moment(&text) {
                prop_assert!(at.offset().is_utc() && at.year() >= 1970);
            }
        }
    }
}
