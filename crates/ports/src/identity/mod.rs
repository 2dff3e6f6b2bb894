//! Ports of the identity context.

mod passwords;
mod store;
mod tokens;

pub use passwords::{HashError, PasswordCheck, PasswordHasher};
pub use store::{Account, IdentityStore, IdentityTx, SessionCounts, Sessions, SignInGuards, Users};
pub use tokens::{
    AccessGrant, AccessRefusal, AccessToken, AccessTokens, DeviceTokens, PresentedRefreshToken, RefreshTokens, SigningError,
};
