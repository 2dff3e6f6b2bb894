//! Notifications and alerts.

mod alerts;
mod docs;
mod inbox;
mod settings;
mod shapes;
mod webhooks;

use std::sync::Arc;

use actix_web::web::{Data, ServiceConfig};
use coinlink_application::notifications::NotificationsUseCases;

pub(super) use alerts::{
    alert_history, change_alert_rule, create_alert_rule, create_price_alert, delete_alert_rule, delete_price_alert,
    list_alert_rules, own_alerts, price_alerts,
};
pub(super) use docs::NotificationsDocument;
pub(super) use inbox::{list_notifications, mark_all_read, mark_read, notifications_health, remove_notification, unread_count};
pub(super) use settings::{notification_settings, save_notification_settings};
pub(crate) use shapes::NotificationBody;
pub(super) use webhooks::{add_webhook, list_webhooks, remove_webhook, test_webhook};

/// Hands each use case to the handlers that hold it.
pub(super) fn provide(use_cases: &NotificationsUseCases, config: &mut ServiceConfig) {
    config
        .app_data(Data::from(Arc::clone(&use_cases.create_alert)))
        .app_data(Data::from(Arc::clone(&use_cases.change_alert)))
        .app_data(Data::from(Arc::clone(&use_cases.delete_alert)))
        .app_data(Data::from(Arc::clone(&use_cases.list_alerts)))
        .app_data(Data::from(Arc::clone(&use_cases.alert_history)))
        .app_data(Data::from(Arc::clone(&use_cases.read_inbox)))
        .app_data(Data::from(Arc::clone(&use_cases.tend_inbox)))
        .app_data(Data::from(Arc::clone(&use_cases.settings)))
        .app_data(Data::from(Arc::clone(&use_cases.webhooks)));
}
