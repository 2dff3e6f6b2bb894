//! Lists that are answered in pages.

mod cursor;

use serde::Serialize;
use utoipa::ToSchema;

use super::{ApiError, error_codes};

pub(super) use cursor::Cursor;

/// Lines of a page that nobody asked for in number.
const LIMIT: u32 = 20;
const MOST: u32 = 100;

/// Where in a list this is.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct PageBody {
    /// Lines in one answer.
    #[schema(minimum = 1, maximum = 100)]
    limit: u32,
    /// Whether there are more.
    has_more: bool,
    /// `cursor` of the next request, where there are more.
    next_cursor: Option<String>,
}

impl PageBody {
    pub(in crate::http) fn new(limit: u32, next_cursor: Option<String>) -> Self {
        Self { limit, has_more: next_cursor.is_some(), next_cursor }
    }
}

/// How much of a list, and from where on.
pub(in crate::http) fn read_limit(asked: Option<&str>) -> Result<u32, ApiError> {
    match asked.map_or(Ok(LIMIT), str::parse) {
        Ok(limit @ 1..=MOST) => Ok(limit),
        _ => Err(ApiError::new(error_codes::INVALID_QUERY).detail("limit", "1 to 100")),
    }
}

/// Where the answer before ended.
pub(in crate::http) fn read_cursor<C: Cursor>(text: Option<&str>) -> Result<Option<C>, ApiError> {
    text.map(C::read)
        .transpose()
        .map_err(|_| ApiError::new(error_codes::INVALID_QUERY).detail("cursor", "is none that this list gave"))
}
