use coinlink_domain::market::DEFAULT_UNIVERSE;
use rust_decimal::Decimal;

/// One asset as the stub knows it.
#[derive(Debug, Clone)]
pub(super) struct Asset {
    pub(super) symbol: String,
    /// As CoinGecko writes it.
    pub(super) json: String,
}

impl Asset {
    /// As the exchanges write it: a plain decimal; 0 where there is none.
    pub(super) fn plain(&self) -> String {
        let number = Decimal::from_scientific(&self.json).or_else(|_| self.json.parse());
        number.map_or_else(|_| "0".to_owned(), |number| number.to_string())
    }

    /// The price scaled to `percent` of it.
    pub(super) fn scaled(&self, percent: u32) -> String {
        let price: Decimal = self.plain().parse().unwrap_or_default();
        (price * Decimal::new(percent.into(), 2)).normalize().to_string()
    }
}

/// The assets in the order of their market capitalisation.
#[derive(Debug)]
pub(super) struct Market {
    pub(super) assets: Vec<Asset>,
}

/// Prices the tests look at to the last digit; the others are a plain function of the rank.
const KNOWN: [(&str, &str); 7] = [
    ("BTC", "64123.45"),
    ("ETH", "3120.7"),
    ("USDT", "1.0002"),
    ("USDC", "0.999871"),
    ("DOGE", "0.12345678"),
    ("SHIB", "5.938674704566297e-06"),
    ("SOL", "146.02"),
];

impl Default for Market {
    fn default() -> Self {
        let mut symbols: Vec<&str> = DEFAULT_UNIVERSE.to_vec();
        symbols.splice(2..2, ["USDT", "USDC"]);
        symbols.push("XTZ");
        let json = |(i, symbol): (usize, &str)| match KNOWN.iter().find(|(known, _)| *known == symbol) {
            Some((_, price)) => (*price).to_owned(),
            None => format!("{}.{:02}", 1_000 / (i + 1), i),
        };
        Self { assets: symbols.into_iter().enumerate().map(|at| Asset { symbol: at.1.to_owned(), json: json(at) }).collect() }
    }
}

impl Market {
    pub(super) fn set_price(&mut self, symbol: &str, json: &str) {
        match self.assets.iter_mut().find(|asset| asset.symbol == symbol) {
            Some(asset) => json.clone_into(&mut asset.json),
            None => self.assets.push(Asset { symbol: symbol.to_owned(), json: json.to_owned() }),
        }
    }

    pub(super) fn find(&self, symbol: &str) -> Option<&Asset> {
        self.assets.iter().find(|asset| asset.symbol == symbol)
    }
}
