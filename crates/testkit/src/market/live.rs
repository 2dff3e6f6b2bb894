use std::sync::Mutex;

use coinlink_domain::market::{Quote, Symbol};
use coinlink_ports::market::{LiveFeedHealth, LiveQuotes};

use crate::shared::lock;

/// A live feed that says what it was told to say.
#[derive(Debug, Default)]
pub struct MemoryLiveQuotes {
    quotes: Mutex<Vec<Quote>>,
    health: Mutex<LiveFeedHealth>,
    watched: Mutex<Vec<Vec<Symbol>>>,
}

impl MemoryLiveQuotes {
    /// These are the newest quotes from now on.
    pub fn set(&self, quotes: impl IntoIterator<Item = Quote>) {
        *lock(&self.quotes) = quotes.into_iter().collect();
    }

    /// This is how the feed is doing from now on.
    pub fn set_health(&self, health: LiveFeedHealth) {
        *lock(&self.health) = health;
    }

    /// Every list it was told to follow, in order.
    pub fn watched(&self) -> Vec<Vec<Symbol>> {
        lock(&self.watched).clone()
    }
}

impl LiveQuotes for MemoryLiveQuotes {
    fn watch(&self, symbols: &[Symbol]) {
        lock(&self.watched).push(symbols.to_vec());
    }

    fn latest(&self) -> Vec<Quote> {
        lock(&self.quotes).clone()
    }

    fn health(&self) -> LiveFeedHealth {
        *lock(&self.health)
    }
}
