//! `GET /api/v2/market/bitcoin/history`: the older shape, a price for each point in time.

use actix_web::web::{Data, Query};
use coinlink_application::market::ReadCandles;
use coinlink_domain::market::{Symbol, candles::CandleRecord};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use time::Duration;
use utoipa::{IntoParams, ToSchema};

use super::candles::{CACHE, IntervalName, MOST, read_interval};
use crate::{
    http::{ApiError, Conditional, conditional::Unchanged},
    wire::rfc3339,
};

/// How far back.
const PERIODS: [(&str, Duration); 5] = [
    ("1h", Duration::HOUR),
    ("24h", Duration::DAY),
    ("7d", Duration::days(7)),
    ("30d", Duration::days(30)),
    ("1y", Duration::days(365)),
];

/// A period, for the document.
#[derive(ToSchema)]
#[expect(dead_code, reason = "queries are read as text, so that what is wrong with them is told by name")]
pub(in crate::http) enum PeriodName {
    #[schema(rename = "1h")]
    Hour,
    #[schema(rename = "24h")]
    Day,
    #[schema(rename = "7d")]
    Week,
    #[schema(rename = "30d")]
    Month,
    #[schema(rename = "1y")]
    Year,
}

/// Which history.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct HistoryQuery {
    /// How far back from now.
    #[param(value_type = Option<PeriodName>, default = "24h")]
    period: Option<String>,
    /// Between two points.
    #[param(value_type = Option<IntervalName>, default = "1h")]
    interval: Option<String>,
}

/// A price at a time.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct PointBody {
    /// When its candle opened.
    #[schema(format = DateTime)]
    timestamp: String,
    /// The last price of it so far, US dollars, every digit.
    #[schema(value_type = f64, exclusive_minimum = 0)]
    price: Box<RawValue>,
    /// What was traded, in bitcoin; left out where nobody said.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<f64>, nullable = false)]
    volume: Option<Box<RawValue>>,
    /// Who says so: `ticks` are our own, collected; `simulated` is made up; others are providers.
    source: &'static str,
}

impl From<&CandleRecord> for PointBody {
    fn from(CandleRecord { candle, origin, .. }: &CandleRecord) -> Self {
        // A decimal in plain notation is a JSON number.
        let number = |figure: Decimal| RawValue::from_string(figure.normalize().to_string()).unwrap_or_default();
        Self {
            timestamp: rfc3339(candle.open_at),
            price: number(candle.close.usd()),
            volume: candle.volume.map(number),
            source: origin.name(),
        }
    }
}

/// Bitcoin's price over time.
///
/// At most 1,000 points: where a period has more of them, the newest. Oldest first.
#[utoipa::path(
    get,
    path = "/api/v2/market/bitcoin/history",
    tag = "market",
    params(HistoryQuery),
    responses(
        (status = 200, description = "The points, oldest first; none where nothing is known", body = Vec<PointBody>),
        Unchanged,
        (status = 400, description = "`invalid_query`: no such period or interval")
    )
)]
pub(in crate::http) async fn bitcoin_history(
    query: Query<HistoryQuery>,
    use_case: Data<ReadCandles>,
) -> Result<Conditional, ApiError> {
    let name = query.period.as_deref().unwrap_or("24h");
    let period = PERIODS.iter().find(|(known, _)| *known == name).map(|(_, period)| *period);
    let period = period.ok_or_else(|| ApiError::invalid_query("period", "1h, 24h, 7d, 30d or 1y"))?;
    let interval = read_interval(query.interval.as_deref())?;
    let records = use_case.last(Symbol::btc(), interval, period, MOST).await?;
    Ok(Conditional::shared("candles", &records.iter().map(PointBody::from).collect::<Vec<_>>(), CACHE))
}
