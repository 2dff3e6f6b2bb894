use coinlink_application::notifications::ManageAlertError;
use coinlink_domain::notifications::alerts::{AlertRule, ConditionError};
use utoipa::IntoResponses;

use crate::http::{ApiError, error_codes};

/// Of routes that make a rule.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "for the document alone")]
pub(in crate::http) enum NewRuleRefused {
    #[response(status = 400, description = "`invalid_input`; details say what is wrong with which field")]
    Body,
    #[response(status = 404, description = "`unknown_symbol`: the asset is not in the current list")]
    Symbol,
    #[response(status = 409, description = "`alert_exists` or `too_many_alerts`")]
    Rules,
    #[response(status = 503, description = "`price_unavailable` or `dependency_unavailable`; try again after `Retry-After`")]
    Price,
}

impl From<ManageAlertError> for ApiError {
    fn from(error: ManageAlertError) -> Self {
        match error {
            ManageAlertError::UnknownSymbol(symbol) => Self::new(error_codes::UNKNOWN_SYMBOL)
                .message(format!("{symbol} is not in the current list of assets, and no others have a price to wait for."))
                .detail("symbol", "is not in the current list"),
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

/// `target` is the field that the price or the percentage is in.
pub(super) fn no_condition(error: ConditionError, target: &'static str) -> ApiError {
    let field = match error {
        ConditionError::Unknown => "condition",
        ConditionError::Price | ConditionError::Percent => target,
        ConditionError::Window => "window_seconds",
    };
    ApiError::invalid_input(field, error.to_string())
}
