//! The shapes of answers.

use coinlink_application::identity::{AccountStats, SecondFactorTicket, SignedIn, Tokens};
use coinlink_domain::identity::{PersonName, Session, SessionId, User};
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::wire::rfc3339;

/// What an account may do, for the document.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "answers hold the role's own name")]
enum RoleName {
    User,
    Admin,
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
    /// What it may do.
    #[schema(value_type = RoleName)]
    pub role: &'static str,
    /// Whether it may sign in.
    pub is_active: bool,
    /// Whether the address is known to be yours.
    pub is_verified: bool,
    /// RFC 3339.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// RFC 3339.
    #[schema(format = DateTime)]
    pub updated_at: String,
    /// RFC 3339.
    #[schema(format = DateTime)]
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
    #[schema(pattern = "^bearer$")]
    pub token_type: &'static str,
    /// Seconds the access token is still good for.
    #[schema(minimum = 0)]
    pub expires_in: i64,
    #[schema(format = DateTime)]
    /// What time it is here, RFC 3339: count `expires_in` from it, not from a clock that may be wrong.
    pub server_time: String,
}

impl From<&Tokens> for TokensBody {
    fn from(tokens: &Tokens) -> Self {
        Self {
            access_token: tokens.access.0.clone(),
            refresh_token: tokens.refresh.0.clone(),
            token_type: "bearer",
            expires_in: tokens.expires_in.whole_seconds(),
            server_time: rfc3339(tokens.server_time),
        }
    }
}

/// What to go on with where the tokens are in cookies.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct CookieTokensBody {
    /// For `X-CSRF-Token`, with every request that may change something; the same as long as the session.
    pub csrf_token: String,
    /// Always `cookie`.
    #[schema(pattern = "^cookie$")]
    pub token_type: &'static str,
    /// Seconds the access cookie is still good for.
    #[schema(minimum = 0)]
    pub expires_in: i64,
    #[schema(format = DateTime)]
    /// What time it is here, RFC 3339.
    pub server_time: String,
}

impl CookieTokensBody {
    pub(super) fn new(tokens: &Tokens, csrf_token: String) -> Self {
        Self {
            csrf_token,
            token_type: "cookie",
            expires_in: tokens.expires_in.whole_seconds(),
            server_time: rfc3339(tokens.server_time),
        }
    }
}

/// What to go on with: by `token_type`, tokens or cookies.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(in crate::http) enum TokensAnswer {
    /// In the body.
    Bearer(TokensBody),
    /// In cookies.
    Cookies(CookieTokensBody),
}

/// What a page sends back.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct CsrfBody {
    /// For `X-CSRF-Token`.
    pub csrf_token: String,
}

/// You are signed in.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct SignedInBody {
    /// Your account.
    pub user: ProfileBody,
    /// What to go on with.
    pub tokens: TokensAnswer,
    /// For people.
    pub message: &'static str,
    /// The same again for front ends that read it here.
    pub data: SignedInData,
    /// Keep it on this device and send it when you sign in again: guessing at your account then does not slow you down. `null` where
    /// the tokens are in cookies, as this one is then.
    pub device_token: Option<String>,
}

/// The same again for front ends that read it here.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct SignedInData {
    /// Always true.
    pub success: bool,
    /// The access token; `null` where it is in a cookie.
    pub token: Option<String>,
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
    pub(super) fn new(signed_in: &SignedIn, tokens: TokensAnswer, message: &'static str) -> Self {
        let user = ProfileBody::from(&signed_in.user);
        let (token, device_token) = match &tokens {
            TokensAnswer::Bearer(tokens) => (Some(tokens.access_token.clone()), Some(signed_in.device_token.0.clone())),
            TokensAnswer::Cookies(_) => (None, None),
        };
        let data = SignedInData { success: true, token, user: SignedInUser { id: user.id, email: user.email.clone() } };
        Self { user, tokens, message, data, device_token }
    }
}

/// The password was right, and the account asks for more: nobody is signed in yet.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct SecondFactorRequiredBody {
    /// Always true.
    pub mfa_required: bool,
    /// For `/api/v2/auth/2fa/verify`; good once.
    pub mfa_ticket: String,
    /// Seconds the ticket is good for.
    #[schema(minimum = 0)]
    pub expires_in: i64,
    /// For people.
    pub message: &'static str,
}

impl From<SecondFactorTicket> for SecondFactorRequiredBody {
    fn from(ticket: SecondFactorTicket) -> Self {
        Self {
            mfa_required: true,
            mfa_ticket: ticket.secret.to_text(),
            expires_in: ticket.expires_in.whole_seconds(),
            message: "Enter the code of your authenticator app, or a recovery code.",
        }
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

/// The account in numbers.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct StatsBody {
    /// Sign-ins so far.
    pub total_logins: u32,
    /// The last one, RFC 3339.
    #[schema(format = DateTime)]
    pub last_login: Option<String>,
    /// Whole days since the account was opened.
    #[schema(minimum = 0)]
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
    #[schema(format = DateTime)]
    pub created_at: String,
    /// When it was last refreshed, RFC 3339.
    #[schema(format = DateTime)]
    pub last_used: String,
    /// From when on it is over if nothing happens, RFC 3339.
    #[schema(format = DateTime)]
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
    /// Questions to the assistant so far, within the time of the quota.
    pub prompts_used: u32,
    /// Questions it takes in that time.
    pub prompts_max: u32,
    /// How many are left.
    pub prompts_left: u32,
    /// Seconds until there is one more.
    #[schema(minimum = 0)]
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
    #[schema(minimum = 1)]
    pub window_seconds: i64,
    /// How many are left.
    pub remaining: u32,
    /// When there is one more, RFC 3339.
    #[schema(format = DateTime)]
    pub reset_at: String,
}
