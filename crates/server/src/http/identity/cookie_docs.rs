//! What the OpenAPI document says of cookies: wherever an access token is taken, its cookie is.

use utoipa::{
    Modify,
    openapi::{
        OpenApi, RefOr,
        path::{Operation, PathItem},
        security::{ApiKey, ApiKeyValue, SecurityRequirement, SecurityScheme},
    },
};

use crate::http::{
    everywhere::error,
    gate::{ACCESS_COOKIE, REFRESH_COOKIE},
};

/// The cookies, and the token that goes with them.
pub(in crate::http) struct CookieDocument;

/// The routes that take the refresh cookie.
const REFRESHED_AT: [&str; 3] = ["/api/v2/auth/token/refresh", "/api/v2/auth/refresh", "/api/v2/auth/logout"];
const FORGED: &str = "`csrf_failed`: with cookies, the request is not seen to be of a page that may make it";

impl Modify for CookieDocument {
    fn modify(&self, document: &mut OpenApi) {
        let components = document.components.get_or_insert_default();
        let access = "The access token, set by a sign-in with `\"cookies\": true`. Not together with another credential";
        let refresh = "The refresh token; sent to `/api/v2/auth` alone";
        let csrf =
            "With cookies, on every request that may change something: the token of `GET /api/v2/auth/csrf`, or of the sign-in";
        let schemes = [
            ("cookie", ApiKey::Cookie(ApiKeyValue::with_description(ACCESS_COOKIE, access))),
            ("refresh_cookie", ApiKey::Cookie(ApiKeyValue::with_description(REFRESH_COOKIE, refresh))),
            ("csrf", ApiKey::Header(ApiKeyValue::with_description("X-CSRF-Token", csrf))),
        ];
        for (name, scheme) in schemes {
            components.add_security_scheme(name, SecurityScheme::ApiKey(scheme));
        }
        for (path, item) in &mut document.paths.paths {
            let PathItem { get, put, post, delete, patch, .. } = item;
            if let Some(operation) = get {
                takes_cookies(operation, &["cookie"]);
            }
            for operation in [put, post, delete, patch].into_iter().flatten() {
                takes_cookies(operation, &["cookie", "csrf"]);
                if REFRESHED_AT.contains(&path.as_str()) {
                    operation
                        .security
                        .get_or_insert_with(|| vec![SecurityRequirement::default()])
                        .push(all(&["refresh_cookie", "csrf"]));
                }
                if operation.security.is_some() || operation.request_body.is_some() {
                    may_be_forged(operation);
                }
            }
        }
    }
}

/// Every one of these schemes.
fn all(schemes: &[&str]) -> SecurityRequirement {
    schemes.iter().fold(SecurityRequirement::default(), |all, scheme| all.add(*scheme, Vec::<String>::new()))
}

fn takes_cookies(operation: &mut Operation, schemes: &[&str]) {
    if let Some(ways) = operation.security.as_mut().filter(|ways| ways.contains(&all(&["bearer"]))) {
        ways.push(all(schemes));
    }
}

fn may_be_forged(operation: &mut Operation) {
    match operation.responses.responses.get_mut("403") {
        Some(RefOr::T(response)) => response.description = format!("{}; or {FORGED}", response.description),
        Some(RefOr::Ref(_)) => {}
        None => drop(operation.responses.responses.insert("403".to_owned(), error(FORGED))),
    }
}
