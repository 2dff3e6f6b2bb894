//! Notifications and alerts.

use actix_web::web::{Data, ServiceConfig};
use coinlink_application::notifications::NotificationsUseCases;

/// Hands each use case to the handlers that hold it.
pub(super) fn provide(use_cases: &NotificationsUseCases, config: &mut ServiceConfig) {
    config.app_data(Data::new(use_cases.clone()));
}
