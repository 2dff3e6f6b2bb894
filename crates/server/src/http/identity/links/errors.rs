use coinlink_application::identity::{ChangeEmailError, LinkError, ResetPasswordError, UndoEmailChangeError, VerifyEmailError};

use super::super::errors::weak_password;
use crate::http::{ApiError, error_codes};

/// What a change of the address is told wherever it was not asked for: no code helps there.
pub(super) const ASKED_ELSEWHERE: &str =
    "Open this link where you asked for the change: in the same browser, or wherever you are signed in to that account.";

/// Told to whoever holds the link, or the session that asked for it: who does not gets no so far.
fn tries(left: u32) -> String {
    match left {
        0 => "is another; no more tries for now".to_owned(),
        1 => "is another; 1 more try".to_owned(),
        left => format!("is another; {left} more tries"),
    }
}

impl From<LinkError> for ApiError {
    fn from(error: LinkError) -> Self {
        match error {
            LinkError::Invalid => Self::new(error_codes::INVALID_LINK),
            LinkError::CodeRequired => Self::new(error_codes::CODE_REQUIRED),
            LinkError::AskedElsewhere => Self::new(error_codes::CODE_REQUIRED).message(ASKED_ELSEWHERE),
            LinkError::WrongCode(left) => {
                Self::new(error_codes::INVALID_CODE).message(format!("The code {}.", tries(left))).detail("code", tries(left))
            }
            LinkError::Store(error) => error.into(),
        }
    }
}

impl From<VerifyEmailError> for ApiError {
    fn from(error: VerifyEmailError) -> Self {
        match error {
            VerifyEmailError::Link(error) => error.into(),
            VerifyEmailError::PasswordRequired => Self::invalid_input("password", "set a password"),
            VerifyEmailError::WeakPassword(faults) => weak_password("password", &faults),
            VerifyEmailError::Hash(error) => error.into(),
        }
    }
}

impl From<ResetPasswordError> for ApiError {
    fn from(error: ResetPasswordError) -> Self {
        match error {
            ResetPasswordError::Link(error) => error.into(),
            ResetPasswordError::WeakPassword(faults) => weak_password("password", &faults),
            ResetPasswordError::Hash(error) => error.into(),
            ResetPasswordError::Signing(error) => error.into(),
        }
    }
}

impl From<UndoEmailChangeError> for ApiError {
    fn from(error: UndoEmailChangeError) -> Self {
        match error {
            UndoEmailChangeError::Link(error) => error.into(),
            UndoEmailChangeError::Hash(error) => error.into(),
        }
    }
}

impl From<ChangeEmailError> for ApiError {
    fn from(error: ChangeEmailError) -> Self {
        match error {
            ChangeEmailError::NoAccount => Self::new(error_codes::SESSION_REVOKED),
            ChangeEmailError::WrongPassword => Self::invalid_input("password", "is not your present password"),
            ChangeEmailError::Unchanged => Self::invalid_input("email", "is your present address"),
            ChangeEmailError::SecondFactorRequired => Self::new(error_codes::SECOND_FACTOR_REQUIRED),
            ChangeEmailError::Hash(error) => error.into(),
            ChangeEmailError::Store(error) => error.into(),
        }
    }
}
