use coinlink_application::notifications::ManageAlertError;
use coinlink_domain::notifications::alerts::{AlertRule, ConditionError};

use crate::http::{ApiError, error_codes};

impl From<ManageAlertError> for ApiError {
    fn from(error: ManageAlertError) -> Self {
        match error {
            ManageAlertError::UnknownSymbol => Self::new(error_codes::UNKNOWN_SYMBOL),
            ManageAlertError::NoPrices => Self::new(error_codes::PRICE_UNAVAILABLE),
            ManageAlertError::TooMany => Self::new(error_codes::TOO_MANY_ALERTS).message(format!(
                "An account has at most {} active alerts and keeps at most {}; delete one first.",
                AlertRule::MAX_ACTIVE,
                AlertRule::MAX_KEPT
            )),
            ManageAlertError::Exists => Self::new(error_codes::ALERT_EXISTS),
            ManageAlertError::NotFound => Self::new(error_codes::ALERT_NOT_FOUND),
            ManageAlertError::NoAccount => Self::new(error_codes::SESSION_REVOKED),
            ManageAlertError::Store(error) => error.into(),
        }
    }
}

/// A field that is not as it must be.
pub(super) fn wrong(field: &'static str, why: impl Into<String>) -> ApiError {
    ApiError::new(error_codes::INVALID_INPUT).detail(field, why)
}

/// `target` is the field that the price or the percentage is in.
pub(super) fn no_condition(error: ConditionError, target: &'static str) -> ApiError {
    let field = match error {
        ConditionError::Unknown => "condition",
        ConditionError::Price | ConditionError::Percent => target,
        ConditionError::Window => "window_seconds",
    };
    wrong(field, error.to_string())
}
