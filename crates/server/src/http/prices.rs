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
const LIST: &str = "public, max-age=5";
/// As the older clients of this route expect it, and as `/api/v2/market/bitcoin/price`.
const PRICE: &str = "public, max-age=10";

/// The newest prices of the largest assets.
///
/// All of them, in the order of the list; some of them are at `/api/v2/market/crypto/ticker?symbols=`. It takes no parameters, and does not look
/// at any that are sent: older clients send one that changes (`_t`) to get past their caches.
#[utoipa::path(
    get,
    path = "/api/crypto/ticker",
    tag = "market",
    responses((status = 200, description = "The whole list", body = TickerBody), Unchanged)
)]
pub(super) async fn ticker(broadcaster: Data<Broadcaster>) -> Conditional {
    let shown = broadcaster.current();
    Conditional::json(shown.ticker_json.clone(), &shown.etag_ticker, LIST)
}

/// The newest price of bitcoin.
///
/// It takes no parameters, and does not look at any that are sent, as `/api/crypto/ticker`.
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
        Some(body) => Ok(Conditional::json(body.clone(), &shown.etag_bitcoin, PRICE)),
        None => Err(ApiError::new(error_codes::PRICE_UNAVAILABLE).retry_after(5)),
    }
}
