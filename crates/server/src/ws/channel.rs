//! Channels that clients of the first backend join: a short list, so that nobody makes any.

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// Where such clients are at home. Nothing is pushed: what people say to the assistant is nobody else's.
    General,
    /// The price of Bitcoin with every tick.
    BitcoinPrices,
    /// Headlines as they come.
    MarketNews,
}

impl Channel {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::General, Self::BitcoinPrices, Self::MarketNews];

    /// The name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::General => "general",
            Self::BitcoinPrices => "bitcoin_prices",
            Self::MarketNews => "market_news",
        }
    }

    /// The channel of that name, spaces around it and case aside.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let name = name.trim().to_ascii_lowercase();
        Self::ALL.into_iter().find(|channel| channel.name() == name)
    }

    pub(super) const fn bit(self) -> u8 {
        1 << self as u8
    }
}
