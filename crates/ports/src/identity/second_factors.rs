use async_trait::async_trait;
use coinlink_domain::{
    identity::{SecondFactor, SecretDigest, SignInTicket, UserId},
    shared::sealed::Sealed,
};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::shared::StoreError;

/// Second factors and their recovery codes. Who changes them holds the account (`Users::lock`) before.
#[async_trait]
pub trait SecondFactors: Send {
    /// Loads the factor of an account, confirmed or not, and holds it until the transaction ends.
    async fn lock(&mut self, user: UserId) -> Result<Option<SecondFactor>, StoreError>;

    /// Keeps a factor that is not confirmed yet, in the place of an earlier one that was not. Whether it did: one that is
    /// confirmed stays as it is.
    async fn set_up(&mut self, factor: &SecondFactor) -> Result<bool, StoreError>;

    /// Confirms the factor with a code of `step`, which counts as used. Whether it did: one that is confirmed stays as it is.
    async fn confirm(&mut self, user: UserId, step: u64, now: OffsetDateTime) -> Result<bool, StoreError>;

    /// Marks `step` as used, unless it or a newer one was: whether it did. Of many who ask for one step, one is told that it is
    /// theirs, however they come.
    async fn claim_step(&mut self, user: UserId, step: u64) -> Result<bool, StoreError>;

    /// Removes the factor and all recovery codes. Whether there was one.
    async fn remove(&mut self, user: UserId) -> Result<bool, StoreError>;

    /// Keeps these recovery codes of an account that has a factor, and forgets all earlier ones.
    async fn replace_codes(&mut self, user: UserId, codes: &[SecretDigest]) -> Result<(), StoreError>;

    /// Removes one recovery code: whether it was there. Of many who show one code, one is told that it was.
    async fn spend_code(&mut self, user: UserId, code: &SecretDigest) -> Result<bool, StoreError>;

    /// How many recovery codes are left.
    async fn codes_left(&mut self, user: UserId) -> Result<u64, StoreError>;

    /// Puts `to` in the place of `from`, the same secret sealed anew. Whether it did: a secret that is not `from` any more
    /// stays as it is.
    async fn reseal(&mut self, user: UserId, from: &Sealed, to: &Sealed) -> Result<bool, StoreError>;
}

/// Tickets between the first factor and the second.
#[async_trait]
pub trait SignInTickets: Send {
    /// Keeps one.
    async fn add(&mut self, ticket: &SignInTicket) -> Result<(), StoreError>;

    /// Counts one try with the ticket of this id whose secret has this digest, and holds it until the transaction ends. `None`
    /// where there is none, its time ([`SignInTicket::LIFETIME`]) is over at `now`, or its tries ([`SignInTicket::TRIES`]) are
    /// used up.
    async fn try_once(
        &mut self,
        id: Uuid,
        digest: &SecretDigest,
        now: OffsetDateTime,
    ) -> Result<Option<SignInTicket>, StoreError>;

    /// Removes one: whether it was there. Of many who spend one ticket, one is told that it was.
    async fn spend(&mut self, id: Uuid) -> Result<bool, StoreError>;
}

/// What of second factors is asked and done outside of a transaction of its own.
#[async_trait]
pub trait SecondFactorStore: Send + Sync {
    /// The factor of an account, confirmed or not.
    async fn second_factor(&self, user: UserId) -> Result<Option<SecondFactor>, StoreError>;

    /// How many recovery codes an account has left.
    async fn recovery_codes_left(&self, user: UserId) -> Result<u64, StoreError>;

    /// Accounts whose ids are above `after` and whose secrets were not sealed with the key `newest`, at most `limit`, by id.
    async fn sealed_before(&self, newest: &str, after: Option<UserId>, limit: u64) -> Result<Vec<(UserId, Sealed)>, StoreError>;

    /// Forgets tickets that were made before `before`, at most `limit`. Answers how many went.
    async fn prune_tickets(&self, before: OffsetDateTime, limit: u64) -> Result<u64, StoreError>;
}
