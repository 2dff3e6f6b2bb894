//! The pages that links in mail lead to. They show a form; what it sends changes something, and opening it does not.

use std::sync::LazyLock;

use actix_web::{
    HttpResponse,
    http::header::{self, HeaderValue},
};

use crate::http::{Conditional, docs::etag_of};

const PAGE: &str = include_str!("../pages/account.html");

static SCRIPT: LazyLock<Conditional> = LazyLock::new(|| {
    let text = include_str!("../pages/account.js");
    Conditional {
        etag: etag_of("account", text.as_bytes()),
        body: text.into(),
        content_type: HeaderValue::from_static("text/javascript; charset=utf-8"),
        cache_control: HeaderValue::from_static("no-cache"),
    }
});

/// The page. Its address holds a secret: nothing keeps it, and no other site is told.
pub(in crate::http) async fn page() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::REFERRER_POLICY, "no-referrer"))
        .content_type("text/html; charset=utf-8")
        .body(PAGE)
}

/// Its script.
pub(in crate::http) async fn script() -> Conditional {
    SCRIPT.clone()
}
