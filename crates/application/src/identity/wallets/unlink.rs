use std::sync::Arc;

use coinlink_domain::{
    identity::{ClientInfo, SessionId, UserId, Wallet, WalletId},
    shared::audit::AuditStatus,
};
use coinlink_ports::{identity::WalletList, shared::StoreError};

use super::{WalletParts, parts::masked};
use crate::identity::{audit, second_factor::FactorError};

/// Shows the wallets of an account.
pub struct ListWallets {
    /// Where they are.
    pub(in crate::identity) list: Arc<dyn WalletList>,
}

impl ListWallets {
    /// Those of `user`, linked first first.
    #[tracing::instrument(name = "identity.list_wallets", skip_all)]
    pub async fn execute(&self, user: UserId) -> Result<Vec<Wallet>, StoreError> {
        self.list.wallets(user).await
    }
}

/// A wallet stays linked.
#[derive(Debug, thiserror::Error)]
pub enum UnlinkWalletError {
    /// The account is gone, or the session is over.
    #[error("there is no such account, or its session is over")]
    NoAccount,
    /// The account has no such wallet.
    #[error("the account has no such wallet")]
    NoWallet,
    /// The account has a second factor, and it was not shown in this session lately.
    #[error("a second factor was not shown lately")]
    NotFresh,
    /// The store is not there.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<FactorError> for UnlinkWalletError {
    fn from(error: FactorError) -> Self {
        match error {
            FactorError::Missing => Self::NotFresh,
            FactorError::Store(error) => Self::Store(error),
        }
    }
}

/// Unlinks a wallet. Sessions that were opened with it go on.
pub struct UnlinkWallet {
    /// What all of them work with.
    pub(in crate::identity) parts: WalletParts,
}

impl UnlinkWallet {
    /// Unlinks the wallet `id` of `user`.
    #[tracing::instrument(name = "identity.unlink_wallet", skip_all)]
    pub async fn execute(
        &self,
        caller @ (user, _): (UserId, SessionId),
        id: WalletId,
        client: &ClientInfo,
    ) -> Result<(), UnlinkWalletError> {
        let unlinked = self.unlink(caller, id, client).await;
        if let Err(UnlinkWalletError::NotFresh) = unlinked {
            let parts = &self.parts;
            let entry = audit::on_wallet(&*parts.entropy, parts.clock.now(), audit::WALLET_UNLINK, user, client)
                .on(id.to_string())
                .detail("reason", "second_factor_required")
                .ended(AuditStatus::Failure);
            audit::record_alone(&*parts.store, &entry).await?;
        }
        unlinked
    }

    async fn unlink(
        &self,
        caller @ (user, _): (UserId, SessionId),
        id: WalletId,
        client: &ClientInfo,
    ) -> Result<(), UnlinkWalletError> {
        let parts = &self.parts;
        let now = parts.clock.now();
        let mut tx = parts.store.begin().await?;
        let mut account = parts.lock_fresh(&mut *tx, caller, now).await?.ok_or(UnlinkWalletError::NoAccount)?;
        let wallet = tx.wallets().remove(user, id).await?.ok_or(UnlinkWalletError::NoWallet)?;
        // Whoever showed it as the first factor, and not yet the second, begins anew: tickets are of the account as it was.
        account.user.updated_at = now;
        tx.users().save(&account).await?;
        let notice = ("wallet_unlinked", &[("address", wallet.address.as_str())][..]);
        parts.letters.notice_of(&mut *tx, &account.user, notice, client, now).await?;
        let entry = audit::on_wallet(&*parts.entropy, now, audit::WALLET_UNLINK, user, client)
            .on(wallet.id.to_string())
            .detail("address", masked(&wallet.address));
        tx.audit().record(&entry).await?;
        tx.commit().await?;
        Ok(())
    }
}
