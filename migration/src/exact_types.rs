//! Column types that keep every digit on both databases.
//!
//! SQLite has no decimal type and compares times as text. On PostgreSQL these names are domains over `numeric` and
//! `timestamptz`; on SQLite a column or cast whose type name contains `TEXT` keeps text as it is
//! (<https://www.sqlite.org/datatype3.html>, section 3.1). So one name means the exact type on both, and
//! `CAST(? AS numeric_text)` takes the same bound text on both.

use sea_orm_migration::prelude::*;

/// `numeric` on PostgreSQL; on SQLite plain decimal notation as text.
pub(crate) const NUMERIC: &str = "numeric_text";
/// `timestamptz` on PostgreSQL; on SQLite UTC as text of fixed width, so that comparing text compares time.
pub(crate) const TIMESTAMP: &str = "timestamptz_text";

/// A column of [`NUMERIC`].
pub(crate) fn numeric(name: impl IntoIden) -> ColumnDef {
    column(name, NUMERIC)
}

/// A column of [`TIMESTAMP`].
pub(crate) fn timestamp(name: impl IntoIden) -> ColumnDef {
    column(name, TIMESTAMP)
}

fn column(name: impl IntoIden, exact_type: &'static str) -> ColumnDef {
    let mut column = ColumnDef::new(name);
    column.custom(exact_type);
    column
}
