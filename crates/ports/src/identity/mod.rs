//! Ports of the identity context.

mod passwords;
mod store;
mod tokens;

pub use passwords::{HashError, HashPlace, PasswordCheck, PasswordHasher};
pub use store::{Account, IdentityStore, IdentityTx, SessionCounts, Sessions, SignInGuards, Users};
pub use tokens::{
    AccessGrant, AccessRefusal, AccessToken, AccessTokens, DeviceTokens, PresentedDevice, PresentedRefreshToken, RefreshTokens,
    SigningError,
};
