//! Ports of the identity context.

mod api_keys;
mod directory;
mod csrf;
mod passwords;
mod second_factors;
mod store;
mod tokens;

pub use directory::{AccountCounts, AccountDirectory, AccountFilter};
pub use csrf::CsrfTokens;
pub use api_keys::{ApiKeyCodec, ApiKeyReads, ApiKeyText, ApiKeys, PresentedApiKey};
pub use passwords::{HashError, HashPlace, PasswordCheck, PasswordHasher};
pub use second_factors::{SecondFactorStore, SecondFactors, SignInTickets};
pub use store::{Account, IdentityStore, IdentityTx, SessionCounts, Sessions, SignInGuards, Users};
pub use tokens::{
    AccessGrant, AccessRefusal, AccessToken, AccessTokens, DeviceTokens, PresentedDevice, PresentedRefreshToken, RefreshTokens,
    SigningError,
};
