//! `GET /api/crypto/ticker` and `GET /api/bitcoin/price`: bytes that were made once when the tick came.

use actix_web::web::Data;

use super::{
    ApiError, Conditional,
    conditional::Unchanged,
    error_codes,
    shapes::{BitcoinBody, TickerBody},
};
use crate::broadcast::Broadcaster;

/// Ticks come every five seconds; a cache may skip at most one.
const CACHE: &str = "public, max-age=5";

/// The newest prices of the largest assets.
#[utoipa::path(
    get,
    path = "/api/crypto/ticker",
    tag = "market",
    responses((status = 200, description = "The whole list", body = TickerBody), Unchanged)
)]
pub(super) async fn ticker(broadcaster: Data<Broadcaster>) -> Conditional {
    let shown = broadcaster.current();
    Conditional::json(shown.ticker_json.clone(), &shown.etag_ticker, CACHE)
}

/// The newest price of bitcoin.
#[utoipa::path(
    get,
    path = "/api/bitcoin/price",
    tag = "market",
    responses(
        (status = 200, description = "The price", body = BitcoinBody),
        Unchanged,
        (status = 503, description = "`price_unavailable`: none was ever known")
    )
)]
pub(super) async fn bitcoin(broadcaster: Data<Broadcaster>) -> Result<Conditional, ApiError> {
    let shown = broadcaster.current();
    match &shown.bitcoin_json {
        Some(body) => Ok(Conditional::json(body.clone(), &shown.etag_bitcoin, CACHE)),
        None => Err(ApiError::new(error_codes::PRICE_UNAVAILABLE).retry_after(5)),
    }
}
