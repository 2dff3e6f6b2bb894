//! What the use cases fail with, in the codes of the public table.

use coinlink_application::identity::{ChangePasswordError, RefreshError, SecondFactorError, SignInError, SignUpError};
use coinlink_domain::identity::{EndReason, PasswordFault, RefreshRefusal};
use coinlink_ports::{
    identity::{HashError, SigningError},
    shared::StoreError,
};
use utoipa::IntoResponses;

use crate::{
    http::{ApiError, error_codes},
    wire::seconds_up,
};

/// Of routes that hash a password.
#[derive(IntoResponses)]
#[response(status = 503, description = "`hashing_busy` or `dependency_unavailable`; try again after `Retry-After`")]
pub(in crate::http) struct HashingBusy;

/// Seconds after which a store that is down is worth another try.
const STORE_RETRY_SECS: u32 = 2;
/// Seconds after which replays that came at once have passed.
const REPLAY_RETRY_SECS: u32 = 1;

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => {
                Self::new(error_codes::DEPENDENCY_UNAVAILABLE).retry_after(STORE_RETRY_SECS).caused_by(error)
            }
            // Whoever writes holds a token of before a restore. What is written for others is locked before.
            StoreError::NoAccount { .. } => Self::new(error_codes::SESSION_REVOKED),
            StoreError::Conflict { .. } | StoreError::Corrupt { .. } => Self::new(error_codes::INTERNAL_ERROR).caused_by(error),
        }
    }
}

impl From<HashError> for ApiError {
    fn from(error: HashError) -> Self {
        match error {
            HashError::Busy { retry_after } => {
                let secs = u32::try_from(seconds_up(retry_after).max(1)).unwrap_or(u32::MAX);
                Self::new(error_codes::HASHING_BUSY).retry_after(secs)
            }
            HashError::Failed(_) => Self::new(error_codes::INTERNAL_ERROR).caused_by(error),
        }
    }
}

impl From<SigningError> for ApiError {
    fn from(error: SigningError) -> Self {
        Self::new(error_codes::INTERNAL_ERROR).caused_by(error)
    }
}

/// What a password lacks, in one sentence.
pub(super) fn weak_password(field: &'static str, faults: &[PasswordFault]) -> ApiError {
    let why = faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    let message = format!("The password does not meet the rules: it {why}.");
    ApiError::new(error_codes::WEAK_PASSWORD).message(message).detail(field, why)
}

impl From<SignUpError> for ApiError {
    fn from(error: SignUpError) -> Self {
        match error {
            SignUpError::WeakPassword(faults) => weak_password("password", &faults),
            SignUpError::EmailTaken => Self::new(error_codes::EMAIL_TAKEN),
            SignUpError::Hash(error) => error.into(),
            SignUpError::Signing(error) => error.into(),
            SignUpError::Store(error) => error.into(),
        }
    }
}

impl From<SignInError> for ApiError {
    fn from(error: SignInError) -> Self {
        match error {
            // Of the second nobody hears.
            SignInError::InvalidCredentials | SignInError::Abandoned => Self::new(error_codes::INVALID_CREDENTIALS),
            SignInError::Hash(error) => error.into(),
            SignInError::Signing(error) => error.into(),
            SignInError::Store(error) => error.into(),
        }
    }
}

impl From<SecondFactorError> for ApiError {
    fn from(error: SecondFactorError) -> Self {
        match error {
            SecondFactorError::NoAccount => Self::new(error_codes::SESSION_REVOKED),
            SecondFactorError::WrongPassword => Self::invalid_input("password", "is not your password"),
            SecondFactorError::InvalidTicket => Self::new(error_codes::INVALID_MFA_TICKET),
            SecondFactorError::InvalidCode | SecondFactorError::UsedCode => Self::new(error_codes::INVALID_CODE),
            SecondFactorError::AlreadyOn => Self::new(error_codes::SECOND_FACTOR_ENABLED),
            SecondFactorError::NotSetUp => Self::new(error_codes::SECOND_FACTOR_NOT_SET_UP),
            SecondFactorError::NotFresh => Self::new(error_codes::SECOND_FACTOR_REQUIRED),
            SecondFactorError::Hash(error) => error.into(),
            SecondFactorError::Signing(error) => error.into(),
            SecondFactorError::Store(error) => error.into(),
            SecondFactorError::Enrolment(_) | SecondFactorError::Sealed(_) => {
                Self::new(error_codes::INTERNAL_ERROR).caused_by(error)
            }
        }
    }
}

impl From<RefreshError> for ApiError {
    fn from(error: RefreshError) -> Self {
        match error {
            RefreshError::Invalid | RefreshError::Refused(RefreshRefusal::UnknownGeneration) => {
                Self::new(error_codes::INVALID_TOKEN)
            }
            RefreshError::Reused | RefreshError::Refused(RefreshRefusal::Ended(EndReason::TokenReused)) => {
                Self::new(error_codes::TOKEN_REUSED)
            }
            RefreshError::Refused(RefreshRefusal::Ended(_)) => Self::new(error_codes::SESSION_REVOKED),
            RefreshError::Refused(RefreshRefusal::Expired) => Self::new(error_codes::TOKEN_EXPIRED),
            RefreshError::Refused(RefreshRefusal::TooManyReplays) => {
                Self::new(error_codes::REFRESH_REPLAYED).retry_after(REPLAY_RETRY_SECS)
            }
            RefreshError::Signing(error) => error.into(),
            RefreshError::Store(error) => error.into(),
        }
    }
}

impl From<ChangePasswordError> for ApiError {
    fn from(error: ChangePasswordError) -> Self {
        match error {
            ChangePasswordError::NoAccount => Self::new(error_codes::SESSION_REVOKED),
            ChangePasswordError::WrongPassword => Self::invalid_input("current_password", "is not your present password"),
            ChangePasswordError::WeakPassword(faults) => weak_password("new_password", &faults),
            ChangePasswordError::Unchanged => Self::invalid_input("new_password", "is your present password"),
            ChangePasswordError::SecondFactorRequired => Self::new(error_codes::SECOND_FACTOR_REQUIRED),
            ChangePasswordError::Hash(error) => error.into(),
            ChangePasswordError::Store(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_writes_for_an_account_that_is_not_there_has_no_session_and_nobody_else_is_told_so() {
        let code = |error: StoreError| ApiError::from(error).code();
        assert_eq!(code(StoreError::NoAccount { constraint: "k".to_owned() }), error_codes::SESSION_REVOKED);
        assert_eq!(code(StoreError::Unavailable("away".into())), error_codes::DEPENDENCY_UNAVAILABLE);
        assert_eq!(code(StoreError::Conflict { constraint: "k".to_owned() }), error_codes::INTERNAL_ERROR);
    }
}
