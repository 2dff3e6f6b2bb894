//! Bodies are JSON objects.

use std::{fmt, marker::PhantomData};

use actix_web::{FromRequest, HttpRequest, dev::Payload, web::Bytes};
use futures_util::future::LocalBoxFuture;
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, MapAccess, Visitor, value::MapAccessDeserializer},
};

use super::{
    ApiError,
    malformed::{must_be_json, no_body, read_body},
};

/// A `T` read from a JSON object and from nothing else: serde would take an array of a struct's fields, in their order, as well,
/// which no document allows and which changes its meaning when a field is added.
#[derive(Debug, Default)]
pub struct JsonObject<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for JsonObject<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Fields(PhantomData)).map(Self)
    }
}

impl<T: DeserializeOwned + 'static> FromRequest for JsonObject<T> {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let said = must_be_json(request);
        let body = Bytes::from_request(request, payload);
        let request = request.clone();
        Box::pin(async move {
            said?;
            let body = body.await.map_err(|error| no_body(&request, &error))?;
            read_body(&body)
        })
    }
}

struct Fields<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Fields<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Debug, Deserialize, PartialEq, Eq)]
    #[serde(deny_unknown_fields)]
    struct Pair {
        a: u8,
        #[serde(default)]
        b: Option<u8>,
    }

    fn read(text: &str) -> Result<Pair, String> {
        serde_json::from_str::<JsonObject<Pair>>(text).map(|pair| pair.0).map_err(|error| error.to_string())
    }

    #[test]
    fn an_object_is_read_as_without_it() {
        assert_eq!(read(r#"{"a":1,"b":null}"#), Ok(Pair { a: 1, b: None }));
        for (text, wrong) in [
            (r#"{"a":1,"c":2}"#, "unknown field `c`, expected `a` or `b` at line 1 column 10"),
            (r#"{"a":1,"a":1}"#, "duplicate field `a` at line 1 column 10"),
            ("{}", "missing field `a` at line 1 column 2"),
        ] {
            assert_eq!(read(text), Err(wrong.to_owned()));
            assert_eq!(serde_json::from_str::<Pair>(text).unwrap_err().to_string(), wrong, "as serde says it");
        }
    }

    #[test]
    fn an_array_of_the_fields_is_no_object() {
        assert_eq!(serde_json::from_str(r"[1,2]").ok(), Some(Pair { a: 1, b: Some(2) }), "what serde takes by itself");
        for text in ["[1,2]", "[1]", "[]", "null", "1", "\"a\"", "true"] {
            assert!(read(text).unwrap_err().contains("expected a JSON object"), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".{0,80}") {
            let _ = read(&text);
        }
    }
}
