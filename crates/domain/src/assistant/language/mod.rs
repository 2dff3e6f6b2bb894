//! An explicit small grammar: which words mean which question about which assets.

mod amounts;
mod assets;
mod intent;
mod moments;
mod names;
mod numbers;
mod phrases;
mod question;
#[cfg(test)]
mod tests;
mod times;
mod words;

pub use assets::Directory;
pub use intent::Intent;
pub use moments::Moment;
pub use question::{Conversion, Question, Unit};
pub use times::Period;

pub(super) use names::name_of;
