//! A candle with whose it is and who says so.

use super::Candle;
use crate::market::{Source, Symbol};

/// Who says what a candle says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CandleOrigin {
    /// Our own ticks, collected.
    Ticks,
    /// A provider's history.
    Provider(Source),
}

impl CandleOrigin {
    /// That of what is collected from ticks of `source`. What is made up says so for ever.
    #[must_use]
    pub const fn of_ticks(source: Source) -> Self {
        if source.is_real() { Self::Ticks } else { Self::Provider(source) }
    }

    /// Whether it was collected here, so that it may know a part of its time alone. A provider tells whole candles.
    #[must_use]
    pub const fn is_collected(self) -> bool {
        matches!(self, Self::Ticks | Self::Provider(Source::Simulated))
    }

    /// The name on the wire and in the store: `ticks`, or the provider's.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ticks => "ticks",
            Self::Provider(source) => source.name(),
        }
    }

    /// The origin of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        if name == Self::Ticks.name() { Some(Self::Ticks) } else { Source::from_name(name).map(Self::Provider) }
    }
}

/// One candle of one asset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CandleRecord {
    /// Whose it is.
    pub symbol: Symbol,
    /// What the price did.
    pub candle: Candle,
    /// Who says so; of one made of several, who said most of its beginning.
    pub origin: CandleOrigin,
}

impl CandleRecord {
    /// What both say of the same time, `later` the later of the two.
    #[must_use]
    pub fn join(self, later: &Self) -> Self {
        Self { candle: self.candle.join(later.candle), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_leads_back_to_its_origin() {
        for origin in Source::ALL.map(CandleOrigin::Provider).into_iter().chain([CandleOrigin::Ticks]) {
            assert_eq!(CandleOrigin::from_name(origin.name()), Some(origin));
        }
        assert_eq!(CandleOrigin::from_name("binance"), None);
    }
}
