//! What the use cases of wallets fail with, in the codes of the public table.

use coinlink_application::identity::{AskWalletError, LinkWalletError, UnlinkWalletError, WalletSignInError};
use coinlink_ports::identity::AddressError;

use crate::http::{ApiError, error_codes};

impl From<AskWalletError> for ApiError {
    fn from(error: AskWalletError) -> Self {
        match error {
            AskWalletError::Address(AddressError::Unsupported) => {
                Self::new(error_codes::WALLET_UNSUPPORTED).detail("address", "P2PKH, P2SH-P2WPKH, P2WPKH and P2TR are taken")
            }
            AskWalletError::Address(error) => Self::invalid_input("address", error.to_string()),
            AskWalletError::Store(error) => error.into(),
        }
    }
}

impl From<WalletSignInError> for ApiError {
    fn from(error: WalletSignInError) -> Self {
        match error {
            WalletSignInError::Refused => Self::new(error_codes::INVALID_SIGNATURE),
            WalletSignInError::Signing(error) => error.into(),
            WalletSignInError::Store(error) => error.into(),
        }
    }
}

impl From<LinkWalletError> for ApiError {
    fn from(error: LinkWalletError) -> Self {
        match error {
            LinkWalletError::NoAccount => Self::new(error_codes::SESSION_REVOKED),
            LinkWalletError::WrongPassword => Self::invalid_input("password", "is not your present password"),
            LinkWalletError::NotFresh => Self::new(error_codes::SECOND_FACTOR_REQUIRED),
            LinkWalletError::InvalidSignature => Self::new(error_codes::INVALID_SIGNATURE),
            LinkWalletError::Taken => Self::new(error_codes::WALLET_TAKEN),
            LinkWalletError::TooMany => Self::new(error_codes::TOO_MANY_WALLETS),
            LinkWalletError::Hash(error) => error.into(),
            LinkWalletError::Store(error) => error.into(),
        }
    }
}

impl From<UnlinkWalletError> for ApiError {
    fn from(error: UnlinkWalletError) -> Self {
        match error {
            UnlinkWalletError::NoAccount => Self::new(error_codes::SESSION_REVOKED),
            UnlinkWalletError::NoWallet => Self::new(error_codes::NOT_FOUND).message("You have no such wallet."),
            UnlinkWalletError::NotFresh => Self::new(error_codes::SECOND_FACTOR_REQUIRED),
            UnlinkWalletError::Store(error) => error.into(),
        }
    }
}
