//! Whose something is: the one name of identity's that every context knows.

use std::fmt;

use uuid::Uuid;

/// An account. Version 7, so that newer ones sort last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UserId(pub Uuid);

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
