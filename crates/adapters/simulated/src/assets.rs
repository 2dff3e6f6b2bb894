//! What is simulated: the default universe and two stablecoins, largest first.

/// How far an asset moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Temper {
    /// Some percent a day.
    Free,
    /// Pegged to the dollar: some hundredths of a percent.
    Pegged,
}

/// One simulated asset; its place in the list is its rank.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asset {
    pub(crate) symbol: &'static str,
    pub(crate) name: &'static str,
    /// The price it moves around, US dollars in units of 10⁻⁸.
    pub(crate) base: i64,
    pub(crate) temper: Temper,
}

const fn free(symbol: &'static str, name: &'static str, base: i64) -> Asset {
    Asset { symbol, name, base, temper: Temper::Free }
}

const fn pegged(symbol: &'static str, name: &'static str) -> Asset {
    Asset { symbol, name, base: 100_000_000, temper: Temper::Pegged }
}

pub(crate) const ASSETS: [Asset; 52] = [
    free("BTC", "Bitcoin", 6_500_000_000_000),
    free("ETH", "Ethereum", 320_000_000_000),
    pegged("USDT", "Tether"),
    free("BNB", "BNB", 58_000_000_000),
    free("SOL", "Solana", 15_000_000_000),
    pegged("USDC", "USDC"),
    free("XRP", "XRP", 55_000_000),
    free("TON", "Toncoin", 680_000_000),
    free("DOGE", "Dogecoin", 13_000_000),
    free("ADA", "Cardano", 42_000_000),
    free("TRX", "TRON", 13_500_000),
    free("AVAX", "Avalanche", 2_700_000_000),
    free("SHIB", "Shiba Inu", 1_800),
    free("DOT", "Polkadot", 610_000_000),
    free("LINK", "Chainlink", 1_350_000_000),
    free("BCH", "Bitcoin Cash", 38_000_000_000),
    free("NEAR", "NEAR Protocol", 520_000_000),
    free("LTC", "Litecoin", 7_200_000_000),
    free("MATIC", "Polygon", 54_000_000),
    free("KAS", "Kaspa", 17_000_000),
    free("UNI", "Uniswap", 800_000_000),
    free("XMR", "Monero", 16_500_000_000),
    free("APT", "Aptos", 680_000_000),
    free("XLM", "Stellar", 10_000_000),
    free("FIL", "Filecoin", 430_000_000),
    free("HBAR", "Hedera", 7_000_000),
    free("ARB", "Arbitrum", 74_000_000),
    free("ATOM", "Cosmos Hub", 640_000_000),
    free("CRO", "Cronos", 9_200_000),
    free("MKR", "Maker", 240_000_000_000),
    free("INJ", "Injective", 2_300_000_000),
    free("VET", "VeChain", 2_600_000),
    free("OP", "Optimism", 170_000_000),
    free("SUI", "Sui", 85_000_000),
    free("IMX", "Immutable", 145_000_000),
    free("RNDR", "Render", 680_000_000),
    free("GRT", "The Graph", 20_000_000),
    free("LDO", "Lido DAO", 180_000_000),
    free("RUNE", "THORChain", 420_000_000),
    free("AAVE", "Aave", 9_500_000_000),
    free("THETA", "Theta Network", 150_000_000),
    free("FTM", "Fantom", 52_000_000),
    free("ALGO", "Algorand", 14_000_000),
    free("SEI", "Sei", 34_000_000),
    free("FLOW", "Flow", 64_000_000),
    free("QNT", "Quant", 7_600_000_000),
    free("EOS", "EOS", 56_000_000),
    free("SAND", "The Sandbox", 31_000_000),
    free("MANA", "Decentraland", 34_000_000),
    free("AXS", "Axie Infinity", 590_000_000),
    free("CHZ", "Chiliz", 7_400_000),
    free("SNX", "Synthetix", 180_000_000),
];

#[cfg(test)]
mod tests {
    use super::*;
    use coinlink_domain::market::DEFAULT_UNIVERSE;
    use std::collections::BTreeSet;

    #[test]
    fn it_is_the_default_universe_and_two_stablecoins_each_once() {
        let simulated: BTreeSet<_> = ASSETS.iter().map(|asset| asset.symbol).collect();
        let expected: BTreeSet<_> = DEFAULT_UNIVERSE.into_iter().chain(["USDT", "USDC"]).collect();
        assert_eq!(simulated, expected);
        assert_eq!(simulated.len(), ASSETS.len());
    }
}
