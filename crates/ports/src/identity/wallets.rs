use async_trait::async_trait;
use coinlink_domain::identity::{Network, SecretDigest, UserId, Wallet, WalletAddress, WalletChallenge, WalletId};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::shared::StoreError;

/// A text is not an address to sign in with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It is none: a letter is wrong, or it is something else.
    #[error("is no Bitcoin address")]
    NotAnAddress,
    /// It is one of another chain.
    #[error("is an address of another network")]
    OtherNetwork,
    /// It is of a kind whose owner cannot be told by one signature.
    #[error("is of a kind that cannot be signed in with")]
    Unsupported,
}

/// How a signature fits its address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureFit {
    /// In all.
    Exact,
    /// The key is the address's, and the header names another kind of address, as many wallets write it.
    OtherHeader,
}

/// The signature is not the address's on this message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature is not that of the address on this message")]
pub struct BadSignature;

/// Reads addresses and verifies signatures on messages. Pure computation; never panics, whatever is presented.
pub trait WalletSignatures: Send + Sync {
    /// The address a text is, on `network`. At most [`WalletAddress::MAX_LEN`] bytes are looked at.
    fn parse(&self, network: Network, text: &str) -> Result<WalletAddress, AddressError>;

    /// Whether `signature`, as wallets give it out, is that of `address` on exactly `message`. One of over
    /// [`MAX_SIGNATURE_LEN`] bytes is not looked at.
    fn verify(&self, address: &WalletAddress, message: &str, signature: &str) -> Result<SignatureFit, BadSignature>;
}

/// The longest signature that is looked at, in bytes of its text.
pub const MAX_SIGNATURE_LEN: usize = 1024;

/// Challenges and linked wallets, in a transaction.
#[async_trait]
pub trait Wallets: Send {
    /// Adds a challenge.
    async fn add_challenge(&mut self, challenge: &WalletChallenge) -> Result<(), StoreError>;

    /// Removes a challenge and tells what it was; `None` where it is not there, or where its digest is another: then it stays. Of
    /// many who take one at once, one gets it.
    async fn take_challenge(&mut self, id: Uuid, digest: SecretDigest) -> Result<Option<WalletChallenge>, StoreError>;

    /// Links a wallet. [`StoreError::Conflict`] where its address is linked already on that network, to whomever.
    async fn add(&mut self, wallet: &Wallet) -> Result<(), StoreError>;

    /// How many wallets `user` has.
    async fn count(&mut self, user: UserId) -> Result<u64, StoreError>;

    /// The wallet of an address. It is not held: [`Wallets::touch`] says whether it is still there.
    async fn by_address(&mut self, address: &WalletAddress) -> Result<Option<Wallet>, StoreError>;

    /// Notes that a wallet was used. Whether it is still there.
    async fn touch(&mut self, id: WalletId, now: OffsetDateTime) -> Result<bool, StoreError>;

    /// Removes a wallet of `user` and tells what it was; `None` where the user has no such wallet.
    async fn remove(&mut self, user: UserId, id: WalletId) -> Result<Option<Wallet>, StoreError>;

    /// Removes all wallets of `user`, and the challenges asked for to link more. Answers how many wallets went.
    async fn purge(&mut self, user: UserId) -> Result<u64, StoreError>;
}

/// Linked wallets outside of transactions: what is committed.
#[async_trait]
pub trait WalletList: Send + Sync {
    /// The wallets of a user, linked first first.
    async fn wallets(&self, user: UserId) -> Result<Vec<Wallet>, StoreError>;

    /// Forgets challenges that expired before `before`, at most `limit`. Answers how many went.
    async fn prune_challenges(&self, before: OffsetDateTime, limit: u64) -> Result<u64, StoreError>;
}
