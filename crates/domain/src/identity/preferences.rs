//! How a user wants the front end to look and sound.

/// What the front end keeps for a user.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "five switches that have nothing to do with one another")]
pub struct Preferences {
    /// Colours.
    pub theme: Theme,
    /// A language tag such as `en` or `pt-BR` (BCP 47): 2 to 35 letters, digits and inner hyphens.
    pub language: String,
    /// The currency amounts are shown in: an ISO 4217 code or a ticker symbol, 3 to 5 capital letters.
    pub currency: String,
    /// Whether anything at all may disturb.
    pub notifications_enabled: bool,
    /// Whether alerts are mailed.
    pub email_alerts: bool,
    /// Whether price alerts are shown.
    pub price_alerts: bool,
    /// Whether news are shown.
    pub news_notifications: bool,
    /// Whether there is a sound.
    pub sound_enabled: bool,
}

/// Colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Theme {
    /// Light on dark.
    #[default]
    Dark,
    /// Dark on light.
    Light,
    /// As the device is set.
    System,
}

/// A preference is not one of those there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PreferencesError {
    /// The language.
    #[error("a language tag such as en or pt-BR")]
    Language,
    /// The currency.
    #[error("a currency code of 3 to 5 capital letters, such as USD")]
    Currency,
}

impl Default for Preferences {
    fn default() -> Self {
        Self {
            theme: Theme::Dark,
            language: "en".to_owned(),
            currency: "USD".to_owned(),
            notifications_enabled: true,
            email_alerts: true,
            price_alerts: true,
            news_notifications: true,
            sound_enabled: true,
        }
    }
}

impl Preferences {
    /// All that is wrong with it.
    pub fn check(&self) -> Result<(), Vec<PreferencesError>> {
        let subtag = |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric());
        let primary = self.language.split('-').next().unwrap_or_default();
        let language = self.language.len() <= 35
            && (2..=8).contains(&primary.len())
            && primary.bytes().all(|b| b.is_ascii_alphabetic())
            && self.language.split('-').all(subtag);
        let currency = (3..=5).contains(&self.currency.len()) && self.currency.bytes().all(|b| b.is_ascii_uppercase());
        let wrong: Vec<_> = [(language, PreferencesError::Language), (currency, PreferencesError::Currency)]
            .into_iter()
            .filter_map(|(right, error)| (!right).then_some(error))
            .collect();
        if wrong.is_empty() { Ok(()) } else { Err(wrong) }
    }
}

impl Theme {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Dark, Self::Light, Self::System];

    /// As stored and told.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dark => "dark",
            Self::Light => "light",
            Self::System => "system",
        }
    }

    /// The theme of this [`Theme::name`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|theme| theme.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_right_and_themes_are_found_by_name() {
        assert_eq!(Preferences::default().check(), Ok(()));
        assert!(Theme::ALL.into_iter().all(|theme| Theme::from_name(theme.name()) == Some(theme)));
    }

    #[test]
    fn what_is_no_language_or_currency_is_told() {
        for (language, currency, wrong) in [
            ("pt-BR", "EUR", vec![]),
            ("zh-Hant-TW", "USDT", vec![]),
            ("", "USD", vec![PreferencesError::Language]),
            ("e", "usd", vec![PreferencesError::Language, PreferencesError::Currency]),
            ("en--US", "USD", vec![PreferencesError::Language]),
            ("<b>", "$", vec![PreferencesError::Language, PreferencesError::Currency]),
        ] {
            let preferences =
                Preferences { language: language.to_owned(), currency: currency.to_owned(), ..Preferences::default() };
            assert_eq!(preferences.check().err().unwrap_or_default(), wrong, "{language} {currency}");
        }
    }
}
