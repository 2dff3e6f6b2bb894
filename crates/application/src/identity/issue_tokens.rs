use std::sync::Arc;

use coinlink_domain::identity::{Session, SessionId, SessionPolicy};
use coinlink_ports::identity::{AccessGrant, AccessToken, AccessTokens, RefreshTokens, SigningError};
use time::{Duration, OffsetDateTime};

/// What a client gets for a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tokens {
    /// For requests.
    pub access: AccessToken,
    /// For the next tokens.
    pub refresh: RefreshSecret,
    /// Of which session.
    pub session: SessionId,
    /// How long the access token is still good for, in whole seconds.
    pub expires_in: Duration,
    /// How long the refresh token is still good for.
    pub refresh_expires_in: Duration,
    /// What time it is here: a client whose clock is wrong counts from it.
    pub server_time: OffsetDateTime,
}

/// A refresh token, never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct RefreshSecret(pub String);

impl std::fmt::Debug for RefreshSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RefreshSecret(…)")
    }
}

/// Makes the tokens of a session's newest generation. Asked again for the same generation it makes the same tokens, so that an
/// answer that was lost can be given again.
#[derive(Clone)]
pub struct IssueTokens {
    /// Signs access tokens.
    pub access: Arc<dyn AccessTokens>,
    /// Seals refresh tokens.
    pub refresh: Arc<dyn RefreshTokens>,
    /// How long sessions live.
    pub policy: SessionPolicy,
    /// How long access tokens live.
    pub access_ttl: Duration,
}

impl IssueTokens {
    /// The tokens of `session` as they are told at `now`.
    pub fn of(&self, session: &Session, now: OffsetDateTime) -> Result<Tokens, SigningError> {
        let whole = |at: OffsetDateTime| at.replace_nanosecond(0).unwrap_or(at);
        let issued_at = whole(session.rotated_at);
        // An access token does not outlive its session.
        let expires_at = (issued_at + self.access_ttl).min(whole(session.created_at + self.policy.absolute));
        let grant =
            AccessGrant { user: session.user, session: session.id, generation: session.generation, issued_at, expires_at };
        Ok(Tokens {
            access: self.access.mint(&grant)?,
            refresh: RefreshSecret(self.refresh.seal(session)?),
            session: session.id,
            expires_in: Duration::seconds((expires_at - now).whole_seconds().max(0)),
            refresh_expires_in: (session.expires_at(&self.policy) - now).max(Duration::ZERO),
            server_time: now,
        })
    }
}
