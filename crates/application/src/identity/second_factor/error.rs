use coinlink_ports::{
    identity::{EnrolmentError, HashError, SigningError},
    shared::{SecretBoxError, StoreError},
};

use super::FactorError;
use crate::identity::OpenSessionError;

/// What was asked of a second factor was not done.
#[derive(Debug, thiserror::Error)]
pub enum SecondFactorError {
    /// The account is gone, or the session is over.
    #[error("there is no such account, or its session is over")]
    NoAccount,
    /// The password is another, or was guessed at too often.
    #[error("the password is another")]
    WrongPassword,
    /// There is no such ticket any more: whoever asks is not told why.
    #[error("the ticket is good for nothing")]
    InvalidTicket,
    /// The code is another, or too many were tried: whoever asks is not told which.
    #[error("the code is not the one that is asked for")]
    InvalidCode,
    /// The code was used before: answered as [`SecondFactorError::InvalidCode`], but nobody guessed.
    #[error("the code was used before")]
    UsedCode,
    /// The account has a second factor.
    #[error("the account has a second factor")]
    AlreadyOn,
    /// The account has none, or none that waits to be confirmed.
    #[error("the account has no second factor")]
    NotSetUp,
    /// It was not shown in this session lately.
    #[error("a second factor was not shown lately")]
    NotFresh,
    /// The password could not be checked.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The tokens could not be made.
    #[error(transparent)]
    Signing(#[from] SigningError),
    /// What the app is given could not be made.
    #[error(transparent)]
    Enrolment(#[from] EnrolmentError),
    /// The stored secret could not be read, or a new one not be encrypted.
    #[error(transparent)]
    Sealed(#[from] SecretBoxError),
    /// The store is not there.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<OpenSessionError> for SecondFactorError {
    fn from(error: OpenSessionError) -> Self {
        match error {
            OpenSessionError::Signing(error) => Self::Signing(error),
            OpenSessionError::Store(error) => Self::Store(error),
        }
    }
}

impl From<FactorError> for SecondFactorError {
    fn from(error: FactorError) -> Self {
        match error {
            FactorError::Missing => Self::NotFresh,
            FactorError::Store(error) => Self::Store(error),
        }
    }
}

impl SecondFactorError {
    /// Why, for the audit log alone; `None` where the failure is ours.
    pub(super) const fn reason(&self) -> Option<&'static str> {
        match self {
            Self::NoAccount => Some("no_account"),
            Self::WrongPassword => Some("wrong_password"),
            Self::InvalidTicket => Some("invalid_ticket"),
            Self::InvalidCode => Some("invalid_code"),
            Self::UsedCode => Some("used_code"),
            Self::AlreadyOn => Some("already_enabled"),
            Self::NotSetUp => Some("not_set_up"),
            Self::NotFresh => Some("second_factor_required"),
            Self::Hash(_) | Self::Signing(_) | Self::Enrolment(_) | Self::Sealed(_) | Self::Store(_) => None,
        }
    }
}
