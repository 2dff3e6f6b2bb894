//! A handler that takes too long is answered for, and one that panics takes nothing else down.

use std::{panic::AssertUnwindSafe, time::Duration};

use actix_web::{
    Error,
    body::{EitherBody, MessageBody},
    dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready},
};
use futures_util::{
    FutureExt as _,
    future::{LocalBoxFuture, Ready, ready},
};

use super::{ApiError, error_codes};

/// The middleware of one resource; there, unlike further out, the request can be kept to answer it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadline(pub(super) Duration);

impl<S, B> Transform<S, ServiceRequest> for Deadline
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Transform = DeadlineService<S>;
    type InitError = ();
    type Future = Ready<Result<DeadlineService<S>, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(DeadlineService { service, within: self.0 }))
    }
}

/// The middleware around one resource.
pub(super) struct DeadlineService<S> {
    service: S,
    within: Duration,
}

impl<S, B> Service<ServiceRequest> for DeadlineService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self::Response, Error>>;

    forward_ready!(service);

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let asked = request.request().clone();
        let answer = AssertUnwindSafe(self.service.call(request)).catch_unwind();
        let answer = tokio::time::timeout(self.within, answer);
        Box::pin(async move {
            let code = match answer.await {
                Ok(Ok(answered)) => return answered.map(ServiceResponse::map_into_left_body),
                Ok(Err(_panic)) => error_codes::INTERNAL_ERROR,
                Err(_elapsed) => error_codes::REQUEST_TIMEOUT,
            };
            Ok(ServiceResponse::from_err(ApiError::new(code), asked).map_into_right_body())
        })
    }
}
