//! Ports of the identity context.

mod api_keys;
mod authenticator;
mod csrf;
mod directory;
mod mail_links;
mod passwords;
mod public_keys;
mod second_factors;
mod socket_tickets;
mod store;
mod tokens;
mod wallets;

pub use api_keys::{ApiKeyCodec, ApiKeyPlace, ApiKeyReads, ApiKeyText, ApiKeys, PresentedApiKey};
pub use authenticator::{Authenticators, Enrolment, EnrolmentError};
pub use csrf::CsrfTokens;
pub use directory::{AccountCounts, AccountDirectory, AccountFilter};
pub use mail_links::{MailLinkStore, MailLinks};
pub use passwords::{HashError, HashPlace, PasswordCheck, PasswordHasher};
pub use public_keys::{PublicKey, PublicKeyMaterial, PublicKeys};
pub use second_factors::{SecondFactorStore, SecondFactors, SignInTickets};
pub use socket_tickets::SocketTickets;
pub use store::{Account, IdentityStore, IdentityTx, SessionCounts, Sessions, SignInGuards, Users};
pub use tokens::{
    AccessGrant, AccessRefusal, AccessToken, AccessTokens, DeviceTokens, PresentedDevice, PresentedRefreshToken, RefreshTokens,
    SigningError,
};
pub use wallets::{AddressError, BadSignature, MAX_SIGNATURE_LEN, SignatureFit, WalletList, WalletSignatures, Wallets};
