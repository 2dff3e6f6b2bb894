//! What is asked beside the first factor.

mod fresh;

pub(super) use fresh::{FactorError, require_fresh};
