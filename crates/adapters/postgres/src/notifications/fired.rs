//! A firing as JSON in a column, and back.

use coinlink_domain::{
    market::{Percent, Price, Source, Symbol, TickId},
    notifications::{
        NotificationId,
        alerts::{AlertCondition, AlertRuleId, FiredAlert},
    },
    shared::user_id::UserId,
};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

/// Decimals as text, times as nanoseconds: nothing is rounded.
pub(super) fn text(fired: &FiredAlert) -> String {
    let (value, within) = match fired.condition {
        AlertCondition::Above(price)
        | AlertCondition::Below(price)
        | AlertCondition::CrossesAbove(price)
        | AlertCondition::CrossesBelow(price) => (price.usd(), None),
        AlertCondition::PercentMove { by, within } => (by.value(), Some(within.whole_seconds())),
    };
    json!({
        "rule": fired.rule.0.to_string(),
        "user": fired.user.0.to_string(),
        "notification": fired.notification.0.to_string(),
        "symbol": fired.symbol.as_str(),
        "condition": fired.condition.name(),
        "value": value.to_string(),
        "within": within,
        "price": fired.price.usd().to_string(),
        "moved_from": fired.moved_from.map(|price| price.usd().to_string()),
        "source": fired.source.map(Source::name),
        "epoch": fired.tick.epoch,
        "seq": fired.tick.seq,
        "at": fired.at.unix_timestamp_nanos().to_string(),
    })
    .to_string()
}

/// `None` where it is not what [`text`] writes.
pub(super) fn read(text: &str) -> Option<FiredAlert> {
    let json: Value = serde_json::from_str(text).ok()?;
    let text = |name: &str| json.get(name)?.as_str();
    let number = |name: &str| json.get(name)?.as_u64();
    let id = |name: &str| text(name).and_then(|text| Uuid::parse_str(text).ok());
    let decimal = |name: &str| text(name).and_then(|text| Decimal::from_str_exact(text).ok());
    let value = || Price::try_new(decimal("value")?).ok();
    let moved_from = match json.get("moved_from")? {
        Value::Null => None,
        _ => Some(Price::try_new(decimal("moved_from")?).ok()?),
    };
    let condition = match text("condition")? {
        "above" => AlertCondition::Above(value()?),
        "below" => AlertCondition::Below(value()?),
        "crosses_above" => AlertCondition::CrossesAbove(value()?),
        "crosses_below" => AlertCondition::CrossesBelow(value()?),
        "percent_move" => {
            let within = Duration::seconds(json.get("within")?.as_i64()?);
            AlertCondition::PercentMove { by: Percent::new(decimal("value")?), within }
        }
        _ => return None,
    };
    Some(FiredAlert {
        rule: AlertRuleId(id("rule")?),
        user: UserId(id("user")?),
        notification: NotificationId(id("notification")?),
        symbol: Symbol::try_new(text("symbol")?).ok()?,
        condition,
        price: Price::try_new(decimal("price")?).ok()?,
        moved_from,
        source: text("source").and_then(Source::from_name),
        tick: TickId { epoch: number("epoch")?, seq: number("seq")? },
        at: OffsetDateTime::from_unix_timestamp_nanos(text("at")?.parse().ok()?).ok()?,
    })
}
