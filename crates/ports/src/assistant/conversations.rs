use async_trait::async_trait;
use coinlink_domain::{
    assistant::{ConversationId, Exchange},
    shared::user_id::UserId,
};

use crate::shared::{BusError, StoreError};

/// What people without an account said, shared by all nodes: the newest [`Exchange::KEPT_OF_VISITOR`] of each conversation, for
/// [`Exchange::VISITOR_KEPT_FOR`] after the last. It may be lost at any time.
#[async_trait]
pub trait VisitorConversations: Send + Sync {
    /// Adds an exchange as the newest one, and lets go of those beyond the limit, in one step.
    async fn append(&self, conversation: ConversationId, exchange: &Exchange) -> Result<(), BusError>;

    /// At most the newest `limit`, oldest first; of what nobody said anything in, none.
    async fn newest(&self, conversation: ConversationId, limit: usize) -> Result<Vec<Exchange>, BusError>;

    /// Lets go of all of it.
    async fn forget(&self, conversation: ConversationId) -> Result<(), BusError>;
}

/// What people said while they were signed in: the newest [`Exchange::KEPT_OF_USER`] of each account, for as long as there is
/// the account.
#[async_trait]
pub trait UserConversations: Send + Sync {
    /// Adds an exchange, and lets go of those beyond the limit: all or nothing.
    async fn append(&self, user: UserId, exchange: &Exchange) -> Result<(), StoreError>;

    /// At most the newest `limit` in the order of their ids, oldest first. Every microsecond as it was given.
    async fn newest(&self, user: UserId, limit: usize) -> Result<Vec<Exchange>, StoreError>;

    /// Lets go of all of it.
    async fn forget(&self, user: UserId) -> Result<(), StoreError>;
}
