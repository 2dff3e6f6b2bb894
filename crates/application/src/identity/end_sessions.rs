use std::sync::Arc;

use coinlink_domain::{
    identity::{ClientInfo, EndReason, SessionId, SessionPolicy, UserId},
    shared::audit::AuditEntry,
};
use coinlink_ports::{
    identity::{IdentityStore, IdentityTx},
    shared::{Clock, Entropy, StoreError},
};
use time::OffsetDateTime;

use super::{EndedSessions, audit};

/// Ends the sessions of `user` that go on, but for one; the caller commits and then announces them.
pub(super) async fn all_but(
    tx: &mut dyn IdentityTx,
    user: UserId,
    kept: Option<SessionId>,
    reason: EndReason,
    now: OffsetDateTime,
    policy: &SessionPolicy,
) -> Result<Vec<SessionId>, StoreError> {
    let mut ended = Vec::new();
    for mut session in tx.sessions().lock_live(user, now, policy).await? {
        if kept != Some(session.id) && session.end(reason, now) {
            tx.sessions().save(&session).await?;
            ended.push(session.id);
        }
    }
    Ok(ended)
}

/// Revokes the API keys of `user`, whose account `tx` holds, and writes into `entry` how many there were.
pub(super) async fn with_keys(
    tx: &mut dyn IdentityTx,
    user: UserId,
    now: OffsetDateTime,
    entry: AuditEntry,
) -> Result<AuditEntry, StoreError> {
    let revoked = tx.api_keys().purge(user, now).await?;
    Ok(entry.detail("api_keys_revoked", revoked.to_string()))
}

/// Ends one session from the list of its owner.
pub struct EndSession {
    /// Sessions.
    pub store: Arc<dyn IdentityStore>,
    /// Told that a session is over.
    pub ended: EndedSessions,
    /// How long sessions live.
    pub policy: SessionPolicy,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Ids of audit entries.
    pub entropy: Arc<dyn Entropy>,
}

impl EndSession {
    /// Ends `session` of `user`. Whether there is one: one of somebody else is not there, and neither is one that is over.
    #[tracing::instrument(name = "identity.end_session", skip_all)]
    pub async fn execute(&self, user: UserId, session: SessionId, client: &ClientInfo) -> Result<bool, StoreError> {
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        let found = tx.sessions().lock(session).await?;
        let Some(mut session) = found.filter(|found| found.user == user && found.is_live(now, &self.policy)) else {
            return Ok(false);
        };
        session.end(EndReason::Removed, now);
        tx.sessions().save(&session).await?;
        let entry = audit::on_session(&*self.entropy, now, audit::SESSION_REMOVE, (user, session.id), client);
        tx.audit().record(&entry).await?;
        tx.commit().await?;
        self.ended.announce(&[session.id]).await;
        Ok(true)
    }
}
