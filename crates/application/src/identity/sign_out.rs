use std::sync::Arc;

use coinlink_domain::identity::{ClientInfo, EndReason, SessionId, UserId};
use coinlink_ports::{
    identity::{IdentityStore, PresentedRefreshToken, RefreshTokens},
    shared::{Clock, Entropy, StoreError},
};

use super::{EndedSessions, audit};

/// Ends the session of whoever shows one of its tokens.
pub struct SignOut {
    /// Sessions.
    pub store: Arc<dyn IdentityStore>,
    /// Reads refresh tokens.
    pub refresh: Arc<dyn RefreshTokens>,
    /// Told that a session is over.
    pub ended: EndedSessions,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Ids of audit entries.
    pub entropy: Arc<dyn Entropy>,
}

impl SignOut {
    /// What the token claims to belong to, without asking anybody: for limits by session.
    pub fn claimed(&self, token: &str) -> Option<PresentedRefreshToken> {
        self.refresh.open(token)
    }

    /// Ends the session of a refresh token, of whichever generation and age. Whether there was one that went on; a session that
    /// is over stays as it is.
    #[tracing::instrument(name = "identity.sign_out", skip_all)]
    pub async fn with_refresh_token(&self, claimed: PresentedRefreshToken, client: &ClientInfo) -> Result<bool, StoreError> {
        self.end(claimed.session, client, |key| self.refresh.proves(&claimed, key)).await
    }

    /// Ends the session of the access token that came with the request.
    #[tracing::instrument(name = "identity.sign_out", skip_all)]
    pub async fn with_access_token(&self, session: SessionId, client: &ClientInfo) -> Result<bool, StoreError> {
        self.end(session, client, |_| true).await
    }

    async fn end(
        &self,
        id: SessionId,
        client: &ClientInfo,
        is_proven: impl FnOnce(&coinlink_domain::identity::FamilyKey) -> bool + Send,
    ) -> Result<bool, StoreError> {
        let mut tx = self.store.begin().await?;
        let Some(mut session) = tx.sessions().lock(id).await?.filter(|session| is_proven(&session.family_key)) else {
            return Ok(false);
        };
        let now = self.clock.now();
        if !session.end(EndReason::SignedOut, now) {
            return Ok(false);
        }
        tx.sessions().save(&session).await?;
        let entry = audit::on_session(&*self.entropy, now, audit::SIGN_OUT, (session.user, id), client);
        tx.audit().record(&entry).await?;
        tx.commit().await?;
        self.ended.announce(&[id]).await;
        Ok(true)
    }
}

/// Ends every session of a user, and revokes the API keys where that is asked for.
pub struct SignOutEverywhere {
    /// Sessions.
    pub store: Arc<dyn IdentityStore>,
    /// Told which sessions are over.
    pub ended: EndedSessions,
    /// How long sessions live.
    pub policy: coinlink_domain::identity::SessionPolicy,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Ids of audit entries.
    pub entropy: Arc<dyn Entropy>,
}

impl SignOutEverywhere {
    /// Ends them and tells how many there were; `revoke_keys` says what becomes of API keys.
    #[tracing::instrument(name = "identity.sign_out_everywhere", skip_all)]
    pub async fn execute(&self, user: UserId, revoke_keys: bool, client: &ClientInfo) -> Result<usize, StoreError> {
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        // A sign-in holds the account too: it is either before this and ended, or after it.
        tx.users().lock(user).await?;
        let ended = super::end_sessions::all_but(&mut *tx, user, None, EndReason::Removed, now, &self.policy).await?;
        let entry = audit::on_user(&*self.entropy, now, audit::SIGN_OUT_EVERYWHERE, client)
            .by(user.0)
            .on(user.to_string())
            .detail("sessions", ended.len().to_string());
        let entry = if revoke_keys { super::end_sessions::with_keys(&mut *tx, user, now, entry).await? } else { entry };
        tx.audit().record(&entry).await?;
        tx.commit().await?;
        self.ended.announce(&ended).await;
        Ok(ended.len())
    }
}
