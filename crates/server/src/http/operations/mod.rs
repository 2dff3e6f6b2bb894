//! `/api/v2/admin` and `/api/monitoring`: what administrators see and do. Every route below them is behind [`guard`].

mod accounts;
mod answers;
mod audit;
mod docs;
mod errors;
mod guard;
mod monitoring;
mod overview;
mod requests;

use std::sync::Arc;

use actix_web::web::{Data, ServiceConfig};
use coinlink_application::{identity::AdministrationUseCases, operations::OperationsUseCases};

pub(super) use accounts::{lock_user, revoke_sessions, unlock_user, users};
pub(super) use audit::audit;
pub(super) use docs::OperationsDocument;
pub(super) use guard::administrators_only;
pub(super) use monitoring::{MonitoringDocument, acknowledge_alert, monitor_alerts, unified};
pub(super) use overview::{clear_cache, stats};

/// Hands each use case to the handlers that hold it.
pub(super) fn provide(use_cases: &OperationsUseCases, accounts: &AdministrationUseCases, config: &mut ServiceConfig) {
    config
        .app_data(Data::from(Arc::clone(&use_cases.read_audit)))
        .app_data(Data::from(Arc::clone(&use_cases.read_stats)))
        .app_data(Data::from(Arc::clone(&use_cases.clear_caches)))
        .app_data(Data::from(Arc::clone(&use_cases.read_monitor)))
        .app_data(Data::from(Arc::clone(&use_cases.read_alerts)))
        .app_data(Data::from(Arc::clone(&use_cases.acknowledge_alert)))
        .app_data(Data::from(Arc::clone(&accounts.authorize)))
        .app_data(Data::from(Arc::clone(&accounts.accounts)))
        .app_data(Data::from(Arc::clone(&accounts.directory)));
}
