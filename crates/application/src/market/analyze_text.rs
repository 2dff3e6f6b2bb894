//! Analyze a text: its mood by the list of words.

use coinlink_domain::market::sentiment::{self, MAX_CHARS, Reading};

/// Why a text is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AnalyzeTextError {
    /// There is nothing in it but space and control characters.
    #[error("the text is empty")]
    Empty,
    /// It has more than [`MAX_CHARS`] characters.
    #[error("the text is too long")]
    TooLong,
}

/// Needs nothing from outside.
#[derive(Debug, Clone, Copy, Default)]
pub struct AnalyzeText;

impl AnalyzeText {
    /// The mood of the whole text, or none of it.
    #[tracing::instrument(name = "market.analyze_text", skip_all)]
    pub fn execute(&self, text: &str) -> Result<Reading, AnalyzeTextError> {
        if !text.chars().any(|c| !c.is_whitespace() && !c.is_control()) {
            return Err(AnalyzeTextError::Empty);
        }
        if text.chars().nth(MAX_CHARS).is_some() {
            return Err(AnalyzeTextError::TooLong);
        }
        Ok(sentiment::read(text))
    }
}
