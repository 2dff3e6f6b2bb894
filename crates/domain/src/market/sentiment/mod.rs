//! The market's mood: of a text by a list of words, of the market by several inputs.

mod composition;
mod lexicon;
mod outline;
mod score;
mod tokens;
mod words;

pub use composition::{
    Evidence, InputName, MarketMood, Sentiment, SentimentInput, compose, of_fear_greed, of_headlines, of_momentum,
};
pub use lexicon::{LEXICON_VERSION, MAX_CHARS, MAX_KEYWORDS, Reading, read};
pub use score::{Mood, Score};
