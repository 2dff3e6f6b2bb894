//! What the OpenAPI document says of every route, whatever it is for; `#[utoipa::path]` says the rest. The body of an error is always
//! `ErrorBody`, unless the route says otherwise.

use std::collections::BTreeMap;

use serde_json::Value;
use utoipa::{
    Modify,
    openapi::{
        Content, Header, HeaderBuilder, ObjectBuilder, OpenApi as Specification, Ref, RefOr, Response, ResponseBuilder, Schema,
        SchemaFormat, Type,
        path::{Operation, PathItem},
        schema::{KnownFormat, SchemaType},
        security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
    },
};

use super::{ENDPOINTS, Gated, error_codes};

/// What any route may answer, and how callers show who they are.
pub(super) struct Everywhere;

/// Status and meaning of the errors that come from what stands before and around the handlers.
const ANY_ROUTE: [(&str, &str); 5] = [
    ("400", "The request is malformed: `bad_request`, `invalid_query`, `invalid_path`"),
    ("405", "The path does not take this method: `method_not_allowed`"),
    ("500", "`internal_error`"),
    ("503", "`dependency_unavailable`; try again after `Retry-After`"),
    ("504", "`request_timeout`"),
];
/// The same for routes that nobody may use without saying who they are.
const ANY_PRIVATE: [(&str, &str); 1] = [("401", "Not signed in")];
/// The same for routes whose requests are counted.
const ANY_COUNTED: [(&str, &str); 2] = [
    (
        "401",
        "The access token or API key that was sent is no good: `invalid_token`, `token_expired`, `token_not_yet_valid`, `session_revoked`, `invalid_api_key`",
    ),
    ("429", "Too many requests: `rate_limited`; try again after `Retry-After`"),
];
/// The same for routes that read a body.
const ANY_BODY: [(&str, &str); 2] =
    [("413", "The body is too large: `payload_too_large`"), ("415", "The body is no JSON: `unsupported_media_type`")];

impl Modify for Everywhere {
    fn modify(&self, document: &mut Specification) {
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
        if let Some(RefOr::T(Schema::Object(fields))) = components.schemas.get_mut("ErrorFields")
            && let Some(RefOr::T(Schema::Object(code))) = fields.properties.get_mut("code")
        {
            code.enum_values = Some(error_codes::ALL.iter().map(|code| Value::from(code.code)).collect());
        }
        let mut headers = Headers::new();
        for (path, item) in &mut document.paths.paths {
            let gated = ENDPOINTS.iter().find(|endpoint| endpoint.path == *path).map_or(Gated::Exempt, |endpoint| endpoint.gated);
            for operation in operations(item) {
                complete(operation, gated, &mut headers);
            }
        }
        document.components.get_or_insert_default().headers.append(&mut headers);
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.put, &mut item.post, &mut item.delete, &mut item.patch].into_iter().flatten()
}

fn complete(operation: &mut Operation, gated: Gated, headers: &mut Headers) {
    let is_private = operation.security.as_ref().is_some_and(|ways| !ways.contains(&SecurityRequirement::default()));
    let private = if is_private { &ANY_PRIVATE[..] } else { &[] };
    let more = if gated == Gated::Exempt { &[] } else { &ANY_COUNTED[..] };
    let body = if operation.request_body.is_some() { &ANY_BODY[..] } else { &[] };
    let responses = &mut operation.responses.responses;
    for (status, meaning) in private.iter().chain(&ANY_ROUTE).chain(more).chain(body) {
        responses.entry((*status).to_owned()).or_insert_with(|| error(meaning));
    }
    let conditional = responses.contains_key("304");
    for (status, response) in responses {
        if let RefOr::T(response) = response {
            if status.starts_with(['4', '5']) && response.content.is_empty() {
                let body = Content::new(Some(Ref::from_schema_name("ErrorBody")));
                response.content.insert("application/json".to_owned(), RefOr::T(body));
            }
            describe_headers(response, status, (is_counted(gated, status), conditional), headers);
        }
    }
    for parameter in operation.parameters.iter_mut().flatten() {
        if let RefOr::T(parameter) = parameter
            && let Some(RefOr::T(Schema::Object(text))) = &mut parameter.schema
            && let SchemaType::Array(types) = &text.schema_type
            && let [sent, Type::Null] = &types[..]
        {
            // A header may be left out; there is no null that could be sent in its place.
            text.schema_type = SchemaType::Type(sent.clone());
        }
    }
}

/// Whether every answer of this status was counted. A session's requests are, once their body says whose they are.
fn is_counted(gated: Gated, status: &str) -> bool {
    match gated {
        Gated::Exempt => false,
        Gated::Session => matches!(status, "200" | "401" | "429"),
        Gated::General | Gated::Link | Gated::Chat | Gated::Prompts | Gated::Price | Gated::Credentials => true,
    }
}

pub(super) fn error(meaning: &str) -> RefOr<Response> {
    RefOr::T(ResponseBuilder::new().description(meaning).build())
}

/// Those that many answers have, described once.
type Headers = BTreeMap<String, RefOr<Header>>;

fn describe_headers(response: &mut Response, status: &str, (counted, conditional): (bool, bool), headers: &mut Headers) {
    let mut describe = |name: &str, header: Header| {
        headers.entry(name.to_owned()).or_insert(RefOr::T(header));
        let once = Ref::new(format!("#/components/headers/{name}"));
        response.headers.entry(name.to_owned()).or_insert(RefOr::Ref(once));
    };
    describe("X-Request-Id", text("The id the request came with, or one that was made"));
    describe("X-Trace-Id", header("Leads us to the request", Type::String, Some(KnownFormat::Uuid)));
    if counted {
        describe("X-RateLimit-Limit", count("Requests the tightest window takes"));
        describe("X-RateLimit-Remaining", count("Requests it still takes"));
        describe("X-RateLimit-Reset", count("The Unix second in which it takes one more"));
        describe("RateLimit-Policy", text("Every window's limit: draft-ietf-httpapi-ratelimit-headers-11"));
        describe("RateLimit", text("How full every window is: the same draft"));
    }
    if conditional && matches!(status, "200" | "304") {
        describe("ETag", text("Send it back in `If-None-Match`"));
    }
    match status {
        "401" => describe("WWW-Authenticate", text("RFC 6750, section 3")),
        "405" => describe("Allow", text("The methods the path takes")),
        "429" | "503" => describe("Retry-After", count("Seconds after which it is worth another try")),
        _ => {}
    }
}

fn text(description: &str) -> Header {
    header(description, Type::String, None)
}

fn count(description: &str) -> Header {
    let schema = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0)).build();
    HeaderBuilder::new().schema(Some(schema)).description(Some(description)).build()
}

fn header(description: &str, kind: Type, format: Option<KnownFormat>) -> Header {
    let schema = ObjectBuilder::new().schema_type(kind).format(format.map(SchemaFormat::KnownFormat)).build();
    HeaderBuilder::new().schema(Some(schema)).description(Some(description)).build()
}
