//! Notifications, settings, webhooks and deliveries as rows, and back.

use coinlink_domain::{
    notifications::{
        ClockOffset, Delivery, Notification, NotificationId, NotificationKind, NotificationSettings, Priority, QuietHours,
        Switches, Webhook, WebhookCalls, WebhookId,
    },
    shared::{sealed::Sealed, user_id::UserId},
};
use coinlink_ports::shared::StoreError;
use sea_orm::ActiveValue::Set;

use super::fired;
use crate::{
    entities::{notification_deliveries, notification_settings, notifications, user_preferences, webhooks},
    errors::corrupt,
    exact::Moment,
    shared::outbox::WAITING,
};

fn unknown(what: &'static str) -> StoreError {
    StoreError::Corrupt { what, source: None }
}

/// PostgreSQL keeps a NUL in no text: it is written as its picture `␀`.
fn text(text: &str) -> String {
    text.replace('\0', "\u{2400}")
}

pub(super) fn notification_row(of: &Notification) -> Result<notifications::ActiveModel, StoreError> {
    let facts: Vec<(String, String)> = of.facts.iter().map(|(name, value)| (text(name), text(value))).collect();
    Ok(notifications::ActiveModel {
        id: Set(of.id.0),
        user_id: Set(of.user.0),
        kind: Set(of.kind.name().to_owned()),
        title: Set(text(&of.title)),
        message: Set(text(&of.message)),
        priority: Set(of.priority.name().to_owned()),
        is_read: Set(of.is_read),
        created_at: Set(Moment(of.created_at)),
        expires_at: Set(of.expires_at.map(Moment)),
        action_url: Set(of.action_url.as_deref().map(text)),
        facts: Set(serde_json::to_string(&facts).map_err(|e| corrupt("notifications.facts", e))?),
    })
}

pub(super) fn notification(row: notifications::Model) -> Result<Notification, StoreError> {
    Ok(Notification {
        id: NotificationId(row.id),
        user: UserId(row.user_id),
        kind: NotificationKind::from_name(&row.kind).ok_or_else(|| unknown("notifications.kind"))?,
        title: row.title,
        message: row.message,
        priority: Priority::from_name(&row.priority).ok_or_else(|| unknown("notifications.priority"))?,
        is_read: row.is_read,
        created_at: row.created_at.0,
        expires_at: row.expires_at.map(|Moment(at)| at),
        action_url: row.action_url,
        facts: serde_json::from_str(&row.facts).map_err(|e| corrupt("notifications.facts", e))?,
    })
}

pub(super) fn settings_row(user: UserId, of: &NotificationSettings) -> notification_settings::ActiveModel {
    notification_settings::ActiveModel {
        user_id: Set(user.0),
        email_enabled: Set(of.email_enabled),
        push_enabled: Set(of.push_enabled),
        price_alerts: Set(of.price_alerts),
        news_updates: Set(of.news_updates),
        system_alerts: Set(of.system_alerts),
        trade_updates: Set(of.trade_updates),
        security_alerts: Set(of.security_alerts),
        quiet_start: Set(of.quiet_hours.map(|quiet| quiet.start())),
        quiet_end: Set(of.quiet_hours.map(|quiet| quiet.end())),
        clock_minutes: Set(of.clock.minutes()),
    }
}

pub(super) fn settings(row: notification_settings::Model) -> Result<NotificationSettings, StoreError> {
    let quiet = row.quiet_start.zip(row.quiet_end).map(|(start, end)| QuietHours::try_new(&start, &end)).transpose();
    let clock = ClockOffset::of_minutes(row.clock_minutes);
    Ok(NotificationSettings {
        email_enabled: row.email_enabled,
        push_enabled: row.push_enabled,
        price_alerts: row.price_alerts,
        news_updates: row.news_updates,
        system_alerts: row.system_alerts,
        trade_updates: row.trade_updates,
        security_alerts: row.security_alerts,
        quiet_hours: quiet.map_err(|e| corrupt("notification_settings.quiet_start", e))?,
        clock: clock.map_err(|e| corrupt("notification_settings.clock_minutes", e))?,
    })
}

pub(super) fn switches(row: &user_preferences::Model) -> Switches {
    Switches {
        anything: row.notifications_enabled,
        alert_letters: row.email_alerts,
        price_alerts: row.price_alerts,
        news: row.news_notifications,
    }
}

pub(super) fn webhook_row(of: &Webhook) -> webhooks::ActiveModel {
    webhooks::ActiveModel {
        id: Set(of.id.0),
        user_id: Set(of.user.0),
        url: Set(of.url.clone()),
        host: Set(of.host.clone()),
        key_id: Set(of.secret.key_id.clone()),
        secret: Set(of.secret.bytes.clone()),
        created_at: Set(Moment(of.created_at)),
        failures: Set(of.failures.into()),
        disabled_at: Set(of.disabled_at.map(Moment)),
        last_call_at: Set(of.calls.last_at.map(Moment)),
        last_success_at: Set(of.calls.last_success_at.map(Moment)),
        last_error: Set(of.calls.last_error.clone()),
        served_at: Set(None),
        test_id: Set(None),
        tested_at: Set(None),
    }
}

pub(super) fn webhook(row: webhooks::Model) -> Result<Webhook, StoreError> {
    Ok(Webhook {
        id: WebhookId(row.id),
        user: UserId(row.user_id),
        url: row.url,
        host: row.host,
        secret: Sealed { key_id: row.key_id, bytes: row.secret },
        created_at: row.created_at.0,
        failures: row.failures.try_into().map_err(|e| corrupt("webhooks.failures", e))?,
        disabled_at: row.disabled_at.map(|Moment(at)| at),
        calls: WebhookCalls {
            last_at: row.last_call_at.map(|Moment(at)| at),
            last_success_at: row.last_success_at.map(|Moment(at)| at),
            last_error: row.last_error,
        },
    })
}

pub(super) fn delivery_row(of: &Delivery) -> notification_deliveries::ActiveModel {
    use coinlink_domain::notifications::Channel;

    let webhook = match of.channel {
        Channel::Socket => None,
        Channel::Webhook(hook) => Some(hook.0),
    };
    notification_deliveries::ActiveModel {
        id: Set(of.id()),
        notification_id: Set(of.notification.0),
        user_id: Set(of.user.0),
        channel: Set(of.channel.name().to_owned()),
        webhook_id: Set(webhook),
        fired: Set(of.fired.as_ref().map(fired::text)),
        state: Set(WAITING.to_owned()),
        attempts: Set(0),
        due_at: Set(Moment(of.due)),
        error: Set(None),
        ended_at: Set(None),
    }
}
