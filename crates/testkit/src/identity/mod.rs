//! Fakes, builders and the contract suite of the identity context.

pub mod administration_contract;
pub mod store_contract;

mod authenticator;
mod api_keys;
#[cfg(feature = "wallets")]
mod bitcoin_wallet;
mod builders;
mod credentials;
mod csrf;
mod forgeries;
mod memory;
mod wallet_signatures;
mod public_keys;

pub use authenticator::PlainAuthenticators;
pub use api_keys::{PlainApiKeys, an_api_key};
#[cfg(feature = "wallets")]
pub use bitcoin_wallet::BitcoinWallet;
pub use builders::{NOON, a_session, a_user, an_account, an_account_of, an_email, a_wallet};
pub use credentials::{PlainAccessTokens, PlainDeviceTokens, PlainHasher, PlainRefreshTokens};
pub use csrf::PlainCsrfTokens;
pub use forgeries::{TokenSigner, forged_access_tokens, forged_tokens_of};
pub use memory::MemoryIdentity;
pub use public_keys::FixedPublicKeys;
pub use store_contract::{Audited, IdentityUnderTest};
pub use wallet_signatures::PlainWalletSignatures;
