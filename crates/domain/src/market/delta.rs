//! What changed between two ticks.

use std::{collections::HashMap, sync::Arc};

use super::{Symbol, Tick, TickItem};

/// The lines that differ, and the symbols that left. Applied to the earlier list it gives the later one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TickDelta {
    /// New and changed lines, in the later list's order.
    pub changed: Vec<TickItem>,
    /// Symbols of the earlier list that the later one lacks.
    pub removed: Vec<Symbol>,
}

impl TickDelta {
    /// From `earlier` to `later`.
    #[must_use]
    pub fn between(earlier: &Tick, later: &Tick) -> Self {
        let before: HashMap<&Symbol, &TickItem> = earlier.items.iter().map(|item| (&item.quote.symbol, item)).collect();
        let after: std::collections::HashSet<&Symbol> = later.items.iter().map(|item| &item.quote.symbol).collect();
        Self {
            changed: later.items.iter().filter(|item| before.get(&item.quote.symbol) != Some(item)).cloned().collect(),
            removed: earlier
                .items
                .iter()
                .map(|item| &item.quote.symbol)
                .filter(|symbol| !after.contains(symbol))
                .cloned()
                .collect(),
        }
    }

    /// The later list, from the earlier one; sorted by rank as ticks are, unranked lines last in their order.
    #[must_use]
    pub fn apply(&self, earlier: &[TickItem]) -> Arc<[TickItem]> {
        let mut items: Vec<TickItem> =
            earlier.iter().filter(|item| !self.removed.contains(&item.quote.symbol)).cloned().collect();
        for changed in &self.changed {
            match items.iter_mut().find(|item| item.quote.symbol == changed.quote.symbol) {
                Some(item) => *item = changed.clone(),
                None => items.push(changed.clone()),
            }
        }
        items.sort_by_key(|item| item.quote.rank.map_or(u32::MAX, std::num::NonZero::get));
        items.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::{Price, Quote, Source, TickId};
    use proptest::prelude::*;
    use rust_decimal::Decimal;
    use std::{collections::BTreeMap, num::NonZeroU32};
    use time::OffsetDateTime;

    /// Ranks are distinct, as a provider's are, so that the order is one.
    fn tick(lines: &BTreeMap<u32, u32>) -> Tick {
        let items = lines.iter().map(|(&asset, &price)| TickItem {
            quote: Quote {
                rank: NonZeroU32::new(asset + 1),
                ..Quote::bare(
                    Symbol::try_new(&format!("S{asset}")).unwrap(),
                    Price::try_new(Decimal::from(price + 1)).unwrap(),
                    Source::CoinGecko,
                    OffsetDateTime::UNIX_EPOCH,
                )
            },
            stale: false,
        });
        Tick {
            id: TickId { epoch: 1, seq: 1 },
            timestamp: OffsetDateTime::UNIX_EPOCH,
            source: Some(Source::CoinGecko),
            as_of: Some(OffsetDateTime::UNIX_EPOCH),
            stale: false,
            held: None,
            items: items.collect(),
        }
    }

    proptest! {
        #[test]
        fn a_snapshot_and_its_patches_are_the_full_list_at_every_step(
            lists in prop::collection::vec(prop::collection::btree_map(0_u32..30, 0_u32..4, 0..20), 1..12),
        ) {
            let ticks: Vec<_> = lists.iter().map(tick).collect();
            let mut patched = ticks[0].items.clone();
            for pair in ticks.windows(2) {
                patched = TickDelta::between(&pair[0], &pair[1]).apply(&patched);
                prop_assert_eq!(&patched, &pair[1].items);
            }
        }
    }

    #[test]
    fn equal_ticks_differ_in_nothing() {
        let tick = tick(&[(1, 2), (3, 4)].into());
        assert_eq!(TickDelta::between(&tick, &tick), TickDelta { changed: vec![], removed: vec![] });
    }
}
