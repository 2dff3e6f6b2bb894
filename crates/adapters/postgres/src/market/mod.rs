mod last_known_prices;
mod quote_row;

pub use last_known_prices::SqlLastKnownPrices;
