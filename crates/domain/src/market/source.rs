//! Where a price comes from.

/// An outside source of prices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Source {
    /// CoinGecko's `/coins/markets`: universe, ranks and 24 h changes.
    CoinGecko,
    /// Coinbase Exchange over REST.
    Coinbase,
    /// Coinbase Exchange's public socket, which moves prices between polls.
    CoinbaseLive,
    /// Kraken over REST.
    Kraken,
    /// Binance's past prices, which are in USDT: never taken for dollars where others have dollars.
    BinanceUsdt,
    /// Made up for work without a network. Never mixed with the others.
    Simulated,
}

impl Source {
    /// Every source.
    pub const ALL: [Self; 6] =
        [Self::CoinGecko, Self::Coinbase, Self::CoinbaseLive, Self::Kraken, Self::BinanceUsdt, Self::Simulated];

    /// The name on the wire, in metrics and in settings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::CoinGecko => "coingecko",
            Self::Coinbase => "coinbase",
            Self::CoinbaseLive => "coinbase_live",
            Self::Kraken => "kraken",
            Self::BinanceUsdt => "binance_usdt",
            Self::Simulated => "simulated",
        }
    }

    /// Whether its prices are of a real market.
    #[must_use]
    pub const fn is_real(self) -> bool {
        !matches!(self, Self::Simulated)
    }

    /// The source of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_leads_back_to_its_source() {
        for source in Source::ALL {
            assert_eq!(Source::from_name(source.name()), Some(source));
        }
        assert_eq!(Source::from_name("binance"), None);
    }
}
