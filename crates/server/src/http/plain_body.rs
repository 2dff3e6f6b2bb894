//! Bodies are taken as they are. One that is packed is refused before anything of it is unpacked: a few hundred bytes may hold a
//! gibibyte, and no client of ours packs a request.

use actix_web::{
    Error,
    body::{EitherBody, MessageBody},
    dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready},
    http::{
        Method,
        header::{ACCEPT_ENCODING, CONTENT_ENCODING, HeaderMap, HeaderValue},
    },
};
use futures_util::future::{LocalBoxFuture, Ready, ready};

use super::{ApiError, error_codes};

/// The middleware of one resource, outside of whatever reads a body.
#[derive(Debug, Clone, Copy)]
pub(super) struct PlainBody {
    methods: &'static str,
}

impl PlainBody {
    /// For a resource that takes these methods; another one is told that it is not taken, whatever it brings.
    pub(super) const fn new(methods: &'static str) -> Self {
        Self { methods }
    }

    fn refuses(self, request: &ServiceRequest) -> bool {
        let method = request.method();
        ![Method::GET, Method::HEAD, Method::OPTIONS].contains(method)
            && self.methods.split(", ").any(|named| named == method.as_str())
            && is_packed(request.headers())
    }
}

/// Whether the body is said to be anything but itself.
fn is_packed(headers: &HeaderMap) -> bool {
    let plain = |coding: &HeaderValue| coding.as_bytes().trim_ascii().eq_ignore_ascii_case(b"identity");
    headers.get_all(CONTENT_ENCODING).any(|coding| !plain(coding))
}

impl<S, B> Transform<S, ServiceRequest> for PlainBody
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Transform = PlainBodyService<S>;
    type InitError = ();
    type Future = Ready<Result<PlainBodyService<S>, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(PlainBodyService { service, only: *self }))
    }
}

/// The middleware around one resource.
pub(super) struct PlainBodyService<S> {
    service: S,
    only: PlainBody,
}

impl<S, B> Service<ServiceRequest> for PlainBodyService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self::Response, Error>>;

    forward_ready!(service);

    fn call(&self, request: ServiceRequest) -> Self::Future {
        if !self.only.refuses(&request) {
            let answer = self.service.call(request);
            return Box::pin(async move { answer.await.map(ServiceResponse::map_into_left_body) });
        }
        let refusal = ApiError::new(error_codes::UNSUPPORTED_MEDIA_TYPE)
            .message("Send the body as it is: it may not be packed.")
            .detail("content-encoding", "is not taken");
        let mut refused = request.error_response(refusal).map_into_right_body();
        // RFC 9110, section 15.5.16: what would have been taken.
        refused.headers_mut().insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        Box::pin(ready(Ok(refused)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_body_that_is_itself_is_plain() {
        let packed = |codings: &[&str]| {
            let mut headers = HeaderMap::new();
            for coding in codings {
                headers.append(CONTENT_ENCODING, HeaderValue::from_str(coding).unwrap());
            }
            is_packed(&headers)
        };
        assert!(!packed(&[]) && !packed(&["identity"]) && !packed(&[" Identity"]));
        for codings in
            [&["gzip"][..], &["GZIP"], &["br"], &["deflate"], &["zstd"], &["identity, gzip"], &["identity", "br"], &[""], &["x"]]
        {
            assert!(packed(codings), "{codings:?}");
        }
    }
}
