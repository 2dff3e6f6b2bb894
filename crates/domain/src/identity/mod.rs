//! Accounts, sessions and what protects them.

mod api_key;
mod email;
mod email_prefix;
mod ids;
mod ip_range;
mod mail_link;
mod one_time;
mod password;
mod preferences;
mod second_factor;
mod session;
mod sign_in_guard;
pub mod signing_keys;
mod socket_ticket;
mod user;
mod wallet;

pub use crate::shared::user_id::UserId;
pub use api_key::{ApiKey, ApiKeyId, ApiKeyName, ApiKeyNameError, ApiScope, ApiScopes, NoScopes};
pub use email::{Email, EmailError};
pub use email_prefix::{EmailPrefix, EmailPrefixError};
pub use ids::SessionId;
pub use ip_range::{IpRange, IpRangeError};
pub use mail_link::{BrowserMark, LinkCode, LinkPresented, LinkProof, LinkPurpose, LinkRefusal, MailLink};
pub use one_time::{OneTimeSecret, SecretDigest};
pub use password::{Password, PasswordFault, StoredPassword};
pub use preferences::{Preferences, PreferencesError, Theme};
pub use second_factor::{FirstFactor, RecoveryCode, SecondFactor, SignInTicket, TotpCode};
pub use session::{
    ClientInfo, EndReason, Ending, FamilyKey, LEEWAY, Presented, RefreshRefusal, RetryKey, Session, SessionPolicy, to_evict,
};
pub use sign_in_guard::{Attempts, GuardKey, GuardPolicies, GuardPolicy, guard_keys};
pub use socket_ticket::SocketTicket;
pub use user::{PersonName, PersonNameError, Role, User};
pub use wallet::{
    AddressKind, ChallengeRefusal, Network, Wallet, WalletAddress, WalletChallenge, WalletId, WalletPurpose, WalletSite,
};
