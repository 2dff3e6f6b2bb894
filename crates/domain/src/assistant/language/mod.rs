//! An explicit small grammar: which words mean which question about which assets.

mod assets;
mod intent;
mod names;
mod question;
#[cfg(test)]
mod tests;
mod times;
mod words;

pub use assets::Directory;
pub use intent::Intent;
pub use question::{Conversion, Question, Unit};
pub use times::Period;

pub(super) use names::name_of;
pub(super) use words::value;
