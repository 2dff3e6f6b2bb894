//! Live prices laid over the polled list, without jumps when the live source flaps.

use std::collections::HashMap;

use rust_decimal::Decimal;
use time::{Duration, OffsetDateTime};

use super::{Quote, Symbol};

/// When a live quote may replace a polled one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OverlayPolicy {
    /// A live quote older than this is not live.
    pub fresh_for: Duration,
    /// Consecutive ticks with a fresh live quote before it is shown; at least 1.
    pub good_ticks: u32,
    /// The furthest a live price may be from the polled one, in percent of it: beyond, the two sources mean different
    /// assets by one symbol, or one of them is broken.
    pub max_distance: Decimal,
}

impl Default for OverlayPolicy {
    /// Fresh for 30 s, shown from the second good tick, at most 20 % away.
    fn default() -> Self {
        Self { fresh_for: Duration::seconds(30), good_ticks: 2, max_distance: Decimal::from(20) }
    }
}

/// How many good ticks in a row each symbol's live source has had.
#[derive(Debug, Clone, Default)]
pub struct Overlay {
    good: HashMap<Symbol, u32>,
}

impl Overlay {
    /// The quote to show for a symbol this tick: `live` once its source has been good for long enough and it is newer,
    /// else `polled`. The live price is shown with the polled rank, name and 24 h figures. Call once a tick and symbol.
    pub fn choose(&mut self, polled: &Quote, live: Option<&Quote>, now: OffsetDateTime, policy: OverlayPolicy) -> Quote {
        let near = |live: &Quote| live.price.distance_from(polled.price).is_some_and(|far| far <= policy.max_distance);
        let Some(live) = live.filter(|live| now - live.as_of <= policy.fresh_for && near(live)) else {
            self.good.remove(&polled.symbol);
            return polled.clone();
        };
        let good = self.good.entry(polled.symbol.clone()).or_default();
        *good = good.saturating_add(1);
        if *good < policy.good_ticks || live.as_of < polled.as_of {
            return polled.clone();
        }
        Quote {
            price: live.price,
            source: live.source,
            as_of: live.as_of,
            change_24h: polled.change_24h.or(live.change_24h),
            ..polled.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::{Price, Source};
    use time::macros::datetime;

    const NOW: OffsetDateTime = datetime!(2026-01-01 0:01 UTC);

    fn quote(price: u32, source: Source, as_of: OffsetDateTime) -> Quote {
        Quote::bare(Symbol::btc(), Price::try_new(price.into()).unwrap(), source, as_of)
    }

    fn polled() -> Quote {
        quote(100, Source::CoinGecko, NOW - Duration::seconds(40))
    }

    #[test]
    fn a_live_price_is_shown_from_its_second_good_tick() {
        let mut overlay = Overlay::default();
        let live = quote(101, Source::CoinbaseLive, NOW);
        let mut shown = || overlay.choose(&polled(), Some(&live), NOW, OverlayPolicy::default()).source;
        assert_eq!([shown(), shown(), shown()], [Source::CoinGecko, Source::CoinbaseLive, Source::CoinbaseLive]);
    }

    #[test]
    fn a_source_that_comes_and_goes_never_moves_the_price() {
        let mut overlay = Overlay::default();
        let live = quote(101, Source::CoinbaseLive, NOW);
        for tick in 0..10 {
            let live = (tick % 2 == 0).then_some(&live);
            assert_eq!(overlay.choose(&polled(), live, NOW, OverlayPolicy::default()), polled());
        }
    }

    #[test]
    fn an_old_a_far_or_an_overtaken_live_price_is_not_shown() {
        let newer_poll = quote(100, Source::CoinGecko, NOW);
        for (polled, live) in [
            (polled(), quote(101, Source::CoinbaseLive, NOW - Duration::seconds(31))),
            (polled(), quote(121, Source::CoinbaseLive, NOW)),
            (newer_poll, quote(101, Source::CoinbaseLive, NOW - Duration::SECOND)),
        ] {
            let mut overlay = Overlay::default();
            for _ in 0..3 {
                assert_eq!(overlay.choose(&polled, Some(&live), NOW, OverlayPolicy::default()), polled, "{live:?}");
            }
        }
    }
}
