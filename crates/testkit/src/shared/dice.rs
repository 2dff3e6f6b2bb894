use std::sync::atomic::{AtomicUsize, Ordering};

use coinlink_ports::shared::Dice;

/// Rolls what it was loaded with, over and over.
#[derive(Debug)]
pub struct LoadedDice {
    rolls: Vec<u64>,
    rolled: AtomicUsize,
}

impl LoadedDice {
    /// Always `roll`.
    pub fn always(roll: u64) -> Self {
        Self { rolls: vec![roll], rolled: AtomicUsize::new(0) }
    }

    /// These in turn, then again from the first.
    ///
    /// # Panics
    /// Where there are none.
    pub fn rolling(rolls: impl Into<Vec<u64>>) -> Self {
        let rolls = rolls.into();
        assert!(!rolls.is_empty(), "dice need a roll to show");
        Self { rolls, rolled: AtomicUsize::new(0) }
    }
}

impl Dice for LoadedDice {
    fn roll(&self) -> u64 {
        self.rolls[self.rolled.fetch_add(1, Ordering::Relaxed) % self.rolls.len()]
    }
}
