//! The shapes of requests.

use coinlink_application::identity::{Change, ProfileChange};
use coinlink_domain::identity::{Password, PersonName};
use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;

use crate::http::ApiError;

/// A password in a request: read, never shown.
pub(in crate::http) struct PasswordField(pub(super) Password);

impl<'de> Deserialize<'de> for PasswordField {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Password::new(text)))
    }
}

impl PasswordField {
    /// The password of the field `password`, where it may be somebody's.
    pub(super) fn checked(self) -> Result<Password, ApiError> {
        if (1..=Password::MAX_CHARS).contains(&self.0.expose().chars().count()) {
            Ok(self.0)
        } else {
            Err(ApiError::invalid_input("password", "1 to 512 characters"))
        }
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
    /// password, without the name in your address and without `coinlink`.
    #[schema(value_type = String, format = Password, min_length = 12, max_length = 512)]
    pub password: PasswordField,
    /// The password once more; checked where it is sent.
    #[schema(value_type = Option<String>, format = Password)]
    #[serde(default)]
    pub confirm_password: Option<PasswordField>,
    /// Given name.
    #[schema(max_length = 100, pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]*[^\\s\\x00-\\x1f\\x7f-\\x9f][^\\x00-\\x1f\\x7f-\\x9f]*$")]
    #[serde(default)]
    pub first_name: Option<String>,
    /// Family name.
    #[schema(max_length = 100, pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]*[^\\s\\x00-\\x1f\\x7f-\\x9f][^\\x00-\\x1f\\x7f-\\x9f]*$")]
    #[serde(default)]
    pub last_name: Option<String>,
    /// Whether the tokens are to be in cookies, for pages whose scripts hold none; asked from an allowed origin alone.
    #[serde(default)]
    pub cookies: bool,
}

/// Who you are.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"email": "ada@example.org", "password": "Correct-horse-9-battery"}))]
pub(in crate::http) struct SignInBody {
    /// Your address.
    #[schema(format = Email, max_length = 254)]
    pub email: String,
    /// Your password.
    #[schema(value_type = String, format = Password, min_length = 1, max_length = 512)]
    pub password: PasswordField,
    /// What this device got when you last signed in on it; browsers send it as a cookie. Without effect when it is none of ours.
    #[serde(default)]
    pub device_token: Option<String>,
    /// Whether the tokens are to be in cookies, for pages whose scripts hold none; asked from an allowed origin alone.
    #[serde(default)]
    pub cookies: bool,
}

/// The token to exchange.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"refresh_token": "v4.local.AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"}))]
pub(in crate::http) struct RefreshBody {
    /// From the last answer that had one; left out where it is in the cookie.
    #[schema(max_length = 1024)]
    #[serde(default)]
    pub refresh_token: Option<String>,
}

/// Which session to end.
#[derive(Deserialize, ToSchema, Default)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({}))]
pub(in crate::http) struct SignOutBody {
    /// A refresh token of the session, expired or not; without it, the session of the cookies or of the access token is ended.
    #[schema(max_length = 1024)]
    #[serde(default)]
    pub refresh_token: Option<String>,
}

/// Another password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"current_password": "Correct-horse-9-battery", "new_password": "Another-horse-9-battery"}))]
pub(in crate::http) struct ChangePasswordBody {
    /// The present one.
    #[schema(value_type = String, format = Password, min_length = 1, max_length = 512)]
    pub current_password: PasswordField,
    /// The new one, by the rules of sign-up.
    #[schema(value_type = String, format = Password, min_length = 12, max_length = 512)]
    pub new_password: PasswordField,
    /// Whether your API keys are revoked as well.
    #[serde(default)]
    pub revoke_api_keys: bool,
}

/// What ends beside your sessions.
#[derive(Deserialize, ToSchema, Default)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"revoke_api_keys": true}))]
pub(in crate::http) struct SignOutEverywhereBody {
    /// Whether your API keys are revoked as well.
    #[serde(default)]
    pub revoke_api_keys: bool,
}

/// Names to change: one that is not sent stays, `null` empties it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"first_name": "Ada", "last_name": "Lovelace"}))]
pub(in crate::http) struct ProfileChangeBody {
    /// Given name.
    #[schema(value_type = Option<String>, max_length = 100, pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]*[^\\s\\x00-\\x1f\\x7f-\\x9f][^\\x00-\\x1f\\x7f-\\x9f]*$")]
    #[serde(default)]
    pub first_name: Sent,
    /// Family name.
    #[schema(value_type = Option<String>, max_length = 100, pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]*[^\\s\\x00-\\x1f\\x7f-\\x9f][^\\x00-\\x1f\\x7f-\\x9f]*$")]
    #[serde(default)]
    pub last_name: Sent,
}

/// A field that may be left out, and may be `null`, and these are not the same.
#[derive(Default)]
pub(in crate::http) enum Sent {
    /// It was left out.
    #[default]
    Nothing,
    /// It is `null`.
    Null,
    /// It is this.
    Text(String),
}

impl<'de> Deserialize<'de> for Sent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::deserialize(deserializer).map(|text| text.map_or(Self::Null, Self::Text))
    }
}

/// A name of a request.
pub(super) fn name(field: &'static str, text: Option<&str>) -> Result<Option<PersonName>, ApiError> {
    text.map(PersonName::try_new).transpose().map_err(|error| ApiError::invalid_input(field, error.to_string()))
}

impl TryFrom<ProfileChangeBody> for ProfileChange {
    type Error = ApiError;

    fn try_from(body: ProfileChangeBody) -> Result<Self, ApiError> {
        let change = |field: &'static str, sent: Sent| match sent {
            Sent::Nothing => Ok(Change::Keep),
            Sent::Null => Ok(Change::Clear),
            Sent::Text(text) => name(field, Some(&text)).map(|name| name.map_or(Change::Clear, Change::Set)),
        };
        Ok(Self { first_name: change("first_name", body.first_name)?, last_name: change("last_name", body.last_name)? })
    }
}
