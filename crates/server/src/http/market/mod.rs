//! The market beside the ticker.

mod bitcoin_history;
mod candles;
mod news;
mod overview;
mod price_data;
mod sentiment;
mod service;
mod summary;

use std::sync::Arc;

use actix_web::web::{Data, ServiceConfig};
use coinlink_application::market::MarketUseCases;
use utoipa::OpenApi;

pub(super) use bitcoin_history::bitcoin_history;
pub(super) use candles::candles;
pub(super) use news::news;
pub(super) use overview::{stats, trending};
pub(super) use price_data::{bitcoin_price, prices};
pub(super) use sentiment::{analyze, sentiment};
pub(super) use service::market_health;
pub(super) use summary::market_summary;

/// Price history in the OpenAPI document.
#[derive(OpenApi)]
#[openapi(paths(bitcoin_history::bitcoin_history, candles::candles), components(schemas(bitcoin_history::PeriodName)))]
pub(in crate::http) struct HistoryDocument;

/// News and the whole market in the OpenAPI document.
#[derive(OpenApi)]
#[openapi(paths(news::news, overview::stats, overview::trending))]
pub(in crate::http) struct BulletinsDocument;

/// The market's mood and prices in the older shapes in the OpenAPI document.
#[derive(OpenApi)]
#[openapi(paths(
    sentiment::sentiment,
    sentiment::analyze,
    summary::market_summary,
    price_data::bitcoin_price,
    price_data::prices,
    service::market_health
))]
pub(in crate::http) struct MoodDocument;

/// Hands each use case to the handlers that hold it.
pub(super) fn provide(use_cases: &MarketUseCases, config: &mut ServiceConfig) {
    config.app_data(Data::new(use_cases.clone())).app_data(Data::from(Arc::clone(&use_cases.candles)));
    config
        .app_data(Data::from(Arc::clone(&use_cases.read_news)))
        .app_data(Data::from(Arc::clone(&use_cases.read_stats)))
        .app_data(Data::from(Arc::clone(&use_cases.read_trending)))
        .app_data(Data::new(use_cases.read_sentiment.clone()))
        .app_data(Data::new(use_cases.analyze_text))
        .app_data(Data::new(use_cases.read_prices.clone()));
}
