//! How simulated prices move: value noise, that is random heights at fixed moments joined by smooth curves, in several
//! rhythms on top of each other.

use rust_decimal::Decimal;

use crate::assets::{Asset, Temper};

/// Prices change every so many seconds.
pub(crate) const STEP_SECONDS: i64 = 5;
/// The digits of a price that are shown.
const SIGNIFICANT: u32 = 7;

/// A rhythm: the seconds between two random heights, and how far they go, in millionths of the price.
const RHYTHMS: [(i64, i64); 4] = [(86_400, 30_000), (3_600, 8_000), (300, 2_000), (30, 200)];

/// The price in US dollars at a moment in UNIX seconds.
pub(crate) fn price(asset: &Asset, at: i64) -> Decimal {
    let at = at.div_euclid(STEP_SECONDS) * STEP_SECONDS;
    let calm = match asset.temper {
        Temper::Free => Decimal::ONE,
        Temper::Pegged => Decimal::new(1, 2),
    };
    let wander: Decimal = RHYTHMS.iter().map(|&(period, reach)| height(asset.symbol, period, at) * Decimal::new(reach, 6)).sum();
    let price = Decimal::new(asset.base, 8) * (Decimal::ONE + wander * calm);
    price.round_sf(SIGNIFICANT).unwrap_or(price).normalize()
}

/// Between -1 and 1, without a jump.
fn height(symbol: &str, period: i64, at: i64) -> Decimal {
    let before = at.div_euclid(period);
    let way = Decimal::new(at.rem_euclid(period), 0) / Decimal::new(period, 0);
    // Smoothstep: the curve is level at both ends, so that the next one joins it without a corner.
    let eased = way * way * (Decimal::new(3, 0) - Decimal::TWO * way);
    let (from, to) = (roll(symbol, period, before), roll(symbol, period, before + 1));
    from + (to - from) * eased
}

/// The random height number `index`, between -1 and 1: FNV-1a, stirred as `SplitMix64` does.
fn roll(symbol: &str, period: i64, index: i64) -> Decimal {
    let bytes = symbol.bytes().chain(period.to_le_bytes()).chain(index.to_le_bytes());
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let stirred = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let stirred = (stirred ^ (stirred >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    let millionths = (stirred ^ (stirred >> 31)) % 2_000_001;
    Decimal::new(i64::try_from(millionths).unwrap_or_default() - 1_000_000, 6)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assets::ASSETS;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_price_stays_near_its_base_and_moves_by_small_steps(place in 0..ASSETS.len(), at in -4_000_000_000_i64..4_000_000_000) {
            let asset = &ASSETS[place];
            let (now, next) = (price(asset, at), price(asset, at + STEP_SECONDS));
            let base = Decimal::new(asset.base, 8);
            let (reach, step) = match asset.temper {
                Temper::Free => (Decimal::new(5, 2), Decimal::new(3, 4)),
                Temper::Pegged => (Decimal::new(5, 4), Decimal::new(4, 6)),
            };
            prop_assert!((now - base).abs() <= base * reach, "{now}");
            prop_assert!((next - now).abs() <= base * step, "{now} {next}");
            prop_assert!(now > Decimal::ZERO);
        }
    }

    #[test]
    fn a_price_stands_still_for_five_seconds_and_then_moves() {
        let btc = &ASSETS[0];
        assert_eq!(price(btc, 1_767_225_600), price(btc, 1_767_225_604));
        let moved = (0..100).filter(|step| price(btc, 1_767_225_600 + step * 5) != price(btc, 1_767_225_605 + step * 5)).count();
        assert!(moved > 90, "{moved}");
    }
}
