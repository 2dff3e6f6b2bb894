use std::sync::Arc;

use coinlink_domain::{
    identity::{ClientInfo, Role, Session, SessionId, SessionPolicy, UserId},
    shared::audit::AuditStatus,
};
use coinlink_ports::{
    identity::{IdentityStore, SecondFactorStore},
    shared::{Clock, Entropy, StoreError},
};

use super::super::audit;

/// Somebody who may administer; found out anew for each request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Administrator {
    /// Whose account.
    pub user: UserId,
}

/// Somebody may not administer, at least not now.
#[derive(Debug, thiserror::Error)]
pub enum AdminRefusal {
    /// The account is gone or switched off, or the session is over.
    #[error("the session is over")]
    SessionOver,
    /// The account is not an administrator's.
    #[error("the account is not an administrator's")]
    NotAdmin,
    /// The account has no second factor.
    #[error("the account has no second factor")]
    FactorNotSetUp,
    /// The second factor was not shown in this session, or too long ago.
    #[error("the second factor was not shown lately")]
    FactorNotFresh,
    /// The store is not there.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Finds out whether somebody may administer: by what the store knows of the account and the session at this moment, never by
/// what a token says, so that a role that is taken away is gone with the next request.
pub struct AuthorizeAdmin {
    /// Accounts and sessions.
    pub store: Arc<dyn IdentityStore>,
    /// Which accounts have a second factor.
    pub factors: Arc<dyn SecondFactorStore>,
    /// For how long a second factor counts as just shown.
    pub policy: SessionPolicy,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Ids of audit entries.
    pub entropy: Arc<dyn Entropy>,
}

impl AuthorizeAdmin {
    /// Whether `user` may do in `session` what is done at `route`. A refusal is written down, unless there is nobody to name.
    #[tracing::instrument(name = "identity.authorize_admin", skip_all)]
    pub async fn execute(
        &self,
        (user, session): (UserId, SessionId),
        route: &'static str,
        client: &ClientInfo,
    ) -> Result<Administrator, AdminRefusal> {
        let judged = self.judge(user, session).await;
        self.written_down(judged, user, route, client).await.map(|()| Administrator { user })
    }

    /// Whether `user` may look at what administrators watch all the time, in `session` or, where there is none, with an API key:
    /// it takes the role alone. A refusal is written down.
    #[tracing::instrument(name = "identity.authorize_watcher", skip_all)]
    pub async fn watch(
        &self,
        (user, session): (UserId, Option<SessionId>),
        route: &'static str,
        client: &ClientInfo,
    ) -> Result<(), AdminRefusal> {
        let judged = async {
            self.judge_role(user).await?;
            match session {
                Some(session) => self.judge_session(user, session).await.map(drop),
                None => Ok(()),
            }
        };
        self.written_down(judged.await, user, route, client).await
    }

    async fn written_down(
        &self,
        judged: Result<(), AdminRefusal>,
        user: UserId,
        route: &'static str,
        client: &ClientInfo,
    ) -> Result<(), AdminRefusal> {
        let Err(refusal) = judged else { return Ok(()) };
        let reason = match &refusal {
            AdminRefusal::SessionOver | AdminRefusal::Store(_) => return Err(refusal),
            AdminRefusal::NotAdmin => "not_admin",
            AdminRefusal::FactorNotSetUp => "second_factor_not_set_up",
            AdminRefusal::FactorNotFresh => "second_factor_not_fresh",
        };
        let entry = audit::on_user(&*self.entropy, self.clock.now(), audit::ADMIN_ACCESS, client)
            .by(user.0)
            .on(user.to_string())
            .detail("route", route)
            .detail("reason", reason)
            .ended(AuditStatus::Denied);
        audit::record_alone(&*self.store, &entry).await?;
        Err(refusal)
    }

    async fn judge_role(&self, user: UserId) -> Result<(), AdminRefusal> {
        let account = self.store.user(user).await?.filter(|account| account.is_active).ok_or(AdminRefusal::SessionOver)?;
        if account.role == Role::Admin { Ok(()) } else { Err(AdminRefusal::NotAdmin) }
    }

    async fn judge_session(&self, user: UserId, session: SessionId) -> Result<Session, AdminRefusal> {
        let now = self.clock.now();
        let session = self.store.session(session).await?;
        let session = session.filter(|session| session.user == user && session.is_live(now, &self.policy));
        session.ok_or(AdminRefusal::SessionOver)
    }

    async fn judge(&self, user: UserId, session: SessionId) -> Result<(), AdminRefusal> {
        self.judge_role(user).await?;
        let session = self.judge_session(user, session).await?;
        let now = self.clock.now();
        let factor = self.factors.second_factor(user).await?;
        if !factor.is_some_and(|factor| factor.is_on()) {
            return Err(AdminRefusal::FactorNotSetUp);
        }
        if session.has_fresh_factor(now, &self.policy) { Ok(()) } else { Err(AdminRefusal::FactorNotFresh) }
    }
}
