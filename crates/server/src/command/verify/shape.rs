//! The shape of JSON, as far as a client relies on it.

use serde_json::Value;

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Text that is not empty.
    Words,
    Number,
    /// A number, or null where it is not known.
    MaybeNumber,
    Bool,
    List,
    Object,
}

impl Kind {
    fn is_of(self, value: &Value) -> bool {
        match self {
            Self::Words => value.as_str().is_some_and(|text| !text.trim().is_empty()),
            Self::Number => value.is_number(),
            Self::MaybeNumber => value.is_number() || value.is_null(),
            Self::Bool => value.is_boolean(),
            Self::List => value.is_array(),
            Self::Object => value.is_object(),
        }
    }
}

/// A field, by its JSON pointer.
pub(super) type Field = (&'static str, Kind);

/// The fields that are missing or hold something else; empty where all are as they must be.
pub(super) fn faults(json: &Value, fields: &[Field]) -> Vec<String> {
    let fault = |(pointer, kind): &Field| match json.pointer(pointer) {
        None => Some(format!("{pointer} is missing")),
        Some(value) if !kind.is_of(value) => Some(format!("{pointer} is no {kind:?}").to_lowercase()),
        Some(_) => None,
    };
    fields.iter().filter_map(fault).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_missing_or_of_another_kind_is_named() {
        let json = json!({"data": {"price": 1, "change": null}, "ok": "yes", "items": [], "empty": " "});
        let good = [("/data/price", Kind::Number), ("/data/change", Kind::MaybeNumber), ("/items", Kind::List)];
        assert!(faults(&json, &good).is_empty());
        let bad = [("/ok", Kind::Bool), ("/none", Kind::List), ("/empty", Kind::Words), ("/data/change", Kind::Number)];
        assert_eq!(
            faults(&json, &bad),
            ["/ok is no bool", "/none is missing", "/empty is no words", "/data/change is no number"]
        );
        assert_eq!(faults(&Value::Null, &[("/a", Kind::Object)]).len(), 1);
    }
}
