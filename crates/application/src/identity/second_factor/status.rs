use std::sync::Arc;

use coinlink_domain::identity::UserId;
use coinlink_ports::{identity::SecondFactorStore, shared::StoreError};
use time::OffsetDateTime;

/// An account's second factor, as its owner sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SecondFactorState {
    /// Since when it is asked for, where it is.
    pub enabled_at: Option<OffsetDateTime>,
    /// How many recovery codes are left.
    pub recovery_codes_left: u64,
}

/// Tells whether an account has a second factor.
pub struct SecondFactorStatus {
    /// Second factors.
    pub factors: Arc<dyn SecondFactorStore>,
}

impl SecondFactorStatus {
    /// That of `user`.
    #[tracing::instrument(name = "identity.second_factor_status", skip_all)]
    pub async fn execute(&self, user: UserId) -> Result<SecondFactorState, StoreError> {
        let enabled_at = self.factors.second_factor(user).await?.and_then(|factor| factor.confirmed_at);
        let recovery_codes_left = self.factors.recovery_codes_left(user).await?;
        Ok(SecondFactorState { enabled_at, recovery_codes_left })
    }
}
