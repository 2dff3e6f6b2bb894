//! Preferences as a row, and back.

use coinlink_domain::identity::{Preferences, Theme, UserId};
use coinlink_ports::shared::StoreError;
use sea_orm::ActiveValue::Set;

use crate::entities::user_preferences::{ActiveModel, Model};

pub(super) fn row(user: UserId, preferences: &Preferences) -> ActiveModel {
    ActiveModel {
        user_id: Set(user.0),
        theme: Set(preferences.theme.name().to_owned()),
        language: Set(preferences.language.clone()),
        currency: Set(preferences.currency.clone()),
        notifications_enabled: Set(preferences.notifications_enabled),
        email_alerts: Set(preferences.email_alerts),
        price_alerts: Set(preferences.price_alerts),
        news_notifications: Set(preferences.news_notifications),
        sound_enabled: Set(preferences.sound_enabled),
    }
}

pub(super) fn preferences(row: Model) -> Result<Preferences, StoreError> {
    let theme = Theme::from_name(&row.theme);
    Ok(Preferences {
        theme: theme.ok_or(StoreError::Corrupt { what: "user_preferences.theme", source: None })?,
        language: row.language,
        currency: row.currency,
        notifications_enabled: row.notifications_enabled,
        email_alerts: row.email_alerts,
        price_alerts: row.price_alerts,
        news_notifications: row.news_notifications,
        sound_enabled: row.sound_enabled,
    })
}
