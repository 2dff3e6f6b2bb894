//! Access tokens that are signed with keys, and the folder these keys are in.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod folder;
mod forgeries;
mod live;
mod support;
mod tokens;
