use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::super::requests::PasswordField;

/// The link that was sent.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct LinkQuery {
    /// The text after `token=` in the link: 96 hexadecimal digits. Any other text is a link that is not valid.
    pub token: String,
}

/// What a link is used with.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"token": "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}))]
pub(in crate::http) struct OpenLinkBody {
    /// The text after `token=` in the link.
    #[schema(max_length = 96)]
    pub token: String,
    /// The code of eight digits in the same mail, where the link was asked for in another browser.
    #[schema(max_length = 32)]
    #[serde(default)]
    pub code: Option<String>,
}

/// What an address is verified with.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"token": "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}))]
pub(in crate::http) struct VerifyEmailBody {
    /// The text after `token=` in the link. Left out, the code alone is enough in the session that signed up or asked for the mail.
    #[schema(max_length = 96)]
    #[serde(default)]
    pub token: Option<String>,
    /// The code of eight digits in the same mail, where the account was opened in another browser, or where there is no token.
    #[schema(max_length = 32)]
    #[serde(default)]
    pub code: Option<String>,
    /// Another password; it goes with the code. By the rules of sign-up.
    #[schema(value_type = Option<String>, format = Password, min_length = 12, max_length = 512)]
    #[serde(default)]
    pub password: Option<PasswordField>,
}

/// What a password is reset with.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "token": "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    "password": "Another-horse-9-battery"
}))]
pub(in crate::http) struct ResetPasswordBody {
    /// The text after `token=` in the link.
    #[schema(max_length = 96)]
    pub token: String,
    /// The code of eight digits in the same mail, where the link was asked for in another browser.
    #[schema(max_length = 32)]
    #[serde(default)]
    pub code: Option<String>,
    /// The new password, by the rules of sign-up.
    #[schema(value_type = String, format = Password, min_length = 12, max_length = 512)]
    pub password: PasswordField,
}

/// Where to send a letter.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"email": "ada@example.org"}))]
pub(in crate::http) struct EmailBody {
    /// The address of the account.
    #[schema(format = Email, max_length = 254)]
    pub email: String,
}

/// Where to send a letter, unless it goes to whoever is signed in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"email": "ada@example.org"}))]
pub(in crate::http) struct ResendBody {
    /// The address of the account; left out where you are signed in.
    #[schema(format = Email, max_length = 254)]
    #[serde(default)]
    pub email: Option<String>,
}

/// Another address.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"email": "ada@example.com", "password": "Correct-horse-9-battery"}))]
pub(in crate::http) struct ChangeEmailBody {
    /// The new one.
    #[schema(format = Email, max_length = 254)]
    pub email: String,
    /// Your password.
    #[schema(value_type = String, format = Password, min_length = 1, max_length = 512)]
    pub password: PasswordField,
}

/// A link, without using it.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct LinkBody {
    /// Whether it can be used.
    pub valid: bool,
    /// What for: `verify_email`, `reset_password`, `change_email`, `undo_email_change`.
    pub purpose: &'static str,
    /// Where it was sent, all but the first letter and the host left out.
    pub email: Option<String>,
    /// Whether it can be used here, by its code or without: a change of the address is confirmed where it was asked for.
    pub usable_here: Option<bool>,
    /// Whether using it here takes the code in the same mail.
    pub code_needed: Option<bool>,
    /// Whether you are signed in here with cookies: then using it takes the token of `/api/v2/auth/csrf`.
    pub csrf_needed: bool,
    /// Until when, RFC 3339.
    #[schema(format = DateTime)]
    pub expires_at: Option<String>,
    /// For people.
    pub message: &'static str,
}

/// Whether an address is verified, as the older front end asks.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct OldVerificationBody {
    /// Whether it is.
    pub success: bool,
    /// For people.
    pub message: &'static str,
    /// Where to verify it.
    pub next: Option<String>,
}

/// The password is another.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct PasswordResetBody {
    /// For people.
    pub message: &'static str,
    /// Send it when you sign in on this device; browsers get it as a cookie too.
    pub device_token: String,
}
