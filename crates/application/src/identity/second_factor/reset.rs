use std::sync::Arc;

use coinlink_domain::identity::{ClientInfo, Email, EndReason, GuardKey, SecondFactor, SessionPolicy, User};
use coinlink_ports::{
    identity::IdentityStore,
    shared::{Clock, Entropy},
};

use crate::identity::{Letters, audit, by_address, by_address::ByAddressError, end_sessions};

/// Removes the second factor of somebody who lost the app and the recovery codes: for the command line of whoever runs the server.
pub struct ResetSecondFactor {
    /// Accounts and their factors.
    pub store: Arc<dyn IdentityStore>,
    /// Tells the owner.
    pub letters: Letters,
    /// How long sessions live.
    pub policy: SessionPolicy,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Ids of audit entries.
    pub entropy: Arc<dyn Entropy>,
}

impl ResetSecondFactor {
    /// Removes that of the account that owns `email`, with its recovery codes and the guesses that were counted against it, and ends
    /// all sessions, which nodes read from the store within a second. Tickets of sign-ins that are under way open nothing without the
    /// factor that they were made for. Tells the account, and how many sessions were ended; `None` where there is no factor.
    #[tracing::instrument(name = "identity.reset_second_factor", skip_all)]
    pub async fn execute(&self, email: &Email) -> Result<(User, Option<usize>), ByAddressError> {
        let now = self.clock.now();
        let nobody = ClientInfo::default();
        let mut tx = self.store.begin().await?;
        let user = by_address::lock(&mut *tx, email).await?.user;
        if tx.second_factors().lock(user.id).await?.is_none_or(|factor: SecondFactor| !factor.is_on()) {
            return Ok((user, None));
        }
        tx.second_factors().remove(user.id).await?;
        tx.guards().forget(&[GuardKey::SecondFactor(user.id)]).await?;
        let reason = EndReason::SecondFactorChanged;
        let ended = end_sessions::all_but(&mut *tx, user.id, None, reason, now, &self.policy).await?.len();
        self.letters.notice(&mut *tx, &user, "second_factor_disabled", &nobody, now).await?;
        let entry = audit::on_user(&*self.entropy, now, audit::ADMIN_SECOND_FACTOR_RESET, &nobody)
            .on(user.id.to_string())
            .detail("by", "command_line")
            .detail("sessions", ended.to_string());
        tx.audit().record(&entry).await?;
        tx.commit().await?;
        Ok((user, Some(ended)))
    }
}
