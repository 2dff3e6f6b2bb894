//! Column types that keep what they are given: neither database's driver does for both.
//!
//! SQLite has no decimals (SeaORM binds them as floating point) and compares times as text (`12:00:00Z` is after
//! `12:00:00.5Z` there). So both are bound as text and cast to `numeric_text` and `timestamptz_text`, which the schema
//! makes the native types on PostgreSQL and which SQLite takes for text. Every column of these types carries
//! `save_as` with that name, and decimals also `select_as = "text"`.

use rust_decimal::Decimal;
use sea_orm::{
    ColIdx, DbBackend, DbErr, QueryResult, TryGetError, TryGetable,
    sea_query::{ArrayType, ColumnType, Expr, Nullable, Value, ValueType, ValueTypeErr},
};
use time::{Duration, OffsetDateTime, UtcOffset, format_description::StaticFormatDescription, macros::format_description};

/// A decimal with every digit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exact(pub Decimal);

/// A moment with every microsecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment(pub OffsetDateTime);

/// So long ago by the database's own clock, as a value that an index can be searched by.
pub(crate) fn by_its_clock(backend: DbBackend, ago: Duration) -> Expr {
    let ago = ago.max(Duration::ZERO).as_seconds_f64();
    match backend {
        DbBackend::Postgres => Expr::cust_with_values("statement_timestamp() - make_interval(secs => $1)", [ago]),
        _ => Expr::cust_with_values("strftime('%Y-%m-%dT%H:%M:%f000Z', 'now', ?)", [format!("-{ago:.3} seconds")]),
    }
}

/// Of fixed width, so that comparing text compares time.
const MOMENT: StaticFormatDescription =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]Z");

impl From<Exact> for Value {
    fn from(Exact(decimal): Exact) -> Self {
        decimal.to_string().into()
    }
}

impl From<Moment> for Value {
    fn from(Moment(moment): Moment) -> Self {
        // Every component is there and in range: formatting cannot fail.
        moment.to_offset(UtcOffset::UTC).format(MOMENT).unwrap_or_default().into()
    }
}

impl TryGetable for Exact {
    fn try_get_by<I: ColIdx>(row: &QueryResult, index: I) -> Result<Self, TryGetError> {
        let text = String::try_get_by(row, index)?;
        exact(&text).map_err(|e| DbErr::Type(format!("{text:?}: {e}")).into())
    }
}

impl TryGetable for Moment {
    fn try_get_by<I: ColIdx>(row: &QueryResult, index: I) -> Result<Self, TryGetError> {
        OffsetDateTime::try_get_by(row, index).map(Self)
    }
}

fn exact(text: &str) -> Result<Exact, rust_decimal::Error> {
    Decimal::from_str_exact(text).map(Exact)
}

impl ValueType for Exact {
    fn try_from(value: Value) -> Result<Self, ValueTypeErr> {
        let text = <String as ValueType>::try_from(value)?;
        exact(&text).map_err(|_| ValueTypeErr)
    }

    fn type_name() -> String {
        "Exact".to_owned()
    }

    fn array_type() -> ArrayType {
        ArrayType::String
    }

    fn column_type() -> ColumnType {
        ColumnType::custom("numeric_text")
    }
}

impl ValueType for Moment {
    fn try_from(value: Value) -> Result<Self, ValueTypeErr> {
        let text = <String as ValueType>::try_from(value)?;
        let parsed = time::PrimitiveDateTime::parse(&text, MOMENT).map_err(|_| ValueTypeErr)?;
        Ok(Self(parsed.assume_utc()))
    }

    fn type_name() -> String {
        "Moment".to_owned()
    }

    fn array_type() -> ArrayType {
        ArrayType::String
    }

    fn column_type() -> ColumnType {
        ColumnType::custom("timestamptz_text")
    }
}

impl Nullable for Exact {
    fn null() -> Value {
        String::null()
    }
}

impl Nullable for Moment {
    fn null() -> Value {
        String::null()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn text_of_moments_sorts_as_they_do(a in 0_i64..253_402_300_799_000_000, b in 0_i64..253_402_300_799_000_000) {
            let text = |micros: i64| {
                let moment = OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1_000).unwrap();
                <String as ValueType>::try_from(Value::from(Moment(moment))).unwrap()
            };
            prop_assert_eq!(text(a).cmp(&text(b)), a.cmp(&b));
        }

        #[test]
        fn any_text_is_a_decimal_or_refused(text in ".{0,40}") {
            if let Ok(Exact(decimal)) = exact(&text) {
                prop_assert_eq!(exact(&decimal.to_string()).unwrap(), Exact(decimal));
            }
        }
    }

    #[test]
    fn more_digits_than_a_decimal_has_are_refused_and_not_rounded() {
        assert!(exact("0.00000000000000000000000000001").is_err());
        assert!(exact("NaN").is_err());
    }
}
