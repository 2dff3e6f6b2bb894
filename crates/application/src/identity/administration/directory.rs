use std::sync::Arc;

use coinlink_domain::identity::{ClientInfo, User, UserId};
use coinlink_ports::{
    identity::{AccountDirectory, AccountFilter, IdentityStore},
    shared::{Clock, Entropy, StoreError},
};

use super::{super::audit, Administrator};

/// A stretch of the list of accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountPage {
    /// Opened last first.
    pub users: Vec<User>,
    /// The last of them, where there are more.
    pub next: Option<UserId>,
}

/// Lists accounts for an administrator.
pub struct ReadAccounts {
    /// Accounts.
    pub accounts: Arc<dyn AccountDirectory>,
    /// Where it is written down that somebody looked.
    pub store: Arc<dyn IdentityStore>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Ids of audit entries.
    pub entropy: Arc<dyn Entropy>,
}

impl ReadAccounts {
    /// At most `limit` accounts as `filter` wants them, below the id `below`. That somebody looks is written down first, so that
    /// nobody looks unseen: what was looked for, but no part of an address.
    #[tracing::instrument(name = "identity.read_accounts", skip_all)]
    pub async fn execute(
        &self,
        admin: Administrator,
        filter: &AccountFilter,
        below: Option<UserId>,
        limit: u32,
        client: &ClientInfo,
    ) -> Result<AccountPage, StoreError> {
        let entry = audit::on_user(&*self.entropy, self.clock.now(), audit::ADMIN_READ_USERS, client).by(admin.user.0);
        let filters = [
            ("email", filter.email.as_ref().map(|_| "by its beginning".to_owned())),
            ("role", filter.role.map(|role| role.name().to_owned())),
            ("active", filter.active.map(|active| active.to_string())),
            ("verified", filter.verified.map(|verified| verified.to_string())),
            ("below", below.map(|below| below.to_string())),
            ("limit", Some(limit.to_string())),
        ];
        let told = filters.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let entry = told.fold(entry, |entry, (name, value)| entry.detail(name, value));
        audit::record_alone(&*self.store, &entry).await?;

        let mut users = self.accounts.accounts(filter, below, limit.saturating_add(1)).await?;
        let more = users.len() > limit as usize;
        users.truncate(limit as usize);
        let next = users.last().filter(|_| more).map(|user| user.id);
        Ok(AccountPage { users, next })
    }
}
