//! Lists that are answered in pages.

mod cursor;

use std::{fmt::Display, ops::RangeInclusive, str::FromStr};

use serde::Serialize;
use utoipa::ToSchema;

use super::ApiError;

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

/// A number of a query; `usual`, where there is none.
pub(in crate::http) fn read_number<N: FromStr + PartialOrd + Display>(
    name: &'static str,
    asked: Option<&str>,
    usual: N,
    range: RangeInclusive<N>,
) -> Result<N, ApiError> {
    let read = asked.map_or(Ok(usual), str::parse).ok().filter(|number| range.contains(number));
    read.ok_or_else(|| ApiError::invalid_query(name, format!("{} to {}", range.start(), range.end())))
}

/// How much of a list.
pub(in crate::http) fn read_limit(asked: Option<&str>) -> Result<u32, ApiError> {
    read_number("limit", asked, LIMIT, 1..=MOST)
}

/// Where the answer before ended.
pub(in crate::http) fn read_cursor<C: Cursor>(text: Option<&str>) -> Result<Option<C>, ApiError> {
    text.map(C::read).transpose().map_err(|_| ApiError::invalid_query("cursor", "is none that this list gave"))
}
