use coinlink_domain::identity::{SecondFactor, SessionId, SessionPolicy, UserId};
use coinlink_ports::{identity::IdentityTx, shared::StoreError};
use time::OffsetDateTime;

/// A sensitive act is not carried out.
#[derive(Debug, thiserror::Error)]
pub(in crate::identity) enum FactorError {
    /// The account has a second factor, and it was not shown in this session lately.
    #[error("a second factor was not shown lately")]
    Missing,
    /// The store is not there.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Refuses a sensitive act in a session in which no second factor was shown lately, where the account has one. `tx` holds the
/// account.
pub(in crate::identity) async fn require_fresh(
    tx: &mut dyn IdentityTx,
    user: UserId,
    session: SessionId,
    now: OffsetDateTime,
    policy: &SessionPolicy,
) -> Result<(), FactorError> {
    if !tx.second_factors().lock(user).await?.as_ref().is_some_and(SecondFactor::is_on) {
        return Ok(());
    }
    let session = tx.sessions().lock(session).await?.filter(|session| session.user == user);
    let is_fresh = session.is_some_and(|session| session.has_fresh_factor(now, policy));
    if is_fresh { Ok(()) } else { Err(FactorError::Missing) }
}
