//! What the assistant answers: sixty questions on a fixed market, what it does not know, and what a model makes of it.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod model;
mod odd;
mod questions;
mod support;
