//! Fakes, builders and the contract suite of the identity context.

pub mod administration_contract;
pub mod socket_tickets_contract;
pub mod store_contract;

mod api_keys;
mod authenticator;
#[cfg(feature = "wallets")]
mod bitcoin_wallet;
mod builders;
mod credentials;
mod csrf;
mod forgeries;
mod memory;
mod public_keys;
mod wallet_signatures;

pub use api_keys::{PlainApiKeys, an_api_key};
pub use authenticator::{CountingAuthenticators, PlainAuthenticators};
#[cfg(feature = "wallets")]
pub use bitcoin_wallet::BitcoinWallet;
pub use builders::{NOON, a_session, a_user, a_wallet, an_account, an_account_of, an_email};
pub use credentials::{PlainAccessTokens, PlainDeviceTokens, PlainHasher, PlainRefreshTokens};
pub use csrf::PlainCsrfTokens;
pub use forgeries::{TokenSigner, forged_access_tokens, forged_tokens_of};
pub use memory::MemoryIdentity;
pub use public_keys::FixedPublicKeys;
pub use socket_tickets_contract::TicketNodes;
pub use store_contract::{Audited, IdentityUnderTest};
pub use wallet_signatures::PlainWalletSignatures;
