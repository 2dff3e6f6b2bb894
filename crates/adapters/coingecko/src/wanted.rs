use std::num::NonZeroU32;

use coinlink_domain::market::{Symbol, TrendingAsset};
use coinlink_upstream::{ExactDecimal, lenient, plain_text};
use serde::Deserialize;
use serde_json::value::RawValue;

const LONGEST_NAME: usize = 80;
const LONGEST_ID: usize = 120;

/// `/search/trending`, as far as it is used.
#[derive(Debug, Deserialize)]
pub(crate) struct Coins {
    pub(crate) coins: Box<RawValue>,
}

/// One of its rows.
#[derive(Debug, Deserialize)]
pub(crate) struct Wanted {
    item: Item,
}

#[derive(Debug, Deserialize)]
struct Item {
    id: String,
    symbol: String,
    name: String,
    #[serde(default, deserialize_with = "lenient")]
    market_cap_rank: Option<NonZeroU32>,
    #[serde(default, deserialize_with = "lenient")]
    data: Option<Figures>,
}

#[derive(Debug, Deserialize)]
struct Figures {
    #[serde(default)]
    price: Dollars,
    #[serde(default, deserialize_with = "lenient")]
    price_change_percentage_24h: Option<InUsd>,
}

#[derive(Debug, Deserialize)]
struct InUsd {
    #[serde(default)]
    usd: ExactDecimal,
}

/// A number, or a text as people write it: `$521,967,819`.
#[derive(Debug, Default)]
struct Dollars(ExactDecimal);

impl<'de> Deserialize<'de> for Dollars {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let text: Option<String> = serde_json::from_str(raw.get()).ok();
        let plain = text.map(|text| format!("{:?}", text.trim().trim_start_matches('$').replace(',', "")));
        Ok(Self(serde_json::from_str(plain.as_deref().unwrap_or(raw.get())).unwrap_or_default()))
    }
}

impl Wanted {
    /// `None` where it cannot be told what is meant.
    pub(crate) fn into_asset(self) -> Option<TrendingAsset> {
        let Item { id, symbol, name, market_cap_rank, data } = self.item;
        let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if id.is_empty() || id.len() > LONGEST_ID || !id.chars().all(known) {
            return None;
        }
        let symbol = Symbol::try_new(&symbol).ok()?;
        let name = plain_text(&name, LONGEST_NAME);
        let change = data.as_ref().and_then(|data| data.price_change_percentage_24h.as_ref()?.usd.percent());
        Some(TrendingAsset {
            id: id.into(),
            name: if name.is_empty() { symbol.as_str().into() } else { name.into() },
            symbol,
            price: data.and_then(|data| data.price.0.price()),
            change_24h: change,
            rank: market_cap_rank.map(NonZeroU32::get),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn price(json: &str) -> Option<String> {
        let dollars: Dollars = serde_json::from_str(json).unwrap();
        dollars.0.price().map(|price| price.usd().to_string())
    }

    #[test]
    fn prices_are_numbers_or_what_people_write() {
        for (json, expected) in [
            ("1.2e-09", Some("0.0000000012")),
            ("\"$521,967,819\"", Some("521967819")),
            ("\"$0.00000000007821066970851871\"", Some("0.00000000007821066970851871")),
            ("\"$1,234.50\"", Some("1234.5")),
            ("0", None),
            ("\"-$5\"", None),
            ("\"$\"", None),
            ("null", None),
            ("{}", None),
        ] {
            assert_eq!(price(json).as_deref(), expected, "{json}");
        }
    }

    proptest! {
        #[test]
        fn no_row_panics(value in r#"[\[\]{}",:$0-9a-zA-Z.+-]{0,30}"#, text in "\\PC{0,30}") {
            let row = format!(r#"{{"item":{{"id":{text:?},"symbol":{text:?},"name":{text:?},"market_cap_rank":{value},"data":{{"price":"{value}"}}}}}}"#);
            let _ = serde_json::from_str::<Wanted>(&row).ok().and_then(Wanted::into_asset);
            let _ = serde_json::from_str::<Dollars>(&value);
        }
    }
}
