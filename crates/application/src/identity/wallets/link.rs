use coinlink_domain::{
    identity::{ClientInfo, OneTimeSecret, Password, SessionId, UserId, Wallet, WalletId, WalletPurpose},
    shared::audit::AuditStatus,
};
use coinlink_ports::{
    identity::{Account, HashError, SignatureFit},
    shared::StoreError,
};

use super::{
    WalletParts,
    parts::{Proven, masked},
};
use crate::identity::{audit, own_password::OwnPassword, second_factor::FactorError};

/// No wallet is linked.
#[derive(Debug, thiserror::Error)]
pub enum LinkWalletError {
    /// The account is gone, or the session is over.
    #[error("there is no such account, or its session is over")]
    NoAccount,
    /// The password is another, or was guessed at too often.
    #[error("the password is another")]
    WrongPassword,
    /// The account has a second factor, and it was not shown in this session lately.
    #[error("a second factor was not shown lately")]
    NotFresh,
    /// The challenge is used up, over, or another's, or the signature is not the address's: whoever asks is not told which.
    #[error("the signature proves nothing")]
    InvalidSignature,
    /// The address opens an account already.
    #[error("the address is linked already")]
    Taken,
    /// The account has as many wallets as it may.
    #[error("the account has as many wallets as it may")]
    TooMany,
    /// The password could not be checked.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The store is not there.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<FactorError> for LinkWalletError {
    fn from(error: FactorError) -> Self {
        match error {
            FactorError::Missing => Self::NotFresh,
            FactorError::Store(error) => Self::Store(error),
        }
    }
}

/// Links a wallet to an account: whoever holds it can sign in there from then on.
pub struct LinkWallet {
    /// What all of them work with.
    pub(in crate::identity) parts: WalletParts,
    /// Asks for the password once more.
    pub(in crate::identity) password: OwnPassword,
}

impl LinkWallet {
    /// Links the address that `secret`'s challenge was made for, in this very session, to the account of `user`.
    #[tracing::instrument(name = "identity.link_wallet", skip_all)]
    pub async fn execute(
        &self,
        caller: (UserId, SessionId),
        password: &Password,
        secret: Option<OneTimeSecret>,
        signature: &str,
        client: &ClientInfo,
    ) -> Result<Wallet, LinkWalletError> {
        let mut reason = None;
        let linked = self.link(caller, password, secret, signature, client, &mut reason).await;
        let Err(error) = &linked else { return linked };
        let failed = match error {
            LinkWalletError::NoAccount => "no_account",
            LinkWalletError::WrongPassword => "wrong_password",
            LinkWalletError::NotFresh => "second_factor_required",
            LinkWalletError::Taken => "taken",
            LinkWalletError::TooMany => "too_many",
            LinkWalletError::InvalidSignature => reason.unwrap_or("wrong_signature"),
            LinkWalletError::Hash(_) | LinkWalletError::Store(_) => return linked,
        };
        let parts = &self.parts;
        let entry = audit::on_wallet(&*parts.entropy, parts.clock.now(), audit::WALLET_LINK, caller.0, client);
        audit::record_alone(&*parts.store, &entry.detail("reason", failed).ended(AuditStatus::Failure)).await?;
        linked
    }

    async fn link(
        &self,
        caller @ (user, session): (UserId, SessionId),
        password: &Password,
        secret: Option<OneTimeSecret>,
        signature: &str,
        client: &ClientInfo,
        reason: &mut Option<&'static str>,
    ) -> Result<Wallet, LinkWalletError> {
        let parts = &self.parts;
        let _place = self.password.place()?;
        let account = parts.store.account_of(user).await?.filter(|account| account.user.is_active);
        let account = account.ok_or(LinkWalletError::NoAccount)?;
        // Before the password is compared: whoever cannot link a wallet has no use for the answer but to find it out.
        let mut tx = parts.store.begin().await?;
        let locked = parts.lock_fresh(&mut *tx, caller, parts.clock.now()).await?;
        same(locked, &account)?;
        drop(tx);
        if !self.password.is_right::<LinkWalletError>(&account, session, password).await? {
            return Err(LinkWalletError::WrongPassword);
        }
        // What can be put right without another signature is found before the challenge is used up.
        let mut tx = parts.store.begin().await?;
        let locked = parts.lock_fresh(&mut *tx, caller, parts.clock.now()).await?;
        same(locked, &account)?;
        let taken = parts.take(tx, secret).await?;
        let proven = parts.prove(taken, WalletPurpose::Link(user, session), signature).map_err(|unproven| {
            *reason = Some(unproven.reason());
            LinkWalletError::InvalidSignature
        })?;
        self.store(caller, &account, proven, client).await
    }

    async fn store(
        &self,
        caller @ (user, _): (UserId, SessionId),
        account: &Account,
        Proven { address, fit }: Proven,
        client: &ClientInfo,
    ) -> Result<Wallet, LinkWalletError> {
        let parts = &self.parts;
        let now = parts.clock.now();
        let mut tx = parts.store.begin().await?;
        let locked = parts.lock_fresh(&mut *tx, caller, now).await?;
        same(locked, account)?;
        if tx.wallets().count(user).await? >= Wallet::MOST {
            return Err(LinkWalletError::TooMany);
        }
        let wallet = Wallet { id: WalletId(parts.entropy.id()), user, address, created_at: now, last_used_at: None };
        match tx.wallets().add(&wallet).await {
            Err(StoreError::Conflict { .. }) => return Err(LinkWalletError::Taken),
            added => added?,
        }
        let notice = ("wallet_linked", &[("address", wallet.address.as_str())][..]);
        parts.letters.notice_of(&mut *tx, &account.user, notice, client, now).await?;
        let entry = audit::on_wallet(&*parts.entropy, now, audit::WALLET_LINK, user, client)
            .on(wallet.id.to_string())
            .detail("address", masked(&wallet.address))
            .detail("header", if fit == SignatureFit::Exact { "exact" } else { "other" });
        tx.audit().record(&entry).await?;
        tx.commit().await?;
        Ok(wallet)
    }
}

/// Refuses an account that is gone, or that has another password than the one that was checked.
fn same(locked: Option<Account>, checked: &Account) -> Result<(), LinkWalletError> {
    let locked = locked.ok_or(LinkWalletError::NoAccount)?;
    if locked.password == checked.password { Ok(()) } else { Err(LinkWalletError::WrongPassword) }
}
