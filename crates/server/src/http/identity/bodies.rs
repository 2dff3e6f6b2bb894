//! The shapes of requests and answers.

use coinlink_application::identity::{AccountStats, Change, ProfileChange, SignedIn, Tokens};
use coinlink_domain::identity::{Password, PersonName, Preferences, Session, SessionId, Theme, User};
use serde::{Deserialize, Deserializer, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    http::{ApiError, error_codes},
    wire::rfc3339,
};

/// A password in a request: read, never shown.
pub(in crate::http) struct PasswordField(pub(super) Password);

impl<'de> Deserialize<'de> for PasswordField {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Password::new(text)))
    }
}

/// A new account.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"email": "ada@example.org", "password": "Correct-horse-9-battery"}))]
pub(in crate::http) struct SignUpBody {
    /// Where you are reached; at most 254 characters.
    #[schema(format = Email, max_length = 254)]
    pub email: String,
    /// 12 to 512 characters with an upper-case letter, a lower-case letter, a digit and one that is neither; no common
    /// password, nothing of your address.
    #[schema(value_type = String, format = Password, min_length = 12, max_length = 512)]
    pub password: PasswordField,
    /// The password once more; checked where it is sent.
    #[schema(value_type = Option<String>, format = Password)]
    #[serde(default)]
    pub confirm_password: Option<PasswordField>,
    /// Given name.
    #[schema(max_length = 100)]
    #[serde(default)]
    pub first_name: Option<String>,
    /// Family name.
    #[schema(max_length = 100)]
    #[serde(default)]
    pub last_name: Option<String>,
}

/// Who you are.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"email": "ada@example.org", "password": "Correct-horse-9-battery"}))]
pub(in crate::http) struct SignInBody {
    /// Your address.
    #[schema(max_length = 254)]
    pub email: String,
    /// Your password.
    #[schema(value_type = String, format = Password, min_length = 1, max_length = 512)]
    pub password: PasswordField,
    /// What this device got when you last signed in on it; browsers send it as a cookie.
    #[schema(max_length = 1024)]
    #[serde(default)]
    pub device_token: Option<String>,
}

/// The token to exchange.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct RefreshBody {
    /// From the last answer that had one.
    #[schema(max_length = 1024)]
    pub refresh_token: String,
}

/// Which session to end.
#[derive(Deserialize, ToSchema, Default)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct SignOutBody {
    /// A refresh token of the session, expired or not; without it, the session of the access token is ended.
    #[schema(max_length = 1024)]
    #[serde(default)]
    pub refresh_token: Option<String>,
}

/// Another password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct ChangePasswordBody {
    /// The present one.
    #[schema(value_type = String, format = Password, min_length = 1, max_length = 512)]
    pub current_password: PasswordField,
    /// The new one, by the rules of sign-up.
    #[schema(value_type = String, format = Password, min_length = 12, max_length = 512)]
    pub new_password: PasswordField,
}

/// An account, as its owner sees it.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct ProfileBody {
    /// Its id.
    pub id: Uuid,
    /// Its address.
    pub email: String,
    /// Given name.
    pub first_name: Option<String>,
    /// Family name.
    pub last_name: Option<String>,
    /// `user` or `admin`.
    pub role: &'static str,
    /// Whether it may sign in.
    pub is_active: bool,
    /// Whether the address is known to be yours.
    pub is_verified: bool,
    /// RFC 3339.
    pub created_at: String,
    /// RFC 3339.
    pub updated_at: String,
    /// RFC 3339.
    pub last_login_at: Option<String>,
}

impl From<&User> for ProfileBody {
    fn from(user: &User) -> Self {
        let name = |name: &Option<PersonName>| name.as_ref().map(|name| name.as_str().to_owned());
        Self {
            id: user.id.0,
            email: user.email.as_str().to_owned(),
            first_name: name(&user.first_name),
            last_name: name(&user.last_name),
            role: user.role.name(),
            is_active: user.is_active,
            is_verified: user.is_verified,
            created_at: rfc3339(user.created_at),
            updated_at: rfc3339(user.updated_at),
            last_login_at: user.last_login_at.map(rfc3339),
        }
    }
}

/// What to go on with.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct TokensBody {
    /// For `Authorization: Bearer …`.
    pub access_token: String,
    /// For `/api/v2/auth/token/refresh`; good once.
    pub refresh_token: String,
    /// Always `bearer`.
    pub token_type: &'static str,
    /// Seconds the access token is still good for.
    pub expires_in: i64,
    /// What time it is here, RFC 3339: count `expires_in` from it, not from a clock that may be wrong.
    pub server_time: String,
}

impl From<Tokens> for TokensBody {
    fn from(tokens: Tokens) -> Self {
        Self {
            access_token: tokens.access.0,
            refresh_token: tokens.refresh.0,
            token_type: "bearer",
            expires_in: tokens.expires_in.whole_seconds(),
            server_time: rfc3339(tokens.server_time),
        }
    }
}

/// You are signed in.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct SignedInBody {
    /// Your account.
    pub user: ProfileBody,
    /// What to go on with.
    pub tokens: TokensBody,
    /// For people.
    pub message: &'static str,
    /// The same again for front ends that read it here.
    pub data: SignedInData,
    /// Keep it on this device and send it when you sign in again: guessing at your account then does not slow you down.
    pub device_token: String,
}

/// The same again for front ends that read it here.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct SignedInData {
    /// Always true.
    pub success: bool,
    /// The access token.
    pub token: String,
    /// Who.
    pub user: SignedInUser,
}

/// Who.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct SignedInUser {
    /// The account's id.
    pub id: Uuid,
    /// Its address.
    pub email: String,
}

impl SignedInBody {
    pub(super) fn new(signed_in: SignedIn, message: &'static str) -> Self {
        let user = ProfileBody::from(&signed_in.user);
        let tokens = TokensBody::from(signed_in.tokens);
        let data = SignedInData {
            success: true,
            token: tokens.access_token.clone(),
            user: SignedInUser { id: user.id, email: user.email.clone() },
        };
        Self { user, tokens, message, data, device_token: signed_in.device_token.0 }
    }
}

/// Who the access token belongs to.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct VerifiedBody {
    /// Your account.
    pub user: ProfileBody,
    /// For people.
    pub message: &'static str,
}

/// It was done.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct MessageBody {
    /// For people.
    pub message: String,
}

/// Names to change: one that is not sent stays, `null` empties it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct ProfileChangeBody {
    /// Given name.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 100)]
    #[serde(default, deserialize_with = "sent")]
    pub first_name: Option<Option<String>>,
    /// Family name.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 100)]
    #[serde(default, deserialize_with = "sent")]
    pub last_name: Option<Option<String>>,
}

/// Tells `null` from a field that is not there.
fn sent<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// A name of a request.
pub(super) fn name(field: &'static str, text: Option<&str>) -> Result<Option<PersonName>, ApiError> {
    text.map(PersonName::try_new)
        .transpose()
        .map_err(|error| ApiError::new(error_codes::INVALID_INPUT).detail(field, error.to_string()))
}

impl TryFrom<ProfileChangeBody> for ProfileChange {
    type Error = ApiError;

    fn try_from(body: ProfileChangeBody) -> Result<Self, ApiError> {
        let change = |field: &'static str, sent: Option<Option<String>>| match sent {
            None => Ok(Change::Keep),
            Some(text) => name(field, text.as_deref()).map(|name| name.map_or(Change::Clear, Change::Set)),
        };
        Ok(Self { first_name: change("first_name", body.first_name)?, last_name: change("last_name", body.last_name)? })
    }
}

/// How the front end looks and sounds; what is not sent becomes the default.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "the shape is the contract's")]
pub(in crate::http) struct PreferencesBody {
    /// `dark`, `light` or `system`.
    #[schema(pattern = "^(dark|light|system)$", default = "dark")]
    pub theme: String,
    /// A language tag (BCP 47), such as `en` or `pt-BR`.
    #[schema(default = "en", max_length = 35)]
    pub language: String,
    /// 3 to 5 capital letters, such as `USD`.
    #[schema(default = "USD", pattern = "^[A-Z]{3,5}$")]
    pub currency: String,
    /// Whether anything at all may disturb.
    #[schema(default = true)]
    pub notifications_enabled: bool,
    /// Whether alerts are mailed.
    #[schema(default = true)]
    pub email_alerts: bool,
    /// Whether price alerts are shown.
    #[schema(default = true)]
    pub price_alerts: bool,
    /// Whether news are shown.
    #[schema(default = true)]
    pub news_notifications: bool,
    /// Whether there is a sound.
    #[schema(default = true)]
    pub sound_enabled: bool,
}

impl Default for PreferencesBody {
    fn default() -> Self {
        Preferences::default().into()
    }
}

impl From<Preferences> for PreferencesBody {
    fn from(set: Preferences) -> Self {
        Self {
            theme: set.theme.name().to_owned(),
            language: set.language,
            currency: set.currency,
            notifications_enabled: set.notifications_enabled,
            email_alerts: set.email_alerts,
            price_alerts: set.price_alerts,
            news_notifications: set.news_notifications,
            sound_enabled: set.sound_enabled,
        }
    }
}

impl TryFrom<PreferencesBody> for Preferences {
    type Error = ApiError;

    fn try_from(body: PreferencesBody) -> Result<Self, ApiError> {
        let invalid = || ApiError::new(error_codes::INVALID_INPUT);
        let theme = Theme::from_name(&body.theme).ok_or_else(|| invalid().detail("theme", "dark, light or system"))?;
        let set = Self {
            theme,
            language: body.language,
            currency: body.currency,
            notifications_enabled: body.notifications_enabled,
            email_alerts: body.email_alerts,
            price_alerts: body.price_alerts,
            news_notifications: body.news_notifications,
            sound_enabled: body.sound_enabled,
        };
        match set.check() {
            Ok(()) => Ok(set),
            Err(wrong) => Err(wrong.into_iter().fold(invalid(), |error, wrong| {
                let field = match wrong {
                    coinlink_domain::identity::PreferencesError::Language => "language",
                    coinlink_domain::identity::PreferencesError::Currency => "currency",
                };
                error.detail(field, wrong.to_string())
            })),
        }
    }
}

/// The account in numbers.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct StatsBody {
    /// Sign-ins so far.
    pub total_logins: u32,
    /// The last one, RFC 3339.
    pub last_login: Option<String>,
    /// Whole days since the account was opened.
    pub account_age_days: i64,
    /// Sessions that go on.
    pub active_sessions: u64,
    /// Sessions of the last 90 days at least, over or not.
    pub total_sessions: u64,
}

impl From<AccountStats> for StatsBody {
    fn from(stats: AccountStats) -> Self {
        Self {
            total_logins: stats.logins,
            last_login: stats.last_login_at.map(rfc3339),
            account_age_days: stats.age_days,
            active_sessions: stats.live_sessions,
            total_sessions: stats.total_sessions,
        }
    }
}

/// One sign-in that goes on.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct SessionBody {
    /// Its id.
    pub id: Uuid,
    /// When it was signed in, RFC 3339.
    pub created_at: String,
    /// When it was last refreshed, RFC 3339.
    pub last_used: String,
    /// From when on it is over if nothing happens, RFC 3339.
    pub expires_at: String,
    /// Where it was last refreshed from; of an IPv6 address its first half.
    pub ip_address: Option<String>,
    /// What the client called itself.
    pub user_agent: Option<String>,
    /// The same for people: browser and system, where they are known.
    pub device: String,
    /// Whether it is the one that asks.
    pub is_current: bool,
}

impl SessionBody {
    pub(super) fn new(session: &Session, current: SessionId, expires_at: OffsetDateTime) -> Self {
        Self {
            id: session.id.0,
            created_at: rfc3339(session.created_at),
            last_used: rfc3339(session.rotated_at),
            expires_at: rfc3339(expires_at),
            ip_address: session.client.ip.map(|ip| ip.to_string()),
            user_agent: session.client.user_agent.clone(),
            device: session.client.device(),
            is_current: session.id == current,
        }
    }
}

/// What is left of the limits.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct LimitsBody {
    /// Whether the assistant may be asked now.
    pub allowed: bool,
    /// For people.
    pub message: String,
    /// Questions to the assistant in the last minute.
    pub prompts_used: u32,
    /// Questions it takes in a minute.
    pub prompts_max: u32,
    /// How many are left.
    pub prompts_left: u32,
    /// Seconds until there is one more.
    pub reset_in_seconds: i64,
    /// Whether the request had a good access token.
    pub is_authenticated: bool,
    /// Counted by your account.
    pub user_limits: Vec<LimitBody>,
    /// Counted by your address.
    pub ip_limits: Vec<LimitBody>,
    /// The one this request was counted by.
    pub global_limit: LimitBody,
}

/// One limit.
#[derive(Serialize, ToSchema, Clone)]
pub(in crate::http) struct LimitBody {
    /// The class of routes it is for.
    pub endpoint: &'static str,
    /// Requests in any window.
    pub limit: u32,
    /// The window.
    pub window_seconds: i64,
    /// How many are left.
    pub remaining: u32,
    /// When there is one more, RFC 3339.
    pub reset_at: String,
}
