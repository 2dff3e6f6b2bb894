use std::sync::Arc;

use coinlink_domain::identity::{ClientInfo, Email, EndReason, Role, SecondFactor, SessionPolicy, User};
use coinlink_ports::{
    identity::IdentityStore,
    shared::{Clock, Entropy, StoreError},
};

use super::{audit, by_address, by_address::ByAddressError, end_sessions};

/// The role stays as it is.
#[derive(Debug, thiserror::Error)]
pub enum ChangeRoleError {
    /// No account is meant by this address.
    #[error(transparent)]
    Address(#[from] ByAddressError),
    /// Nobody would be left to administer.
    #[error("this is the last administrator: grant the role to another account first")]
    LastAdmin,
    /// The store is not there.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What became of an account's role.
#[derive(Debug)]
pub struct RoleChange {
    /// The account as it is now.
    pub user: User,
    /// Whether it had another role before.
    pub changed: bool,
    /// Whether it has a second factor, without which administrators get nowhere.
    pub has_factor: bool,
}

/// Makes an account an administrator's, or an ordinary one again: for the command line of whoever runs the server.
pub struct ChangeRole {
    /// Accounts.
    pub store: Arc<dyn IdentityStore>,
    /// How long sessions live.
    pub policy: SessionPolicy,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Ids of audit entries.
    pub entropy: Arc<dyn Entropy>,
}

impl ChangeRole {
    /// Gives the account that owns `email` this role. A role counts from the next
    /// request on, since it is asked of the store each time; where it is taken away the account's sessions end too, which nodes
    /// read from the store within a second.
    #[tracing::instrument(name = "identity.change_role", skip_all)]
    pub async fn execute(&self, email: &Email, role: Role) -> Result<RoleChange, ChangeRoleError> {
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        // Administrators first, in the order everybody takes: two that remove each other at once wait here.
        let admins = tx.users().lock_active_admins().await?;
        let mut account = by_address::lock(&mut *tx, email).await?;
        let has_factor = tx.second_factors().lock(account.user.id).await?.is_some_and(|factor: SecondFactor| factor.is_on());
        if account.user.role == role {
            return Ok(RoleChange { user: account.user, changed: false, has_factor });
        }
        if role != Role::Admin && admins == [account.user.id] {
            return Err(ChangeRoleError::LastAdmin);
        }
        account.user.role = role;
        account.user.updated_at = now;
        tx.users().save(&account).await?;
        let user = account.user.id;
        let ended = if role == Role::Admin {
            Vec::new()
        } else {
            end_sessions::all_but(&mut *tx, user, None, EndReason::Administered, now, &self.policy).await?
        };
        let action = if role == Role::Admin { audit::ADMIN_GRANT } else { audit::ADMIN_REVOKE };
        let entry = audit::on_user(&*self.entropy, now, action, &ClientInfo::default())
            .on(user.to_string())
            .detail("by", "command_line")
            .detail("sessions", ended.len().to_string());
        tx.audit().record(&entry).await?;
        tx.commit().await?;
        Ok(RoleChange { user: account.user, changed: true, has_factor })
    }
}
