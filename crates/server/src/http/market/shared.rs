//! Answers that are the same for everybody.

use serde::Serialize;

use crate::{
    http::{Conditional, docs::etag_of},
    wire::json,
};

/// A body under a tag that changes with its bytes.
pub(super) fn shared(what: &str, body: &impl Serialize, cache_control: &'static str) -> Conditional {
    let bytes = json(body);
    Conditional { etag: etag_of(what, &bytes), ..Conditional::json(bytes.into(), "", cache_control) }
}
