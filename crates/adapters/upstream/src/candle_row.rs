use coinlink_domain::market::candles::CandleRow;
use rust_decimal::Decimal;
use time::OffsetDateTime;

use crate::ExactDecimal;

/// A row of a provider's candles; `None` where a figure of it is missing or makes no sense.
#[must_use]
pub fn candle_row(
    at: Option<OffsetDateTime>,
    [open, high, low, close]: [ExactDecimal; 4],
    volume: Option<Decimal>,
) -> Option<CandleRow> {
    let [open, high, low, close] = [open.price()?, high.price()?, low.price()?, close.price()?];
    Some(CandleRow { at: at?, open, high, low, close, volume })
}
