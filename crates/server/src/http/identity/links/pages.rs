//! The pages that links in mail lead to. They show a form; what it sends changes something, and opening it does not.

use std::sync::LazyLock;

use actix_web::{
    HttpResponse, HttpResponseBuilder,
    http::header::{self, HeaderValue},
};

use crate::http::{Conditional, conditional::etag_of};

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
    with_page(HttpResponse::Ok())
}

/// The same at an address that was mistyped: its script says so.
pub(in crate::http) async fn no_page() -> HttpResponse {
    with_page(HttpResponse::NotFound())
}

/// Where password managers send people (W3C, A Well-Known URL for Changing Passwords).
pub(in crate::http) async fn change_password_page() -> HttpResponse {
    HttpResponse::Found().insert_header((header::LOCATION, "/account/reset")).finish()
}

fn with_page(mut response: HttpResponseBuilder) -> HttpResponse {
    response
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::REFERRER_POLICY, "no-referrer"))
        .content_type("text/html; charset=utf-8")
        .body(PAGE)
}

/// Its script.
pub(in crate::http) async fn script() -> Conditional {
    SCRIPT.clone()
}
