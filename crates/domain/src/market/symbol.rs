//! Ticker symbols.

use std::{fmt, sync::Arc};

/// An asset's ticker symbol: 1 to 20 of `A-Z 0-9 . _ $ + -`, upper-cased (`BTC`, `USD1`, `BSC-USD`). Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Symbol(Arc<str>);

/// The text is no ticker symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a symbol is 1 to 20 of A-Z 0-9 . _ $ + -")]
pub struct SymbolError;

impl Symbol {
    /// The longest symbol, in characters.
    pub const MAX_LEN: usize = 20;

    /// Trims and upper-cases `raw`.
    pub fn try_new(raw: &str) -> Result<Self, SymbolError> {
        let raw = raw.trim();
        let known = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'$' | b'+' | b'-');
        if raw.is_empty() || raw.len() > Self::MAX_LEN || !raw.bytes().all(known) {
            return Err(SymbolError);
        }
        Ok(Self(raw.to_ascii_uppercase().into()))
    }

    /// The symbol as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Bitcoin, which every list holds.
    #[must_use]
    pub fn btc() -> Self {
        Self("BTC".into())
    }
}

impl fmt::Display for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn case_and_surrounding_space_do_not_make_another_symbol() {
        assert_eq!(Symbol::try_new(" btc\n"), Ok(Symbol::btc()));
    }

    #[test]
    fn what_could_not_be_shown_safely_is_refused() {
        for raw in ["", " ", "<script>", "BTC USD", "é", "ABCDEFGHIJKLMNOPQRSTU", "A\"B"] {
            assert_eq!(Symbol::try_new(raw), Err(SymbolError), "{raw:?}");
        }
    }

    proptest! {
        #[test]
        fn parsing_twice_changes_nothing(raw in ".{0,30}") {
            if let Ok(symbol) = Symbol::try_new(&raw) {
                prop_assert_eq!(Symbol::try_new(symbol.as_str()), Ok(symbol.clone()));
            }
        }
    }
}
