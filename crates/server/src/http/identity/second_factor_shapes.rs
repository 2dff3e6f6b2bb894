//! The shapes of requests and answers about second factors.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use coinlink_domain::identity::RecoveryCode;
use coinlink_ports::identity::Enrolment;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    answers::{SecondFactorRequiredBody, SignedInBody},
    requests::PasswordField,
};

/// Your password once more.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"password": "Correct-horse-9-battery"}))]
pub(in crate::http) struct SinglePasswordBody {
    /// The present one.
    #[schema(value_type = String, format = Password, min_length = 1, max_length = 512)]
    pub password: PasswordField,
}

/// A code of the app that was set up.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"code": "123456"}))]
pub(in crate::http) struct ConfirmBody {
    /// Six digits, with or without blanks.
    #[schema(example = "123456", max_length = 32, pattern = "^ *([0-9] *){6}$")]
    pub code: String,
}

/// A second factor: either a code or a recovery code.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "mfa_ticket": "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    "code": "123456"
}))]
pub(in crate::http) struct VerifyFactorBody {
    /// Of the sign-in that asked for it; without one, the factor is for the session you are signed in with.
    #[schema(max_length = 200)]
    #[serde(default)]
    pub mfa_ticket: Option<String>,
    /// Six digits of the authenticator app, with or without blanks.
    #[schema(example = "123456", max_length = 32)]
    #[serde(default)]
    pub code: Option<String>,
    /// One of the recovery codes; case, blanks and hyphens do not matter.
    #[schema(max_length = 100)]
    #[serde(default)]
    pub recovery_code: Option<String>,
    /// What this device got when you last signed in on it; browsers send it as a cookie. Without effect when it is none of ours.
    #[serde(default)]
    pub device_token: Option<String>,
    /// Whether the tokens are to be in cookies, as at `/api/v2/auth/login`.
    #[serde(default)]
    pub cookies: bool,
}

/// Both factors once more.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"password": "Correct-horse-9-battery", "code": "123456"}))]
pub(in crate::http) struct DisableBody {
    /// The present password.
    #[schema(value_type = String, format = Password, min_length = 1, max_length = 512)]
    pub password: PasswordField,
    /// Six digits of the authenticator app, with or without blanks.
    #[schema(example = "123456", max_length = 32)]
    #[serde(default)]
    pub code: Option<String>,
    /// One of the recovery codes; case, blanks and hyphens do not matter.
    #[schema(max_length = 100)]
    #[serde(default)]
    pub recovery_code: Option<String>,
}

/// What an authenticator app is given.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct EnrolmentBody {
    /// The secret in base 32, to type in.
    pub secret: String,
    /// The same to open: `otpauth://totp/…`.
    pub otpauth_uri: String,
    /// The same to scan: a picture as a data URL.
    #[schema(pattern = "^data:image/png;base64,")]
    pub qr_png: String,
}

impl From<Enrolment> for EnrolmentBody {
    fn from(given: Enrolment) -> Self {
        let qr_png = format!("data:image/png;base64,{}", STANDARD.encode(given.qr_png));
        Self { secret: given.secret, otpauth_uri: given.uri, qr_png }
    }
}

/// Recovery codes, shown once.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct RecoveryCodesBody {
    /// Each does once what a code of the app does.
    pub recovery_codes: Vec<String>,
    /// For people.
    pub message: &'static str,
}

impl RecoveryCodesBody {
    pub(super) fn new(codes: &[RecoveryCode], message: &'static str) -> Self {
        Self { recovery_codes: codes.iter().map(RecoveryCode::to_text).collect(), message }
    }
}

/// The second factor was accepted for this session.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct FreshBody {
    /// For people.
    pub message: &'static str,
    /// Until when it does for what is sensitive, RFC 3339.
    #[schema(format = DateTime)]
    pub fresh_until: String,
}

/// What showing a second factor leads to.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(in crate::http) enum ProvenBody {
    /// With a ticket: you are signed in.
    #[expect(dead_code, reason = "for the document: sign-ins are answered in one place")]
    SignedIn(Box<SignedInBody>),
    /// Without one: the session goes on.
    Fresh(FreshBody),
}

/// What a right first factor leads to.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(in crate::http) enum SignInAnswer {
    /// You are signed in.
    #[expect(dead_code, reason = "for the document: who is signed in is answered at sign-up, too")]
    SignedIn(Box<SignedInBody>),
    /// Nobody is signed in yet.
    SecondFactorRequired(SecondFactorRequiredBody),
}

/// Your second factor.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct FactorStatusBody {
    /// Whether it is asked for.
    pub enabled: bool,
    /// Since when, RFC 3339.
    #[schema(format = DateTime)]
    pub enabled_at: Option<String>,
    /// How many recovery codes are left.
    pub recovery_codes_left: u64,
}
