//! What an attacker tries, against the real binary. `docs/SECURITY_AUDIT.md` names each of these tests.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod fuzzed;
mod injection;
mod others_things;
mod paths;
mod smuggling;
mod wire;
