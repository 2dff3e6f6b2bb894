//! Passwords and tokens.
//!
//! Passwords are hashed by [`BcryptPool`] on threads of its own. Access tokens ([`JwtAccessTokens`]) are signed, so that other
//! services can read them; refresh and device tokens ([`PasetoRefreshTokens`], [`PasetoDeviceTokens`]) are encrypted, because
//! nobody but this service has to. All three come from one secret: access tokens are signed with the secret itself, or with
//! [`SigningKeys`], and everything else uses keys derived from it, one for each purpose, so that no kind of token passes for another.
//! [`KeyRing`] encrypts secrets that are stored and read again, under keys of its own.

mod access;
mod api_keys;
mod csrf;
mod device;
mod error;
mod keys;
mod passwords;
mod refresh;
mod sealed;
mod second_factor;
mod secret_box;

pub use access::{JwtAccessTokens, JwtSettings, KeyAlgorithm, KeyFolder, KeyFolderError, KeyListing, NewKey, SigningKeys};
pub use api_keys::CheckedApiKeys;
pub use csrf::HmacCsrfTokens;
pub use device::PasetoDeviceTokens;
pub use error::CredentialsError;
pub use keys::token_secret_of;
pub use passwords::{BcryptPool, HashSettings, pepper_id};
pub use refresh::PasetoRefreshTokens;
pub use second_factor::TotpAuthenticators;
pub use secret_box::{BoxKey, KeyRing};
