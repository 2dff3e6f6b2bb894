use coinlink_domain::identity::{OneTimeSecret, WalletChallenge, WalletPurpose};
use coinlink_ports::{identity::AddressError, shared::StoreError};
use time::OffsetDateTime;

use super::WalletParts;

/// Nothing is asked of a wallet.
#[derive(Debug, thiserror::Error)]
pub enum AskWalletError {
    /// The address is none that can be signed in with here.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// The store is not there.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a wallet is asked to sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WalletAsked {
    /// Given to who asked, and to be shown with the signature; never printed.
    pub secret: OneTimeSecret,
    /// The exact text to be signed.
    pub message: String,
    /// From when on a signature is good for nothing.
    pub expires_at: OffsetDateTime,
}

/// Makes what a wallet is asked to sign. Accounts are not looked at: the answer is the same whether the address is linked or not.
pub struct AskWallet {
    /// What all of them work with.
    pub(in crate::identity) parts: WalletParts,
}

impl AskWallet {
    /// Asks the wallet of `address`, for `purpose`.
    #[tracing::instrument(name = "identity.ask_wallet", skip_all)]
    pub async fn execute(&self, address: &str, purpose: WalletPurpose) -> Result<WalletAsked, AskWalletError> {
        let parts = &self.parts;
        let address = parts.signatures.parse(parts.site.network, address)?;
        let secret = OneTimeSecret { id: parts.entropy.id(), secret: parts.entropy.key() };
        let kept = (secret.id, secret.digest(WalletChallenge::SECRET));
        let challenge = WalletChallenge::new(kept, &parts.site, address, purpose, self.nonce(), parts.clock.now());
        let mut tx = parts.store.begin().await?;
        tx.wallets().add_challenge(&challenge).await?;
        tx.commit().await?;
        Ok(WalletAsked { secret, message: challenge.message(), expires_at: challenge.expires_at })
    }

    /// 128 random bits.
    fn nonce(&self) -> [u8; 16] {
        let mut nonce = [0; 16];
        nonce.copy_from_slice(&self.parts.entropy.key()[16..]);
        nonce
    }
}
