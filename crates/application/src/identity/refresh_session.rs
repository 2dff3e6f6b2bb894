use std::sync::Arc;

use coinlink_domain::{
    identity::{ClientInfo, EndReason, Presented, RefreshRefusal, RetryKey, Session},
    shared::audit::AuditStatus,
};
use coinlink_ports::{
    identity::{IdentityStore, IdentityTx, PresentedRefreshToken, RefreshTokens, SigningError},
    shared::{Clock, Entropy, StoreError},
};
use time::OffsetDateTime;

use super::{EndedSessions, IssueTokens, Letters, Tokens, audit, turns::Turns};

/// There are no new tokens.
#[derive(Debug, thiserror::Error)]
pub enum RefreshError {
    /// The token is none of ours.
    #[error("the refresh token is not valid")]
    Invalid,
    /// The token was used before by another: the session is over.
    #[error("the refresh token was used before; the session is over")]
    Reused,
    /// The session leads nowhere.
    #[error(transparent)]
    Refused(#[from] RefreshRefusal),
    /// The tokens could not be made.
    #[error(transparent)]
    Signing(#[from] SigningError),
    /// The store is not there. The session goes on: the client keeps its token and asks again.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Exchanges a refresh token for the next ones.
pub struct RefreshSession {
    store: Arc<dyn IdentityStore>,
    refresh: Arc<dyn RefreshTokens>,
    tokens: IssueTokens,
    letters: Letters,
    ended: EndedSessions,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    turns: Turns,
}

impl RefreshSession {
    /// Exchanges what `refresh` reads for what `tokens` makes.
    pub fn new(
        store: Arc<dyn IdentityStore>,
        refresh: Arc<dyn RefreshTokens>,
        tokens: IssueTokens,
        letters: Letters,
        ended: EndedSessions,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        Self { store, refresh, tokens, letters, ended, clock, entropy, turns: Turns::default() }
    }

    /// What the token claims to belong to, without asking anybody: for limits by session.
    pub fn claimed(&self, token: &str) -> Option<PresentedRefreshToken> {
        self.refresh.open(token)
    }

    /// Presents `claimed` in a request that its client named `retry_key`.
    #[tracing::instrument(name = "identity.refresh_session", skip_all)]
    pub async fn execute(
        &self,
        claimed: PresentedRefreshToken,
        retry_key: Option<RetryKey>,
        client: ClientInfo,
    ) -> Result<Tokens, RefreshError> {
        let _turn = self.turns.of(claimed.session).await;
        let mut tx = self.store.begin().await?;
        let session = tx.sessions().lock(claimed.session).await?;
        let Some(mut session) = session.filter(|session| self.refresh.proves(&claimed, &session.family_key)) else {
            return Err(RefreshError::Invalid);
        };
        let now = self.clock.now();
        let presented = session.present(claimed.generation, retry_key, now, &self.tokens.policy)?;
        if presented == Presented::Reused {
            self.end_family(tx, &session, &client, now).await?;
            return Err(RefreshError::Reused);
        }
        let tokens = self.tokens.of(&session, now)?;
        if presented == Presented::Rotated {
            session.client = client.clone();
        }
        tx.sessions().save(&session).await?;
        let entry = audit::on_session(&*self.entropy, now, audit::REFRESH, (session.user, session.id), &client)
            .detail("generation", session.generation.to_string())
            .detail("answer", if presented == Presented::Rotated { "rotated" } else { "replayed" });
        tx.audit().record(&entry).await?;
        tx.commit().await?;
        Ok(tokens)
    }

    /// Two hold the family's tokens: it is over for both, although the request fails.
    async fn end_family(
        &self,
        mut tx: Box<dyn IdentityTx>,
        session: &Session,
        client: &ClientInfo,
        now: OffsetDateTime,
    ) -> Result<(), StoreError> {
        tx.sessions().save(session).await?;
        let entry = audit::on_session(&*self.entropy, now, audit::REFRESH_REUSED, (session.user, session.id), client)
            .detail("ended", EndReason::TokenReused.name())
            .ended(AuditStatus::Denied);
        tx.audit().record(&entry).await?;
        // Read without holding it: others hold accounts before sessions.
        if let Some(user) = self.store.user(session.user).await? {
            self.letters.notice(&mut *tx, &user, "session_ended_reuse", client, now).await?;
        }
        tx.commit().await?;
        self.ended.announce(&[session.id]).await;
        tracing::warn!(session = %session.id, "a refresh token was used twice; its session is over");
        Ok(())
    }
}
