//! Headlines from NewsAPI.
//!
//! Facts: <https://newsapi.org/docs/endpoints/everything>, <https://newsapi.org/docs/errors>. A free key has 100 calls a day.

mod article;
mod errors;
mod news;

pub use news::{NewsApi, NewsApiSettings};
