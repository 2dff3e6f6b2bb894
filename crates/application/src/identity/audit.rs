//! What identity's acts are called in the audit log.

use coinlink_domain::{
    identity::{ClientInfo, Email, SessionId, UserId},
    shared::audit::AuditEntry,
};
use coinlink_ports::{
    identity::IdentityStore,
    shared::{Entropy, StoreError},
};
use time::OffsetDateTime;

pub(super) const SIGN_UP: &str = "auth.sign_up";
pub(super) const SIGN_IN: &str = "auth.sign_in";
/// The first factor was right; nobody is signed in before the second.
pub(super) const SECOND_FACTOR_ASK: &str = "auth.second_factor_ask";
pub(super) const REFRESH: &str = "auth.refresh";
pub(super) const REFRESH_REUSED: &str = "auth.refresh_reused";
pub(super) const SIGN_OUT: &str = "auth.sign_out";
pub(super) const SIGN_OUT_EVERYWHERE: &str = "auth.sign_out_everywhere";
pub(super) const PASSWORD_CHANGE: &str = "auth.password_change";
pub(super) const SECOND_FACTOR_SETUP: &str = "auth.second_factor_setup";
pub(super) const SECOND_FACTOR_ENABLE: &str = "auth.second_factor_enable";
pub(super) const SECOND_FACTOR_DISABLE: &str = "auth.second_factor_disable";
pub(super) const SECOND_FACTOR_VERIFY: &str = "auth.second_factor_verify";
pub(super) const SECOND_FACTOR_CODES: &str = "auth.second_factor_recovery_codes";
pub(super) const PASSWORD_RESET_REQUEST: &str = "auth.password_reset_request";
pub(super) const PASSWORD_RESET: &str = "auth.password_reset";
pub(super) const EMAIL_VERIFY_REQUEST: &str = "auth.email_verify_request";
pub(super) const EMAIL_VERIFY: &str = "auth.email_verify";
pub(super) const EMAIL_CHANGE: &str = "auth.email_change";
pub(super) const EMAIL_CHANGE_UNDO: &str = "auth.email_change_undo";
pub(super) const PROFILE_UPDATE: &str = "user.profile_update";
pub(super) const PREFERENCES_UPDATE: &str = "user.preferences_update";
pub(super) const SESSION_REMOVE: &str = "session.remove";
pub(super) const SESSION_EVICT: &str = "session.evict";
pub(super) const API_KEY_CREATE: &str = "api_key.create";
pub(super) const API_KEY_REVOKE: &str = "api_key.revoke";
pub(super) const WALLET_LINK: &str = "wallet.link";
pub(super) const WALLET_UNLINK: &str = "wallet.unlink";
/// A signature was taken although its header names another kind of address.
pub(super) const WALLET_OTHER_HEADER: &str = "wallet.other_header";
pub(super) const ADMIN_GRANT: &str = "admin.grant";
pub(super) const ADMIN_SECOND_FACTOR_RESET: &str = "admin.second_factor_reset";
pub(super) const ADMIN_REVOKE: &str = "admin.revoke";
pub(super) const ADMIN_READ_USERS: &str = "admin.read_users";
pub(super) const ADMIN_SESSIONS_REVOKE: &str = "admin.sessions_revoke";
pub(super) const ADMIN_USER_UNLOCK: &str = "admin.user_unlock";
pub(super) const ADMIN_USER_LOCK: &str = "admin.user_lock";
pub(super) const ADMIN_ACCESS: &str = "admin.access";

/// Something done to an account.
pub(super) fn on_user(entropy: &dyn Entropy, now: OffsetDateTime, action: &'static str, client: &ClientInfo) -> AuditEntry {
    AuditEntry::new(entropy.id(), now, action, "user").from(client.ip, client.user_agent.as_deref())
}

/// Something done by `user` to a session.
pub(super) fn on_session(
    entropy: &dyn Entropy,
    now: OffsetDateTime,
    action: &'static str,
    (user, session): (UserId, SessionId),
    client: &ClientInfo,
) -> AuditEntry {
    AuditEntry::new(entropy.id(), now, action, "session")
        .by(user.0)
        .on(session.to_string())
        .from(client.ip, client.user_agent.as_deref())
}

/// Something done by `user` to a wallet.
pub(super) fn on_wallet(
    entropy: &dyn Entropy,
    now: OffsetDateTime,
    action: &'static str,
    user: UserId,
    client: &ClientInfo,
) -> AuditEntry {
    AuditEntry::new(entropy.id(), now, action, "wallet").by(user.0).from(client.ip, client.user_agent.as_deref())
}

/// Writes down what failed, in a transaction of its own.
pub(super) async fn record_alone(store: &dyn IdentityStore, entry: &AuditEntry) -> Result<(), StoreError> {
    let mut tx = store.begin().await?;
    tx.audit().record(entry).await?;
    tx.commit().await
}

/// An address as it may be shown to whoever reads the log: enough to recognise one's own, too little to collect.
pub(super) fn masked(email: &Email) -> String {
    let first: String = email.local_part().chars().take(1).collect();
    let host = email.as_str().split_once('@').map_or("", |(_, host)| host);
    format!("{first}…@{host}")
}
