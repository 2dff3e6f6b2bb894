//! What code generators need to know: a field of an answer that may be null is there all the same.

use std::collections::BTreeSet;

use serde_json::Value;

const SCHEMAS: &str = "#/components/schemas/";

/// Names the fields that may be null among those that are always there, in every schema that no request is read by. A field that is
/// left out where there is nothing to say is marked as never null where it is declared.
pub(super) fn require_what_may_be_null(document: &mut Value) {
    let read = of_requests(document);
    let schemas = document.pointer_mut("/components/schemas").and_then(Value::as_object_mut);
    for (_, schema) in schemas.into_iter().flatten().filter(|(name, _)| !read.contains(*name)) {
        require(schema);
    }
}

fn require(schema: &mut Value) {
    let properties = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
    let nullable: Vec<_> = properties.filter(|(_, property)| may_be_null(property)).map(|(name, _)| name.clone()).collect();
    if !nullable.is_empty()
        && let Value::Object(fields) = schema
        && let Value::Array(required) = fields.entry("required").or_insert_with(|| Value::Array(Vec::new()))
    {
        required.extend(nullable.into_iter().map(Value::from));
        required.sort_unstable_by(|a, b| a.as_str().cmp(&b.as_str()));
        required.dedup();
    }
    match schema {
        Value::Object(fields) => fields.values_mut().for_each(require),
        Value::Array(items) => items.iter_mut().for_each(require),
        _ => {}
    }
}

fn may_be_null(property: &Value) -> bool {
    let is_null = |kind: &Value| kind == "null";
    let among = |name: &str, is: &dyn Fn(&Value) -> bool| property[name].as_array().is_some_and(|list| list.iter().any(is));
    among("type", &is_null) || among("oneOf", &|option| is_null(&option["type"]))
}

/// The schemas that requests are read by, and those within them.
fn of_requests(document: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let operations = document["paths"].as_object().into_iter().flatten().filter_map(|(_, item)| item.as_object()).flatten();
    for (_, operation) in operations {
        find(&operation["requestBody"], document, &mut found);
        find(&operation["parameters"], document, &mut found);
    }
    found
}

fn find(value: &Value, document: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            let name = fields.get("$ref").and_then(Value::as_str).and_then(|to| to.strip_prefix(SCHEMAS));
            if let Some(name) = name
                && found.insert(name.to_owned())
            {
                find(&document["components"]["schemas"][name], document, found);
            }
            fields.values().for_each(|field| find(field, document, found));
        }
        Value::Array(items) => items.iter().for_each(|item| find(item, document, found)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_may_be_null_is_required_of_answers_and_not_of_requests() {
        let answer = json!({"properties": {
            "a": {"type": ["string", "null"]},
            "b": {"type": "string"},
            "c": {"oneOf": [{"type": "null"}, {"$ref": "#/components/schemas/Inner"}]},
        }, "required": ["b"]});
        let body = json!({"properties": {"a": {"type": ["string", "null"]}, "in": {"$ref": "#/components/schemas/Inner"}}});
        let inner = json!({"properties": {"x": {"type": ["integer", "null"]}}});
        let mut document = json!({
            "paths": {"/": {"post": {"requestBody": {"content": {"schema": {"$ref": "#/components/schemas/Body"}}}}}},
            "components": {"schemas": {"Answer": answer, "Body": body, "Inner": inner}},
        });
        require_what_may_be_null(&mut document);
        let schemas = &document["components"]["schemas"];
        assert_eq!(schemas["Answer"]["required"], json!(["a", "b", "c"]));
        assert_eq!((&schemas["Body"], &schemas["Inner"]), (&body, &inner));
    }
}
