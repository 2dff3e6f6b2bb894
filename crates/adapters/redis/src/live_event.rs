//! An event as it travels: JSON with a version, decimals as strings, times to the nanosecond.

use coinlink_domain::{
    market::{Percent, Price, Source, Symbol, TickId},
    notifications::{
        Notification, NotificationId, NotificationKind, Priority,
        alerts::{AlertCondition, AlertRuleId, FiredAlert},
    },
    shared::user_id::UserId,
};
use coinlink_ports::{notifications::LiveEvent, shared::BusError};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime, UtcOffset, serde::rfc3339};
use uuid::Uuid;

const VERSION: u32 = 1;

#[derive(Deserialize)]
struct Versioned {
    v: u32,
}

#[derive(Serialize, Deserialize)]
struct Payload {
    v: u32,
    user: String,
    #[serde(flatten)]
    event: Event,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Event {
    Notice(Notice),
    Fired(Fired),
}

#[derive(Serialize, Deserialize)]
struct Notice {
    id: String,
    kind: String,
    title: String,
    message: String,
    priority: String,
    is_read: bool,
    #[serde(with = "rfc3339")]
    created_at: OffsetDateTime,
    #[serde(with = "rfc3339::option")]
    expires_at: Option<OffsetDateTime>,
    action_url: Option<String>,
    facts: Vec<(String, String)>,
}

#[derive(Serialize, Deserialize)]
struct Fired {
    rule: String,
    notification: String,
    symbol: String,
    condition: String,
    value: String,
    within_s: Option<i64>,
    price: String,
    moved_from: Option<String>,
    /// Nodes of before do not write it.
    #[serde(default)]
    source: Option<String>,
    epoch: u64,
    seq: u64,
    #[serde(with = "rfc3339")]
    at: OffsetDateTime,
}

pub(crate) fn encode(user: UserId, event: &LiveEvent) -> Result<Vec<u8>, BusError> {
    let event = match event {
        LiveEvent::Notice(notification) => Event::Notice(notice(notification)),
        LiveEvent::AlertFired(firing) => Event::Fired(fired(firing)),
    };
    let payload = Payload { v: VERSION, user: user.0.to_string(), event };
    serde_json::to_vec(&payload).map_err(|error| BusError(format!("an event that cannot be written: {error}")))
}

fn notice(of: &Notification) -> Notice {
    Notice {
        id: of.id.0.to_string(),
        kind: of.kind.name().to_owned(),
        title: of.title.clone(),
        message: of.message.clone(),
        priority: of.priority.name().to_owned(),
        is_read: of.is_read,
        created_at: of.created_at.to_offset(UtcOffset::UTC),
        expires_at: of.expires_at.map(|at| at.to_offset(UtcOffset::UTC)),
        action_url: of.action_url.clone(),
        facts: of.facts.clone(),
    }
}

fn fired(of: &FiredAlert) -> Fired {
    let (value, within_s) = match of.condition {
        AlertCondition::Above(price)
        | AlertCondition::Below(price)
        | AlertCondition::CrossesAbove(price)
        | AlertCondition::CrossesBelow(price) => (price.usd(), None),
        AlertCondition::PercentMove { by, within } => (by.value(), Some(within.whole_seconds())),
    };
    Fired {
        rule: of.rule.0.to_string(),
        notification: of.notification.0.to_string(),
        symbol: of.symbol.as_str().to_owned(),
        condition: of.condition.name().to_owned(),
        value: value.to_string(),
        within_s,
        price: of.price.usd().to_string(),
        moved_from: of.moved_from.map(|price| price.usd().to_string()),
        source: of.source.map(|source| source.name().to_owned()),
        epoch: of.tick.epoch,
        seq: of.tick.seq,
        at: of.at.to_offset(UtcOffset::UTC),
    }
}

pub(crate) fn decode(payload: &[u8]) -> Result<(UserId, LiveEvent), String> {
    let Versioned { v } = serde_json::from_slice(payload).map_err(|error| error.to_string())?;
    if v != VERSION {
        return Err(format!("version {v}"));
    }
    let Payload { user, event, .. } = serde_json::from_slice(payload).map_err(|error| error.to_string())?;
    let user = UserId(id(&user)?);
    let event = match event {
        Event::Notice(of) => LiveEvent::Notice(read_notice(user, of)?),
        Event::Fired(of) => LiveEvent::AlertFired(read_fired(user, &of)?),
    };
    Ok((user, event))
}

fn read_notice(user: UserId, of: Notice) -> Result<Notification, String> {
    Ok(Notification {
        id: NotificationId(id(&of.id)?),
        user,
        kind: NotificationKind::from_name(&of.kind).ok_or("an unknown kind")?,
        title: of.title,
        message: of.message,
        priority: Priority::from_name(&of.priority).ok_or("an unknown priority")?,
        is_read: of.is_read,
        created_at: of.created_at,
        expires_at: of.expires_at,
        action_url: of.action_url,
        facts: of.facts,
    })
}

fn read_fired(user: UserId, of: &Fired) -> Result<FiredAlert, String> {
    let value = || price(&of.value);
    let condition = match of.condition.as_str() {
        "above" => AlertCondition::Above(value()?),
        "below" => AlertCondition::Below(value()?),
        "crosses_above" => AlertCondition::CrossesAbove(value()?),
        "crosses_below" => AlertCondition::CrossesBelow(value()?),
        "percent_move" => {
            let within = Duration::seconds(of.within_s.ok_or("a move without a window")?);
            AlertCondition::PercentMove { by: Percent::new(decimal(&of.value)?), within }
        }
        _ => return Err("an unknown condition".to_owned()),
    };
    Ok(FiredAlert {
        rule: AlertRuleId(id(&of.rule)?),
        user,
        notification: NotificationId(id(&of.notification)?),
        symbol: Symbol::try_new(&of.symbol).map_err(|error| error.to_string())?,
        condition,
        price: price(&of.price)?,
        moved_from: of.moved_from.as_deref().map(price).transpose()?,
        source: of.source.as_deref().and_then(Source::from_name),
        tick: TickId { epoch: of.epoch, seq: of.seq },
        at: of.at,
    })
}

fn id(text: &str) -> Result<Uuid, String> {
    Uuid::parse_str(text).map_err(|error| error.to_string())
}

fn decimal(text: &str) -> Result<Decimal, String> {
    Decimal::from_str_exact(text).map_err(|error| error.to_string())
}

fn price(text: &str) -> Result<Price, String> {
    Price::try_new(decimal(text)?).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn whatever_comes_is_read_or_refused_and_what_is_read_is_written_the_same(payload in any::<Vec<u8>>()) {
            if let Ok((user, event)) = decode(&payload) {
                prop_assert_eq!(decode(&encode(user, &event).unwrap()), Ok((user, event)));
            }
        }

        #[test]
        fn no_text_in_a_field_makes_it_panic(value in ".{0,30}", within in any::<Option<i64>>(), kind in "(above|percent_move|.{0,9})") {
            let of = serde_json::json!({
                "v": 1, "user": Uuid::nil().to_string(), "fired": {
                    "rule": Uuid::nil().to_string(), "notification": Uuid::nil().to_string(), "symbol": "BTC", "condition": kind,
                    "value": value, "within_s": within, "price": "1", "moved_from": null, "epoch": 1, "seq": 1,
                    "at": "2026-11-21T12:00:00Z",
                },
            });
            let _ = decode(of.to_string().as_bytes());
        }
    }
}
