//! A handler that takes too long is answered for, and one that panics takes nothing else down.

use std::{panic::AssertUnwindSafe, time::Duration};

use actix_web::{
    Error,
    body::BoxBody,
    dev::{ServiceRequest, ServiceResponse},
    middleware::Next,
};
use futures_util::FutureExt as _;

use super::{ApiError, error_codes};

/// The middleware of one resource; there, unlike further out, the request can be kept to answer it.
pub(super) async fn deadline(within: Duration, request: ServiceRequest, next: Next<BoxBody>) -> Result<ServiceResponse, Error> {
    let asked = request.request().clone();
    let answer = AssertUnwindSafe(next.call(request)).catch_unwind();
    let code = match tokio::time::timeout(within, answer).await {
        Ok(Ok(answered)) => return answered,
        Ok(Err(_panic)) => error_codes::INTERNAL_ERROR,
        Err(_elapsed) => error_codes::REQUEST_TIMEOUT,
    };
    Ok(ServiceResponse::from_err(ApiError::new(code), asked))
}
