use coinlink_domain::{
    market::Symbol,
    notifications::alerts::{AlertChange, AlertCondition, AlertRule},
};
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::errors::no_condition;
use crate::http::ApiError;

/// The longest text of a decimal.
const LONGEST: usize = 64;

/// A decimal, as a JSON number or as a string.
#[derive(ToSchema)]
#[schema(as = ExactDecimal)]
#[serde(untagged)]
#[expect(dead_code, reason = "bodies are read digit by digit")]
enum DecimalSchema {
    Number(f64),
    Text(String),
}

/// A price of an asset to wait for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"symbol": "BTC", "target_price": 100_000, "condition": "above"}))]
pub(in crate::http) struct NewPriceAlertBody {
    /// An asset of the ticker's list.
    #[schema(max_length = 20)]
    pub symbol: String,
    /// US dollars: above 0, at most 1000000000000, with at most 18 decimal places. Every digit counts.
    #[schema(value_type = DecimalSchema)]
    pub target_price: Box<RawValue>,
    /// On which side of it.
    #[schema(value_type = PriceConditionName)]
    pub condition: String,
}

/// Something of an asset's price to wait for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"symbol": "BTC", "condition": "percent_move", "target_value": 5, "window_seconds": 3600}))]
pub(in crate::http) struct NewAlertRuleBody {
    /// An asset of the ticker's list.
    #[schema(max_length = 20)]
    pub symbol: String,
    /// What to wait for.
    #[schema(value_type = ConditionName)]
    pub condition: String,
    /// US dollars: above 0, at most 1000000000000, with at most 18 decimal places. Of `percent_move`: percent, 0.1 to 100, with at
    /// most 8 decimal places. Every digit counts.
    #[schema(value_type = DecimalSchema)]
    pub target_value: Box<RawValue>,
    /// Of `percent_move`, and of nothing else: within which time.
    #[schema(minimum = 60, maximum = 86_400)]
    #[serde(default)]
    pub window_seconds: Option<u32>,
}

/// What to change of a rule; what is not sent stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"target_value": "101000.5", "is_active": true}))]
pub(in crate::http) struct AlertRuleChangeBody {
    /// What to wait for. Between a price and a percentage only together with `target_value`.
    #[schema(value_type = Option<ConditionName>)]
    #[serde(default)]
    pub condition: Option<String>,
    /// As when a rule is made.
    #[schema(value_type = Option<DecimalSchema>)]
    #[serde(default)]
    pub target_value: Option<Box<RawValue>>,
    /// As when a rule is made.
    #[schema(minimum = 60, maximum = 86_400)]
    #[serde(default)]
    pub window_seconds: Option<u32>,
    /// Whether it is evaluated. A rule that is switched on waits anew.
    #[serde(default)]
    pub is_active: Option<bool>,
}

/// What a price may be waited for.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "bodies hold the condition's own name")]
pub(super) enum PriceConditionName {
    Above,
    Below,
}

/// What may be waited for.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "bodies hold the condition's own name")]
pub(super) enum ConditionName {
    Above,
    Below,
    CrossesAbove,
    CrossesBelow,
    PercentMove,
}

/// What a decimal is written as in JSON: a number, or a string with one in it. No digit is lost.
fn decimal(raw: &RawValue) -> Option<Decimal> {
    let text = raw.get();
    let text = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    if text.len() > LONGEST {
        return None;
    }
    let (digits, exponent) = match text.split_once(['e', 'E']) {
        Some((digits, exponent)) => (digits, read_exponent(exponent)?),
        None => (text, 0),
    };
    let unsigned = digits.strip_prefix('-').unwrap_or(digits);
    let (whole, places) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    let are_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !are_digits(whole) || !are_digits(places) {
        return None;
    }
    shifted(Decimal::from_str_exact(digits).ok()?, exponent)
}

/// The 3 of `1.5e3`, which some write numbers as. No decimal has room for one of more digits than three.
fn read_exponent(text: &str) -> Option<i32> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let is_plain = matches!(digits.len(), 1..=3) && digits.bytes().all(|b| b.is_ascii_digit());
    is_plain.then(|| text.parse().ok()).flatten()
}

/// What there is no room for is refused, not rounded.
fn shifted(mut digits: Decimal, exponent: i32) -> Option<Decimal> {
    if exponent != 0 && digits.is_zero() {
        return Some(Decimal::ZERO);
    }
    let by = exponent.unsigned_abs();
    let (scale, rest) = if exponent < 0 {
        (digits.scale().checked_add(by)?, 0)
    } else {
        (digits.scale().saturating_sub(by), by.saturating_sub(digits.scale()))
    };
    if rest > Decimal::MAX_SCALE {
        return None;
    }
    digits.set_scale(scale).ok()?;
    (0..rest).try_fold(digits, |digits, _| digits.checked_mul(Decimal::TEN))
}

fn symbol(text: &str) -> Result<Symbol, ApiError> {
    Symbol::try_new(text).map_err(|error| ApiError::invalid_input("symbol", error.to_string()))
}

fn read_decimal(raw: &RawValue, field: &'static str) -> Result<Decimal, ApiError> {
    decimal(raw).ok_or_else(|| ApiError::invalid_input(field, "a decimal number, as a number or a string"))
}

impl NewPriceAlertBody {
    pub(super) fn read(&self) -> Result<(Symbol, AlertCondition), ApiError> {
        if !matches!(self.condition.as_str(), "above" | "below") {
            return Err(ApiError::invalid_input("condition", "above or below"));
        }
        let target = read_decimal(&self.target_price, "target_price")?;
        let condition = AlertCondition::try_new(&self.condition, target, None);
        Ok((symbol(&self.symbol)?, condition.map_err(|error| no_condition(error, "target_price"))?))
    }
}

impl NewAlertRuleBody {
    pub(super) fn read(&self) -> Result<(Symbol, AlertCondition), ApiError> {
        let target = read_decimal(&self.target_value, "target_value")?;
        let condition = AlertCondition::try_new(&self.condition, target, self.window_seconds);
        Ok((symbol(&self.symbol)?, condition.map_err(|error| no_condition(error, "target_value"))?))
    }
}

impl AlertRuleChangeBody {
    /// What it makes of `rule`.
    pub(super) fn read(&self, rule: &AlertRule) -> Result<AlertChange, ApiError> {
        let is_active = self.is_active;
        if self.condition.is_none() && self.target_value.is_none() && self.window_seconds.is_none() {
            return Ok(AlertChange { condition: None, is_active });
        }
        let name = self.condition.as_deref().unwrap_or_else(|| rule.condition.name());
        let is_move = name == "percent_move";
        if is_move != rule.condition.price().is_none() && self.target_value.is_none() {
            return Err(ApiError::invalid_input(
                "target_value",
                "is needed where a price becomes a percentage, or a percentage a price",
            ));
        }
        let target = self.target_value.as_deref().map(|raw| read_decimal(raw, "target_value")).transpose()?;
        let target = target.unwrap_or_else(|| rule.condition.target());
        let window = self.window_seconds.or_else(|| rule.condition.window_seconds().filter(|_| is_move));
        let condition = AlertCondition::try_new(name, target, window).map_err(|error| no_condition(error, "target_value"))?;
        Ok(AlertChange { condition: Some(condition), is_active })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(json: &str) -> Option<String> {
        let raw: Box<RawValue> = serde_json::from_str(json).ok()?;
        decimal(&raw).map(|decimal| decimal.to_string())
    }

    #[test]
    fn a_decimal_is_read_with_every_digit_as_a_number_or_a_string() {
        for (json, expected) in [
            ("100000.10", Some("100000.10")),
            ("\"0.000000000000000001\"", Some("0.000000000000000001")),
            ("12345678901234567.123456789", Some("12345678901234567.123456789")),
            ("1e3", Some("1000")),
            ("1.5E-3", Some("0.0015")),
            ("1e-30", None),
            ("1e400", None),
            ("\"\"", None),
            ("\"1,5\"", None),
            ("\"e\"", None),
            ("true", None),
            ("[1]", None),
            ("0.00000000000000000000000000000001", None),
            ("0e2147483647", None),
            ("0e999", Some("0")),
            ("0.0e-999", Some("0")),
            ("1e28", Some("10000000000000000000000000000")),
            ("1e29", None),
            ("1e999", None),
            ("1e+00000000000000000001", None),
            ("\"5.\"", None),
            ("\".5\"", None),
            ("\"5.e1\"", None),
            ("\"--5\"", None),
            ("\"1_0e1\"", None),
            ("\"-1.5e1\"", Some("-15")),
        ] {
            assert_eq!(read(json).as_deref(), expected, "{json}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics_and_what_is_read_is_what_was_written(text in "[-+0-9.eE]{0,40}|.{0,20}", units: i64, scale in 0_u32..19, up in 0_usize..29, exponent: i32) {
            let _ = read(&text);
            let _ = read(&serde_json::to_string(&text).unwrap());
            let decimal = Decimal::new(units, scale);
            prop_assert_eq!(read(&decimal.to_string()), Some(decimal.to_string()));
            let written_out = Decimal::from_str_exact(&format!("{units}{}", "0".repeat(up))).ok();
            prop_assert_eq!(read(&format!("{units}e{up}")), written_out.map(|decimal| decimal.to_string()));
            prop_assume!(exponent.unsigned_abs() > 999);
            prop_assert_eq!(read(&format!("{units}e{exponent}")), None);
            prop_assert_eq!(read(&format!("0e{exponent}")), None);
        }
    }
}
