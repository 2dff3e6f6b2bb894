//! A quote as a row, and back.

use std::num::NonZeroU32;

use coinlink_domain::market::{Percent, Price, Quote, Source, Symbol};
use coinlink_ports::shared::StoreError;
use sea_orm::ActiveValue::Set;

use crate::{
    entities::last_known_prices::{ActiveModel, Model},
    errors::corrupt,
    exact::{Exact, Moment},
};

pub(super) fn row(quote: &Quote) -> ActiveModel {
    let price = |price: Option<Price>| Set(price.map(|price| Exact(price.usd())));
    ActiveModel {
        symbol: Set(quote.symbol.as_str().to_owned()),
        name: Set(quote.name.as_deref().map(str::to_owned)),
        rank: Set(quote.rank.and_then(|rank| i32::try_from(rank.get()).ok())),
        price: Set(Exact(quote.price.usd())),
        change_24h: Set(quote.change_24h.map(|change| Exact(change.value()))),
        high_24h: price(quote.high_24h),
        low_24h: price(quote.low_24h),
        volume_24h: Set(quote.volume_24h.map(Exact)),
        market_cap: Set(quote.market_cap.map(Exact)),
        source: Set(quote.source.name().to_owned()),
        as_of: Set(Moment(quote.as_of)),
    }
}

pub(super) fn quote(row: Model) -> Result<Quote, StoreError> {
    Ok(Quote {
        symbol: Symbol::try_new(&row.symbol).map_err(|e| corrupt("last_known_prices.symbol", e))?,
        name: row.name.map(Into::into),
        rank: row.rank.map(rank).transpose()?,
        price: price("last_known_prices.price", row.price)?,
        change_24h: row.change_24h.map(|Exact(change)| Percent::new(change)),
        high_24h: row.high_24h.map(|high| price("last_known_prices.high_24h", high)).transpose()?,
        low_24h: row.low_24h.map(|low| price("last_known_prices.low_24h", low)).transpose()?,
        volume_24h: row.volume_24h.map(|Exact(volume)| volume),
        market_cap: row.market_cap.map(|Exact(cap)| cap),
        source: Source::from_name(&row.source).ok_or(StoreError::Corrupt { what: "last_known_prices.source", source: None })?,
        as_of: row.as_of.0,
    })
}

fn price(what: &'static str, Exact(usd): Exact) -> Result<Price, StoreError> {
    Price::try_new(usd).map_err(|e| corrupt(what, e))
}

fn rank(rank: i32) -> Result<NonZeroU32, StoreError> {
    let rank = u32::try_from(rank).ok().and_then(NonZeroU32::new);
    rank.ok_or(StoreError::Corrupt { what: "last_known_prices.rank", source: None })
}
