//! Use cases of accounts and sessions.

mod authenticate;
mod issue_tokens;
mod revoked_sessions;

pub use authenticate::{Authenticate, Standing};
pub use issue_tokens::{IssueTokens, RefreshSecret, Tokens};
pub use revoked_sessions::{EndedSessions, FollowRevocations, RevokedSessions};
