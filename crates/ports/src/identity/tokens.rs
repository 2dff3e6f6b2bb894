use coinlink_domain::identity::{FamilyKey, Session, SessionId, StoredPassword, UserId};
use time::OffsetDateTime;
use uuid::Uuid;

/// What an access token says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccessGrant {
    /// Who.
    pub user: UserId,
    /// In which session.
    pub session: SessionId,
    /// With which generation of its tokens.
    pub generation: u32,
    /// Since when, in whole seconds.
    pub issued_at: OffsetDateTime,
    /// Until when, exclusive, in whole seconds.
    pub expires_at: OffsetDateTime,
}

/// An access token is good for nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AccessRefusal {
    /// It is none of ours, or was changed, or is for something else.
    #[error("the access token is not valid")]
    Invalid,
    /// Its time is over.
    #[error("the access token has expired")]
    Expired,
    /// Its time has not come.
    #[error("the access token is not valid yet")]
    NotYetValid,
}

/// A token could not be made.
#[derive(Debug, thiserror::Error)]
#[error("a token could not be signed: {0}")]
pub struct SigningError(
    /// Why; never a key.
    pub String,
);

/// A signed access token.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessToken(
    /// What the client sends back.
    pub String,
);

impl std::fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AccessToken(…)")
    }
}

/// Makes and reads access tokens. The same grant always makes the same token, so that an answer can be given again.
pub trait AccessTokens: Send + Sync {
    /// Signs `grant`.
    fn mint(&self, grant: &AccessGrant) -> Result<AccessToken, SigningError>;

    /// What a token grants at `now`, give or take the leeway for clocks that differ. Never panics, whatever is presented.
    fn verify(&self, presented: &str, now: OffsetDateTime) -> Result<AccessGrant, AccessRefusal>;
}

/// A refresh token that was made here, and what it claims.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PresentedRefreshToken {
    /// Of which session.
    pub session: SessionId,
    /// Of which generation.
    pub generation: u32,
    /// Made with the family's key.
    pub proof: [u8; 16],
}

/// Makes and reads refresh tokens. The same session at the same generation always has the same token, so that nothing but
/// the family's key is stored of it.
pub trait RefreshTokens: Send + Sync {
    /// The token of a session's newest generation.
    fn seal(&self, session: &Session) -> Result<String, SigningError>;

    /// What a token claims; `None` where it was not made here. Never panics, whatever is presented.
    fn open(&self, presented: &str) -> Option<PresentedRefreshToken>;

    /// Whether what it claims was made with the family's key. Takes the same time whatever the answer.
    fn proves(&self, presented: &PresentedRefreshToken, family_key: &FamilyKey) -> bool;
}

/// A device token that was made here, and what it claims.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PresentedDevice {
    /// Whose device.
    pub user: UserId,
    /// Which.
    pub device: Uuid,
    /// Made with what was stored of the account's password.
    pub proof: [u8; 16],
}

impl std::fmt::Debug for PresentedDevice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PresentedDevice").field("user", &self.user).field("device", &self.device).finish_non_exhaustive()
    }
}

/// Makes and reads what a device keeps to show that an account signed in on it before. Such a token is good for as long as what
/// is stored of the account's password stays the same: another password ends it, and so does the same one stored anew.
pub trait DeviceTokens: Send + Sync {
    /// The token of `device` for `user`, whose stored password is `password`. The same three always make the same token.
    fn mint(&self, user: UserId, device: Uuid, password: &StoredPassword) -> Result<String, SigningError>;

    /// Whose device it claims to be, and which; `None` where the token was not made here. Never panics, whatever is presented.
    fn open(&self, presented: &str) -> Option<PresentedDevice>;

    /// Whether it was made with `password`, the account's stored one. Takes the same time whatever the answer.
    fn belongs(&self, presented: &PresentedDevice, password: &StoredPassword) -> bool;
}
