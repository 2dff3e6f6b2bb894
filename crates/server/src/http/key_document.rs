//! What the OpenAPI document says of API keys: where one may be sent, as the table of `gate/key_access.rs` has it.

use coinlink_domain::identity::ApiScope;
use utoipa::{
    Modify,
    openapi::{
        OpenApi as Specification,
        path::{Operation, PathItem},
        security::{ApiKey, ApiKeyValue, SecurityRequirement, SecurityScheme},
    },
};

use super::{Gated, METRICS, everywhere, gate::KeyAccess, routes::ENDPOINTS};

/// Where programs may send a key.
pub(super) struct KeyDocument;

const SCHEME: &str = "api_key";

impl Modify for KeyDocument {
    fn modify(&self, document: &mut Specification) {
        let header = ApiKeyValue::with_description(
            "X-API-Key",
            "Made at `POST /api/v2/user/api-keys` and shown there once. It does what its scopes name (`market:read`, `account:read`, `account:write`, `chat:write`), in place of an access token and never together with one. What names no scope here takes none, or any key that is good",
        );
        document.components.get_or_insert_default().add_security_scheme(SCHEME, SecurityScheme::ApiKey(ApiKey::Header(header)));
        for (path, item) in &mut document.paths.paths {
            let gated = ENDPOINTS.iter().chain([&METRICS]).find(|endpoint| endpoint.path == *path).map(|endpoint| endpoint.gated);
            if gated.is_some_and(|gated| gated != Gated::Exempt) {
                for (method, operation) in operations(item) {
                    describe(operation, KeyAccess::of(Some(path), method));
                }
            }
        }
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    let PathItem { get, put, post, delete, patch, .. } = item;
    let all = [("GET", get), ("PUT", put), ("POST", post), ("DELETE", delete), ("PATCH", patch)];
    all.into_iter().filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

fn describe(operation: &mut Operation, access: KeyAccess) {
    let why = match access {
        KeyAccess::Public => None,
        KeyAccess::Needs(_) | KeyAccess::NeedsBoth(..) => Some("The API key lacks a scope: `scope_missing`"),
        KeyAccess::Forbidden => Some("An API key was sent: `key_not_allowed`"),
    };
    if access != KeyAccess::Forbidden {
        // Where nobody has to say who they are, nobody has to send a key either.
        let security = operation.security.get_or_insert_with(|| vec![SecurityRequirement::default()]);
        security.push(SecurityRequirement::new(SCHEME, access.needed().map(ApiScope::name)));
    }
    if let Some(why) = why {
        operation.responses.responses.entry("403".to_owned()).or_insert_with(|| everywhere::error(why));
    }
}
