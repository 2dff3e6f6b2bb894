//! Fakes, builders and the contract suite of the identity context.

pub mod store_contract;

mod builders;
mod credentials;
mod forgeries;
mod memory;

pub use builders::{NOON, a_session, a_user, an_account, an_account_of, an_email};
pub use credentials::{PlainAccessTokens, PlainDeviceTokens, PlainHasher, PlainRefreshTokens};
pub use forgeries::forged_access_tokens;
pub use memory::MemoryIdentity;
pub use store_contract::{Audited, IdentityUnderTest};
