use std::{
    future::{Ready, ready},
    net::IpAddr,
};

use actix_web::{FromRequest, HttpMessage as _, HttpRequest, dev::Payload, http::header};
use coinlink_application::identity::Actor;
use coinlink_domain::identity::{ApiKeyId, ApiScope, ApiScopes, ClientInfo, SessionId, UserId};

use super::super::{
    ApiError,
    error_codes::{self, ErrorCode},
};

/// Who is calling. The gate leaves it with the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    /// Somebody without a token.
    Anonymous {
        /// From where (IPv6: its /64).
        ip: IpAddr,
    },
    /// The holder of a good token.
    User {
        /// Whose account.
        user: UserId,
        /// Which session.
        session: SessionId,
        /// Which generation of its tokens.
        generation: u32,
        /// From where (IPv6: its /64).
        ip: IpAddr,
    },
    /// A program with a good API key.
    Key {
        /// For whose account.
        user: UserId,
        /// Which key.
        key: ApiKeyId,
        /// What it may do; whether it may do this was looked at before.
        scopes: ApiScopes,
        /// From where (IPv6: its /64).
        ip: IpAddr,
    },
}

impl Caller {
    /// The account, where it is known.
    pub const fn user(&self) -> Option<UserId> {
        match self {
            Self::Anonymous { .. } => None,
            Self::User { user, .. } | Self::Key { user, .. } => Some(*user),
        }
    }

    /// The session, where there is one.
    pub const fn session(&self) -> Option<SessionId> {
        match self {
            Self::Anonymous { .. } | Self::Key { .. } => None,
            Self::User { session, .. } => Some(*session),
        }
    }

    /// Whether the user's alerts may be told: a program's key must say so.
    pub fn reads_alerts(&self) -> bool {
        match self {
            Self::Anonymous { .. } => false,
            Self::User { .. } => true,
            Self::Key { scopes, .. } => scopes.include(ApiScope::AlertsRead),
        }
    }

    /// Where the request comes from.
    pub const fn ip(&self) -> IpAddr {
        match self {
            Self::Anonymous { ip } | Self::User { ip, .. } | Self::Key { ip, .. } => *ip,
        }
    }

    /// As the gate left it; `None` on a route that has none.
    pub fn of(request: &HttpRequest) -> Option<Self> {
        request.extensions().get::<Self>().copied()
    }
}

/// Left with a request whose token is good, while neither Redis nor the store can say whether its session goes on: what is
/// public is served all the same.
pub(super) struct Unconfirmed;

/// Left with a request that presents a token which is no good, or a cookie that does not count, at a route that does without.
pub(super) struct Overlooked(pub(super) &'static ErrorCode);

impl Overlooked {
    /// Whether that is since its session was ended.
    pub(super) fn is_of_ended_session(request: &HttpRequest) -> bool {
        request.extensions().get::<Self>().is_some_and(|overlooked| overlooked.0 == error_codes::SESSION_REVOKED)
    }
}

/// A signed-in caller, for handlers that need one: 401 for anybody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignedIn {
    /// Whose account.
    pub user: UserId,
    /// Which session.
    pub session: SessionId,
    /// Which generation of its tokens.
    pub generation: u32,
    /// From where (IPv6: its /64).
    pub ip: IpAddr,
}

impl SignedIn {
    /// Why a request is not from somebody signed in: nobody is, the token is no good, or nobody can say at the moment.
    pub fn missing(request: &HttpRequest) -> ApiError {
        let extensions = request.extensions();
        if extensions.get::<Unconfirmed>().is_some() {
            return ApiError::new(error_codes::DEPENDENCY_UNAVAILABLE).retry_after(1);
        }
        ApiError::new(extensions.get::<Overlooked>().map_or(error_codes::AUTHENTICATION_REQUIRED, |overlooked| overlooked.0))
    }

    /// [`SignedIn::missing`], where it is not an access token that is missed.
    pub fn missing_other(request: &HttpRequest, message: &'static str) -> ApiError {
        let missing = Self::missing(request);
        if missing.code() == error_codes::AUTHENTICATION_REQUIRED { missing.message(message) } else { missing }
    }
}

impl FromRequest for SignedIn {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(match Caller::of(request) {
            Some(Caller::User { user, session, generation, ip }) => Ok(Self { user, session, generation, ip }),
            Some(Caller::Key { .. }) => Err(ApiError::new(error_codes::KEY_NOT_ALLOWED)),
            _ => Err(Self::missing(request)),
        })
    }
}

/// Whose account a request is for, signed in or with a key, for handlers that keys may use as far as their scopes go: 401 for
/// anybody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account {
    /// Whose.
    pub user: UserId,
    /// The key, where it is one that acts.
    pub key: Option<ApiKeyId>,
}

impl Account {
    /// Who acts, as the audit log remembers it.
    pub const fn actor(&self) -> Actor {
        Actor { user: self.user, key: self.key }
    }
}

impl FromRequest for Account {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(match Caller::of(request) {
            Some(Caller::User { user, .. }) => Ok(Self { user, key: None }),
            Some(Caller::Key { user, key, .. }) => Ok(Self { user, key: Some(key) }),
            Some(Caller::Anonymous { .. }) | None => Err(SignedIn::missing(request)),
        })
    }
}

/// The client as sessions and the audit log remember it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client(pub ClientInfo);

impl FromRequest for Client {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let ip = Caller::of(request).map(|caller| caller.ip()).filter(|ip| !ip.is_unspecified());
        let user_agent = request.headers().get(header::USER_AGENT).and_then(|value| std::str::from_utf8(value.as_bytes()).ok());
        ready(Ok(Self(ClientInfo::new(ip, user_agent))))
    }
}
