//! This context's part of the OpenAPI document.

use utoipa::OpenApi;

use super::{inbox, settings, webhooks};

/// `/api/v2/notifications`.
#[derive(OpenApi)]
#[openapi(
    tags((name = "notifications", description = "What you are told, and on which ways")),
    paths(
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
