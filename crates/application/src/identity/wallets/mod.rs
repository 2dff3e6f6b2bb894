//! Signing in with a Bitcoin wallet, and linking wallets to accounts. A wallet that is linked to no account opens none.

mod ask;
mod link;
mod parts;
mod sign_in;
mod unlink;
mod use_cases;

pub use ask::{AskWallet, AskWalletError, WalletAsked};
pub use link::{LinkWallet, LinkWalletError};
pub use sign_in::{SignInWithWallet, WalletSignInError};
pub use unlink::{ListWallets, UnlinkWallet, UnlinkWalletError};
pub use use_cases::WalletUseCases;

use parts::WalletParts;
