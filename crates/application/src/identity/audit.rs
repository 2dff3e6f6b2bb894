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
pub(super) const REFRESH: &str = "auth.refresh";
pub(super) const REFRESH_REUSED: &str = "auth.refresh_reused";
pub(super) const SIGN_OUT: &str = "auth.sign_out";
pub(super) const SIGN_OUT_EVERYWHERE: &str = "auth.sign_out_everywhere";
pub(super) const PASSWORD_CHANGE: &str = "auth.password_change";
pub(super) const PROFILE_UPDATE: &str = "user.profile_update";
pub(super) const PREFERENCES_UPDATE: &str = "user.preferences_update";
pub(super) const SESSION_REMOVE: &str = "session.remove";
pub(super) const SESSION_EVICT: &str = "session.evict";
pub(super) const ADMIN_GRANT: &str = "admin.grant";
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
