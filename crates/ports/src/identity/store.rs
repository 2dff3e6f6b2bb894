use async_trait::async_trait;
use coinlink_domain::identity::{
    Attempts, Email, GuardKey, GuardPolicies, Preferences, Session, SessionId, SessionPolicy, StoredPassword, User, UserId,
};
use time::{Duration, OffsetDateTime};

use super::{ApiKeys, MailLinks, SecondFactors, SignInTickets, Wallets};
use crate::shared::{AuditLog, MailOutbox, StoreError};

/// An account with what is kept of its password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The account.
    pub user: User,
    /// Its password.
    pub password: StoredPassword,
}

/// An account's sessions in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SessionCounts {
    /// That go on.
    pub live: u64,
    /// Ever.
    pub total: u64,
}

/// Accounts and sessions. Reads here see what is committed; everything that changes goes through a transaction.
#[async_trait]
pub trait IdentityStore: Send + Sync {
    /// Begins a transaction that will write.
    async fn begin(&self) -> Result<Box<dyn IdentityTx>, StoreError>;

    /// An account.
    async fn user(&self, id: UserId) -> Result<Option<User>, StoreError>;

    /// An account with its password.
    async fn account_of(&self, user: UserId) -> Result<Option<Account>, StoreError>;

    /// The account that owns this address ([`User::owns_email`]), with its password.
    async fn account(&self, email: &Email) -> Result<Option<Account>, StoreError>;

    /// What a user has set; `None` where nothing was.
    async fn preferences(&self, user: UserId) -> Result<Option<Preferences>, StoreError>;

    /// A session, over or not.
    async fn session(&self, id: SessionId) -> Result<Option<Session>, StoreError>;

    /// The sessions of a user that go on at `now`, refreshed most recently first.
    async fn live_sessions(&self, user: UserId, now: OffsetDateTime, policy: &SessionPolicy) -> Result<Vec<Session>, StoreError>;

    /// How many sessions a user has.
    async fn count_sessions(
        &self,
        user: UserId,
        now: OffsetDateTime,
        policy: &SessionPolicy,
    ) -> Result<SessionCounts, StoreError>;

    /// Sessions whose end the store was told of within this span, by its own clock and whatever moment the end names: clocks of
    /// nodes differ. In no order.
    async fn ended_within(&self, span: Duration) -> Result<Vec<SessionId>, StoreError>;

    /// Notes that the newest tokens of a session arrived: sets [`Session::confirmed`] where its generation is still this one.
    async fn confirm(&self, session: SessionId, generation: u32) -> Result<(), StoreError>;

    /// Forgets attempts that failed last before `before` and delay nothing after it, sessions that were over before it, and links
    /// that were sent before it, at most `limit` of each.
    /// Answers how many rows went.
    async fn prune(&self, before: OffsetDateTime, policy: &SessionPolicy, limit: u64) -> Result<u64, StoreError>;
}

/// One transaction. Dropping it without [`IdentityTx::commit`] rolls back. So does a call in it that fails, for whatever reason:
/// each one after that fails too, the commit included.
#[async_trait]
pub trait IdentityTx:
    Users + Sessions + SignInGuards + SecondFactors + SignInTickets + ApiKeys + MailLinks + Wallets + AuditLog + MailOutbox
{
    /// Makes all of it true at once.
    async fn commit(self: Box<Self>) -> Result<(), StoreError>;
}

/// Its parts by name: several of them add, lock and save.
impl dyn IdentityTx + '_ {
    /// Accounts.
    pub fn users(&mut self) -> &mut dyn Users {
        self
    }

    /// Sessions.
    pub fn sessions(&mut self) -> &mut dyn Sessions {
        self
    }

    /// Failed attempts.
    pub fn guards(&mut self) -> &mut dyn SignInGuards {
        self
    }

    /// Second factors.
    pub fn second_factors(&mut self) -> &mut dyn SecondFactors {
        self
    }

    /// Tickets between the first factor and the second.
    pub fn tickets(&mut self) -> &mut dyn SignInTickets {
        self
    }

    /// Keys of programs.
    pub fn api_keys(&mut self) -> &mut dyn ApiKeys {
        self
    }

    /// Links in mail.
    pub fn mail_links(&mut self) -> &mut dyn MailLinks {
        self
    }

    /// Wallets that sign in.
    pub fn wallets(&mut self) -> &mut dyn Wallets {
        self
    }

    /// What is kept for ever; seen by others only once this transaction is committed.
    pub fn audit(&mut self) -> &mut dyn AuditLog {
        self
    }

    /// Letters that are to be sent, once this transaction is committed.
    pub fn mail(&mut self) -> &mut dyn MailOutbox {
        self
    }
}

/// Accounts.
#[async_trait]
pub trait Users: Send {
    /// Adds an account. [`StoreError::Conflict`] where it is to own an address that another owns.
    async fn add(&mut self, account: &Account) -> Result<(), StoreError>;

    /// Loads an account and holds it until the transaction ends.
    async fn lock(&mut self, id: UserId) -> Result<Option<Account>, StoreError>;

    /// [`Users::lock`] of the account that owns this address.
    async fn lock_by_email(&mut self, email: &Email) -> Result<Option<Account>, StoreError>;

    /// Loads active accounts that claim this address without owning it ([`User::owns_email`]), at most `limit`, in the order of
    /// their ids, and holds them until the transaction ends.
    async fn lock_claimants(&mut self, email: &Email, limit: u64) -> Result<Vec<Account>, StoreError>;

    /// Stores everything of an account that may change: all but its id and creation. [`StoreError::Conflict`] where it is to own
    /// an address that another owns, an error where it is not there.
    async fn save(&mut self, account: &Account) -> Result<(), StoreError>;

    /// Stores what a user has set.
    async fn save_preferences(&mut self, user: UserId, preferences: &Preferences) -> Result<(), StoreError>;

    /// Holds every active administrator's account until the transaction ends, and tells their ids: two who remove each other
    /// at once do not both succeed.
    async fn lock_active_admins(&mut self) -> Result<Vec<UserId>, StoreError>;
}

/// Sessions.
#[async_trait]
pub trait Sessions: Send {
    /// Adds a session.
    async fn add(&mut self, session: &Session) -> Result<(), StoreError>;

    /// Loads a session, over or not, and holds it until the transaction ends.
    async fn lock(&mut self, id: SessionId) -> Result<Option<Session>, StoreError>;

    /// Loads the sessions of a user that go on at `now` and holds them until the transaction ends, in the order of their ids.
    async fn lock_live(&mut self, user: UserId, now: OffsetDateTime, policy: &SessionPolicy) -> Result<Vec<Session>, StoreError>;

    /// Stores everything of a session that may change: generation and what belongs to it, its client, its end. Whether it did:
    /// a session that is over stays as it is.
    async fn save(&mut self, session: &Session) -> Result<bool, StoreError>;
}

/// Failed attempts.
#[async_trait]
pub trait SignInGuards: Send {
    /// Counts a guess that is about to be checked under all `keys` ([`Attempts::reserve`]), unless one of them imposes a delay
    /// ([`Attempts::admit`]): then none is counted, and the error is the latest of their delays. Holds them until the
    /// transaction ends. `keys` are sorted and differ.
    async fn reserve(
        &mut self,
        keys: &[GuardKey],
        now: OffsetDateTime,
        policies: &GuardPolicies,
    ) -> Result<Result<(), OffsetDateTime>, StoreError>;

    /// Takes back what [`SignInGuards::reserve`] counted at `reserved_at` for a guess that was right ([`Attempts::give_back`]).
    async fn give_back(
        &mut self,
        keys: &[GuardKey],
        reserved_at: OffsetDateTime,
        policies: &GuardPolicies,
    ) -> Result<(), StoreError>;

    /// Forgets what was counted under these keys.
    async fn forget(&mut self, keys: &[GuardKey]) -> Result<(), StoreError>;

    /// What is known under one key.
    async fn attempts(&mut self, key: &GuardKey) -> Result<Attempts, StoreError>;
}
