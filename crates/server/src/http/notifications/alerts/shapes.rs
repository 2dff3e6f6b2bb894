use coinlink_domain::{
    market::Source,
    notifications::alerts::{AlertRule, FiredAlert},
};
use rust_decimal::Decimal;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use utoipa::ToSchema;
use uuid::Uuid;

use super::requests::{ConditionName, PriceConditionName};
use crate::wire::rfc3339;

/// A decimal as a JSON number with every digit it has.
fn exact<S: Serializer>(value: &Decimal, serializer: S) -> Result<S::Ok, S::Error> {
    RawValue::from_string(value.normalize().to_string()).map_err(serde::ser::Error::custom)?.serialize(serializer)
}

/// A price that is waited for.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct PriceAlertBody {
    /// Its id.
    pub id: Uuid,
    /// Of which asset.
    pub symbol: String,
    /// US dollars.
    #[schema(value_type = f64)]
    #[serde(serialize_with = "exact")]
    pub target_price: Decimal,
    /// On which side of it.
    #[schema(value_type = PriceConditionName)]
    pub condition: &'static str,
    /// When it was made, RFC 3339.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// Whether it is evaluated.
    pub is_active: bool,
}

impl PriceAlertBody {
    /// `None` for a rule that this view cannot show.
    pub(super) fn of(rule: &AlertRule) -> Option<Self> {
        let condition = rule.condition.name();
        matches!(condition, "above" | "below").then(|| Self {
            id: rule.id.0,
            symbol: rule.symbol.to_string(),
            target_price: rule.condition.target(),
            condition,
            created_at: rfc3339(rule.created_at),
            is_active: rule.is_active,
        })
    }
}

/// A rule.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct AlertRuleBody {
    /// Its id.
    pub id: Uuid,
    /// Of which asset.
    pub symbol: String,
    /// What it waits for.
    #[schema(value_type = ConditionName)]
    pub condition: &'static str,
    /// US dollars; of `percent_move`: percent.
    #[schema(value_type = f64)]
    #[serde(serialize_with = "exact")]
    pub target_value: Decimal,
    /// Of `percent_move`: within which time.
    #[schema(minimum = 60, maximum = 86_400, nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window_seconds: Option<u32>,
    /// Whether it is evaluated.
    pub is_active: bool,
    /// When it was made, RFC 3339.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// When it last fired, RFC 3339.
    #[schema(format = DateTime)]
    pub last_triggered: Option<String>,
    /// How often it fired.
    pub trigger_count: u32,
}

impl From<&AlertRule> for AlertRuleBody {
    fn from(rule: &AlertRule) -> Self {
        Self {
            id: rule.id.0,
            symbol: rule.symbol.to_string(),
            condition: rule.condition.name(),
            target_value: rule.condition.target(),
            window_seconds: rule.condition.window_seconds(),
            is_active: rule.is_active,
            created_at: rfc3339(rule.created_at),
            last_triggered: rule.last_triggered.map(rfc3339),
            trigger_count: rule.trigger_count,
        }
    }
}

/// A rule came true.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct FiredAlertBody {
    /// The rule.
    pub alert_id: Uuid,
    /// What lies in the inbox about it.
    pub notification_id: Uuid,
    /// Of which asset.
    pub symbol: String,
    /// What was waited for.
    #[schema(value_type = ConditionName)]
    pub condition: &'static str,
    /// US dollars; of `percent_move`: percent.
    #[schema(value_type = f64)]
    #[serde(serialize_with = "exact")]
    pub target_value: Decimal,
    /// Of `percent_move`: within which time.
    #[schema(minimum = 60, maximum = 86_400, nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window_seconds: Option<u32>,
    /// The price that made it come true, US dollars.
    #[schema(value_type = f64)]
    #[serde(serialize_with = "exact")]
    pub current_price: Decimal,
    /// Whose price that is, `simulated` where it is made up; null of what fired before it was kept.
    pub source: Option<&'static str>,
    /// `up` or `down`.
    pub direction: &'static str,
    /// For people.
    pub message: String,
    /// When it came true, RFC 3339.
    #[schema(format = DateTime)]
    pub triggered_at: String,
}

impl From<&FiredAlert> for FiredAlertBody {
    fn from(fired: &FiredAlert) -> Self {
        Self {
            alert_id: fired.rule.0,
            notification_id: fired.notification.0,
            symbol: fired.symbol.to_string(),
            condition: fired.condition.name(),
            target_value: fired.condition.target(),
            window_seconds: fired.condition.window_seconds(),
            current_price: fired.price.usd(),
            source: fired.source.map(Source::name),
            direction: fired.direction(),
            message: fired.message(),
            triggered_at: rfc3339(fired.at),
        }
    }
}

/// Your active rules.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct OwnAlertsBody {
    /// The rules, newest first; empty for who is not signed in.
    pub alerts: Vec<AlertRuleBody>,
    /// How many.
    pub count: usize,
    /// When this was made, RFC 3339.
    #[schema(format = DateTime)]
    pub timestamp: String,
}

/// What fired.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct AlertHistoryBody {
    /// Newest first; empty for who is not signed in.
    pub history: Vec<FiredAlertBody>,
    /// How many.
    pub count: usize,
    /// How many there are at most in one answer.
    pub limit: u32,
    /// When this was made, RFC 3339.
    #[schema(format = DateTime)]
    pub timestamp: String,
}
