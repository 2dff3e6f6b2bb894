//! The market beside the ticker.

use actix_web::web::{Data, ServiceConfig};
use coinlink_application::market::MarketUseCases;

/// Hands each use case to the handlers that hold it.
pub(super) fn provide(use_cases: &MarketUseCases, config: &mut ServiceConfig) {
    config.app_data(Data::new(use_cases.clone()));
}
