use std::sync::Arc;

use coinlink_domain::identity::{User, UserId};
use coinlink_ports::{identity::IdentityStore, shared::StoreError};

/// Whether an account may do what takes an address that is known to be its owner's.
pub struct VerifiedEmail {
    /// Accounts.
    pub store: Arc<dyn IdentityStore>,
    /// Whether it takes one at all (`REQUIRE_VERIFIED_EMAIL`).
    pub required: bool,
}

impl VerifiedEmail {
    /// Of an account at hand.
    #[must_use]
    pub const fn accepts(&self, user: &User) -> bool {
        !self.required || user.is_verified
    }

    /// Of the account with this id; one that is gone may nothing.
    #[tracing::instrument(name = "identity.verified_email", skip_all)]
    pub async fn execute(&self, user: UserId) -> Result<bool, StoreError> {
        if !self.required {
            return Ok(true);
        }
        Ok(self.store.user(user).await?.is_some_and(|user| self.accepts(&user)))
    }
}
