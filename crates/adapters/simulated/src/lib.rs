//! Prices made up for work without a network, marked as such. A pure function of the symbol and the time: two nodes, or
//! two runs, show the same.

mod assets;
mod motion;
mod prices;

pub use prices::SimulatedPrices;
