//! What a front end asks, and what came back.

use reqwest::Method;
use serde_json::Value;

use super::{Server, header};

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) cookie: Option<String>,
    pub(crate) cache: Option<String>,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or_default()
    }

    pub(crate) fn refusal(&self) -> (u16, &str) {
        (self.status, self.code())
    }

    pub(crate) fn detail(&self, field: &str) -> &str {
        self.body["error"]["details"][field].as_str().unwrap_or_default()
    }
}

/// Asks a route of `/api/v2`, as whoever holds `token`.
pub(crate) async fn ask(server: &Server, method: Method, path: &str, token: Option<&str>, body: Option<Value>) -> Answer {
    let mut request = server.request(method, &format!("/api/v2{path}"));
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    if let Some(body) = body {
        request = request.header("content-type", "application/json").body(body.to_string());
    }
    let response = request.send().await.unwrap();
    let kept = |name: &str| header(&response, name).map(str::to_owned);
    let (status, cookie, cache) = (response.status().as_u16(), kept("set-cookie"), kept("cache-control"));
    let body = serde_json::from_str(&response.text().await.unwrap()).unwrap_or(Value::Null);
    Answer { status, cookie, cache, body }
}

/// What of `value` is not as the OpenAPI document says.
pub(crate) fn misfit(value: &Value, schema: &Value, document: &Value) -> Option<String> {
    if let Some(reference) = schema["$ref"].as_str() {
        return misfit(value, document.pointer(reference.trim_start_matches('#')).unwrap(), document);
    }
    if let Some(options) = schema["oneOf"].as_array() {
        let misfits: Option<Vec<_>> = options.iter().map(|option| misfit(value, option, document)).collect();
        return misfits.map(|why| why.join(", or "));
    }
    let kinds: &[&str] = match value {
        Value::Null => &["null"],
        Value::Bool(_) => &["boolean"],
        Value::Number(number) if number.is_f64() => &["number"],
        Value::Number(_) => &["integer", "number"],
        Value::String(_) => &["string"],
        Value::Array(_) => &["array"],
        Value::Object(_) => &["object"],
    };
    let is_kind = |kind: &Value| kinds.iter().any(|ours| kind == ours);
    let fits = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().any(is_kind),
        kind => kind.is_null() || is_kind(kind),
    };
    if !fits {
        return Some(format!("{value} is not of type {}", schema["type"]));
    }
    let within = |name: &str, why: Option<String>| why.map(|why| format!("{name}: {why}"));
    match value {
        Value::Object(fields) if schema["properties"].is_object() => {
            let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let missing = required.into_iter().find(|name| !fields.contains_key(*name)).map(|name| format!("{name} is missing"));
            missing.or_else(|| {
                fields.iter().find_map(|(name, field)| {
                    let property = &schema["properties"][name];
                    if property.is_null() {
                        Some(format!("{name} is not documented"))
                    } else {
                        within(name, misfit(field, property, document))
                    }
                })
            })
        }
        Value::Object(fields) => {
            // Keys of JSON are strings.
            let names = &schema["propertyNames"]["type"];
            let odd = !fields.is_empty() && !names.is_null() && names != "string";
            let inside =
                || fields.iter().find_map(|(name, field)| within(name, misfit(field, &schema["additionalProperties"], document)));
            if odd { Some(format!("keys are of type {names}")) } else { inside() }
        }
        Value::Array(items) => items.iter().find_map(|item| misfit(item, &schema["items"], document)),
        _ => None,
    }
}
