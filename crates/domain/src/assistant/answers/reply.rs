//! What is answered.

use time::OffsetDateTime;

use crate::{assistant::language::name_of, market::TickItem};

/// What is answered, in plain text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reply {
    /// The text; never empty.
    pub text: String,
    /// How old the oldest of its figures is; `None` where it has none.
    pub as_of: Option<OffsetDateTime>,
}

impl Reply {
    pub(super) fn of(text: impl Into<String>) -> Self {
        Self { text: text.into(), as_of: None }
    }

    pub(super) fn dated(text: impl Into<String>, as_of: OffsetDateTime) -> Self {
        Self { text: text.into(), as_of: Some(as_of) }
    }

    /// Adds a line.
    pub(super) fn add(&mut self, line: &str) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text.push_str(line);
    }

    pub(super) fn add_all(&mut self, lines: &[String]) {
        for line in lines {
            self.add(line);
        }
    }

    /// Notes how old a figure of it is.
    pub(super) fn is_of(&mut self, as_of: OffsetDateTime) {
        self.as_of = Some(self.as_of.map_or(as_of, |known| known.min(as_of)));
    }

    pub(super) fn extend(&mut self, other: &Self) {
        self.add(&other.text);
        if let Some(as_of) = other.as_of {
            self.is_of(as_of);
        }
    }
}

/// An asset's name for people, its symbol where nobody tells one.
pub(super) fn name(item: &TickItem) -> String {
    let symbol = item.quote.symbol.as_str();
    item.quote
        .name
        .as_deref()
        .map(crate::assistant::plain::one_line)
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| name_of(symbol).unwrap_or(symbol).to_owned())
}

/// `Bitcoin (BTC)`
pub(super) fn with_symbol(item: &TickItem) -> String {
    let (name, symbol) = (name(item), item.quote.symbol.as_str());
    if name == symbol { name } else { format!("{name} ({symbol})") }
}
