//! Preferences as they are sent and shown.

use coinlink_domain::identity::{Preferences, PreferencesError, Theme};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::{ApiError, error_codes};

/// Colours, for the document.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase", default = "dark")]
#[expect(dead_code, reason = "bodies hold the theme's own name")]
enum ThemeName {
    Dark,
    Light,
    System,
}

/// How the front end looks and sounds; what is not sent becomes the default.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "the shape is the contract's")]
pub(in crate::http) struct PreferencesBody {
    /// Colours.
    #[schema(value_type = ThemeName)]
    pub theme: String,
    /// A language tag (BCP 47), such as `en` or `pt-BR`.
    #[schema(default = "en", max_length = 35, pattern = "^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$")]
    pub language: String,
    /// 3 to 5 capital letters, such as `USD`.
    #[schema(default = "USD", pattern = "^[A-Z]{3,5}$")]
    pub currency: String,
    /// Whether anything at all may disturb: otherwise notifications lie in the inbox alone. What is sent is what this and
    /// `/api/v2/notifications/settings` both allow; letters about the account's safety are always sent.
    #[schema(default = true)]
    pub notifications_enabled: bool,
    /// Whether price alerts are mailed; the settings of notifications must allow it as well.
    #[schema(default = true)]
    pub email_alerts: bool,
    /// Whether price alerts are sent at all; the settings of notifications must allow it as well.
    #[schema(default = true)]
    pub price_alerts: bool,
    /// Whether news are sent; the settings of notifications must allow it as well.
    #[schema(default = true)]
    pub news_notifications: bool,
    /// Whether there is a sound.
    #[schema(default = true)]
    pub sound_enabled: bool,
}

impl Default for PreferencesBody {
    fn default() -> Self {
        Preferences::default().into()
    }
}

impl From<Preferences> for PreferencesBody {
    fn from(set: Preferences) -> Self {
        Self {
            theme: set.theme.name().to_owned(),
            language: set.language,
            currency: set.currency,
            notifications_enabled: set.notifications_enabled,
            email_alerts: set.email_alerts,
            price_alerts: set.price_alerts,
            news_notifications: set.news_notifications,
            sound_enabled: set.sound_enabled,
        }
    }
}

impl TryFrom<PreferencesBody> for Preferences {
    type Error = ApiError;

    fn try_from(body: PreferencesBody) -> Result<Self, ApiError> {
        let invalid = || ApiError::new(error_codes::INVALID_INPUT);
        let theme = Theme::from_name(&body.theme).ok_or_else(|| invalid().detail("theme", "dark, light or system"))?;
        let set = Self {
            theme,
            language: body.language,
            currency: body.currency,
            notifications_enabled: body.notifications_enabled,
            email_alerts: body.email_alerts,
            price_alerts: body.price_alerts,
            news_notifications: body.news_notifications,
            sound_enabled: body.sound_enabled,
        };
        match set.check() {
            Ok(()) => Ok(set),
            Err(wrong) => Err(wrong.into_iter().fold(invalid(), |error, wrong| {
                let field = match wrong {
                    PreferencesError::Language => "language",
                    PreferencesError::Currency => "currency",
                };
                error.detail(field, wrong.to_string())
            })),
        }
    }
}
