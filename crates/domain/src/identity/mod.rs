//! Accounts, sessions and what protects them.

mod email;
mod ids;
mod one_time;
mod password;
mod preferences;
mod session;
mod sign_in_guard;
mod user;

pub use email::{Email, EmailError};
pub use ids::{SessionId, UserId};
pub use one_time::{OneTimeSecret, SecretDigest};
pub use password::{Password, PasswordFault, StoredPassword};
pub use preferences::{Preferences, PreferencesError, Theme};
pub use session::{
    ClientInfo, EndReason, Ending, FamilyKey, Presented, RefreshRefusal, RetryKey, Session, SessionPolicy, to_evict,
};
pub use sign_in_guard::{Attempts, GuardKey, GuardPolicies, GuardPolicy, guard_keys};
pub use user::{PersonName, PersonNameError, Role, User};
