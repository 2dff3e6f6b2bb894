//! This context's part of the OpenAPI document.

use utoipa::OpenApi;

use super::{alerts, inbox, settings, webhooks};

/// `/api/v2/notifications`.
#[derive(OpenApi)]
#[openapi(
    tags(
        (name = "alerts", description = "Prices that you wait for"),
        (name = "notifications", description = "What you are told, and on which ways")
    ),
    paths(
        alerts::own_alerts,
        alerts::alert_history,
        alerts::price_alerts,
        alerts::create_price_alert,
        alerts::delete_price_alert,
        alerts::list_alert_rules,
        alerts::create_alert_rule,
        alerts::change_alert_rule,
        alerts::delete_alert_rule,
        inbox::list_notifications,
        inbox::unread_count,
        inbox::mark_read,
        inbox::mark_all_read,
        inbox::remove_notification,
        inbox::notifications_health,
        settings::notification_settings,
        settings::save_notification_settings,
        webhooks::list_webhooks,
        webhooks::add_webhook,
        webhooks::remove_webhook,
        webhooks::test_webhook,
    )
)]
pub(in crate::http) struct NotificationsDocument;
