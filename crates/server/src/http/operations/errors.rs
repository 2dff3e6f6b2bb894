//! What administrators' use cases fail with, in the codes of the public table.

use coinlink_application::{
    identity::{AdminRefusal, AdministerError},
    operations::{ClearError, monitoring::AcknowledgeError},
};
use utoipa::IntoResponses;

use crate::http::{ApiError, error_codes};

/// Of routes for administrators.
#[derive(IntoResponses)]
#[response(status = 403, description = "`forbidden` for whoever is no administrator, `second_factor_required`")]
pub(in crate::http) struct AdministratorsOnly;

/// Of routes for administrators and programs of theirs.
#[derive(IntoResponses)]
#[response(status = 403, description = "`forbidden` for whoever is no administrator, `scope_missing`")]
pub(in crate::http) struct WatchersOnly;

/// Of routes that want to know why.
#[derive(IntoResponses)]
#[response(status = 400, description = "`reason_required`, `invalid_input`")]
pub(in crate::http) struct NeedsReason;

/// Of lists with filters.
#[derive(IntoResponses)]
#[response(status = 400, description = "`invalid_query`: a filter, `limit` or `cursor` cannot be read")]
pub(in crate::http) struct UnreadableFilter;

/// Seconds after which what the nodes share is worth another try.
const BUS_RETRY_SECS: u32 = 2;

impl From<AdminRefusal> for ApiError {
    fn from(refusal: AdminRefusal) -> Self {
        match refusal {
            AdminRefusal::SessionOver => Self::new(error_codes::SESSION_REVOKED),
            AdminRefusal::NotAdmin => Self::new(error_codes::FORBIDDEN),
            AdminRefusal::FactorNotSetUp => Self::new(error_codes::SECOND_FACTOR_REQUIRED).message(
                "Administrators need a second factor: set one up at /api/v2/auth/2fa/setup, then confirm it at /api/v2/auth/2fa/confirm.",
            ),
            AdminRefusal::FactorNotFresh => Self::new(error_codes::SECOND_FACTOR_REQUIRED),
            AdminRefusal::Store(error) => error.into(),
        }
    }
}

impl From<AdministerError> for ApiError {
    fn from(error: AdministerError) -> Self {
        match error {
            AdministerError::NoAccount => Self::new(error_codes::NOT_FOUND).message("There is no such account."),
            AdministerError::NotAdmin => Self::new(error_codes::FORBIDDEN),
            AdministerError::LastAdmin => Self::new(error_codes::LAST_ADMIN),
            AdministerError::OwnAccount => Self::new(error_codes::OWN_ACCOUNT),
            AdministerError::Store(error) => error.into(),
        }
    }
}

impl From<ClearError> for ApiError {
    fn from(error: ClearError) -> Self {
        match error {
            ClearError::Unknown(names) => {
                let names = names.join(", ");
                Self::invalid_input("cache", format!("is none; there are: all, {names}"))
            }
            ClearError::Bus(error) => Self::new(error_codes::DEPENDENCY_UNAVAILABLE).retry_after(BUS_RETRY_SECS).caused_by(error),
            ClearError::Store(error) => error.into(),
        }
    }
}

impl From<AcknowledgeError> for ApiError {
    fn from(error: AcknowledgeError) -> Self {
        match error {
            AcknowledgeError::NoAlert => Self::new(error_codes::NOT_FOUND).message("There is no such alert."),
            AcknowledgeError::Store(error) => error.into(),
        }
    }
}
