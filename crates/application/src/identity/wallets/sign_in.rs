use coinlink_domain::{
    identity::{ClientInfo, FirstFactor, OneTimeSecret, UserId, WalletAddress, WalletPurpose},
    shared::audit::AuditStatus,
};
use coinlink_ports::{
    identity::{Account, PresentedDevice, SignatureFit, SigningError},
    shared::StoreError,
};

use super::{
    WalletParts,
    parts::{Proven, masked},
};
use crate::identity::{EndedSessions, OpenSession, OpenSessionError, SignInOutcome, audit};

/// Nobody is signed in.
#[derive(Debug, thiserror::Error)]
pub enum WalletSignInError {
    /// The challenge is used up, over, or another's; the signature is not the address's; the address opens no account, or one
    /// that is switched off: whoever asks is not told which.
    #[error("the signature opens no account")]
    Refused,
    /// The tokens could not be made.
    #[error(transparent)]
    Signing(#[from] SigningError),
    /// The store is not there.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<OpenSessionError> for WalletSignInError {
    fn from(error: OpenSessionError) -> Self {
        match error {
            OpenSessionError::Signing(error) => Self::Signing(error),
            OpenSessionError::Store(error) => Self::Store(error),
        }
    }
}

/// Signs somebody in with a wallet's signature.
pub struct SignInWithWallet {
    /// What all of them work with.
    pub(in crate::identity) parts: WalletParts,
    /// Opens sessions, or asks for a second factor.
    pub(in crate::identity) sessions: OpenSession,
    /// Told of sessions that had to make room.
    pub(in crate::identity) ended: EndedSessions,
}

/// Why a sign-in failed, for the audit log alone.
struct Failure {
    reason: &'static str,
    status: AuditStatus,
    address: Option<WalletAddress>,
    user: Option<UserId>,
}

impl SignInWithWallet {
    /// The device that a client says it is, without asking anybody.
    pub fn device(&self, token: &str) -> Option<PresentedDevice> {
        self.sessions.devices.open(token)
    }

    /// Signs `client` in to the account of the address that `secret`'s challenge was made for. Every failure looks the same.
    #[tracing::instrument(name = "identity.sign_in_with_wallet", skip_all)]
    pub async fn execute(
        &self,
        secret: Option<OneTimeSecret>,
        signature: &str,
        device: Option<PresentedDevice>,
        client: ClientInfo,
    ) -> Result<SignInOutcome, WalletSignInError> {
        let parts = &self.parts;
        let taken = parts.take(parts.store.begin().await?, secret).await?;
        let address = taken.as_ref().map(|challenge| challenge.address.clone());
        let failure = match parts.prove(taken, WalletPurpose::SignIn, signature) {
            Ok(proven) => match self.open(&proven, device, &client).await? {
                Ok(outcome) => return Ok(outcome),
                Err(failure) => failure,
            },
            Err(unproven) => Failure { reason: unproven.reason(), status: AuditStatus::Failure, address, user: None },
        };
        let entry = audit::on_user(&*parts.entropy, parts.clock.now(), audit::SIGN_IN, &client)
            .detail("reason", failure.reason)
            .detail("first_factor", FirstFactor::Wallet.name())
            .ended(failure.status);
        let entry = if let Some(address) = &failure.address { entry.detail("address", masked(address)) } else { entry };
        // Whose account it was tried on is the resource; who tried is not known.
        let entry = if let Some(user) = failure.user { entry.on(user.to_string()) } else { entry };
        audit::record_alone(&*parts.store, &entry).await?;
        Err(WalletSignInError::Refused)
    }

    /// The session, or what comes before it, of the account that the address opens.
    async fn open(
        &self,
        Proven { address, fit }: &Proven,
        device: Option<PresentedDevice>,
        client: &ClientInfo,
    ) -> Result<Result<SignInOutcome, Failure>, WalletSignInError> {
        let parts = &self.parts;
        let failure = |reason, status, user| Ok(Err(Failure { reason, status, address: Some(address.clone()), user }));
        let now = parts.clock.now();
        let mut tx = parts.store.begin().await?;
        let Some(wallet) = tx.wallets().by_address(address).await? else {
            return failure("unlinked_wallet", AuditStatus::Failure, None);
        };
        // The account first, then its wallet: whoever unlinks it goes the same way.
        let account = tx.users().lock(wallet.user).await?.filter(|account| account.user.is_active);
        let Some(account) = account else { return failure("inactive", AuditStatus::Denied, Some(wallet.user)) };
        if !tx.wallets().touch(wallet.id, now).await? {
            return failure("unlinked_wallet", AuditStatus::Failure, Some(wallet.user));
        }
        if *fit == SignatureFit::OtherHeader {
            let entry = audit::on_wallet(&*parts.entropy, now, audit::WALLET_OTHER_HEADER, wallet.user, client);
            tx.audit().record(&entry.on(wallet.id.to_string())).await?;
        }
        let device = self.known_device(device, &account).map(|device| device.device);
        let opened = self.sessions.or_ask(&mut *tx, account, FirstFactor::Wallet, device, client.clone(), now).await?;
        let (outcome, evicted) = opened;
        tx.commit().await?;
        self.ended.announce(&evicted).await;
        Ok(Ok(outcome))
    }

    /// The device, where it is one of this account and its password is still the one it was known with.
    fn known_device(&self, device: Option<PresentedDevice>, account: &Account) -> Option<PresentedDevice> {
        let device = device.filter(|device| device.user == account.user.id)?;
        self.sessions.devices.belongs(&device, &account.password).then_some(device)
    }
}
