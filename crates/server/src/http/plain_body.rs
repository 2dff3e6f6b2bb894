//! Bodies are taken as they are. One that is packed is refused before anything of it is unpacked: a few hundred bytes may hold a
//! gibibyte, and no client of ours packs a request.

use actix_web::{
    Error,
    body::BoxBody,
    dev::{ServiceRequest, ServiceResponse},
    http::{
        Method,
        header::{ACCEPT_ENCODING, CONTENT_ENCODING, HeaderMap, HeaderValue},
    },
    middleware::Next,
};

use super::{ApiError, Endpoint, error_codes};

/// The middleware of one resource, outside of whatever reads a body. A method that is not taken is told so, whatever it brings.
pub(super) async fn plain_body(
    endpoint: Endpoint,
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse, Error> {
    let method = request.method();
    let reads_none = [Method::GET, Method::HEAD, Method::OPTIONS].contains(method);
    if reads_none || !endpoint.takes(method) || !is_packed(request.headers()) {
        return next.call(request).await;
    }
    let refusal = ApiError::new(error_codes::UNSUPPORTED_MEDIA_TYPE)
        .message("Send the body as it is: it may not be packed.")
        .detail("content-encoding", "is not taken");
    let mut refused = request.error_response(refusal);
    // RFC 9110, section 15.5.16: what would have been taken.
    refused.headers_mut().insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    Ok(refused)
}

/// Whether the body is said to be anything but itself.
fn is_packed(headers: &HeaderMap) -> bool {
    let plain = |coding: &HeaderValue| coding.as_bytes().trim_ascii().eq_ignore_ascii_case(b"identity");
    headers.get_all(CONTENT_ENCODING).any(|coding| !plain(coding))
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
