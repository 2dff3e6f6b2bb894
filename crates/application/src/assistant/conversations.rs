//! What was said, wherever it is kept.

use std::sync::Arc;

use coinlink_domain::{
    assistant::{ConversationId, Exchange, Turn},
    shared::user_id::UserId,
};
use coinlink_ports::{
    assistant::{UserConversations, VisitorConversations},
    shared::{BusError, StoreError},
};

/// Who talks to the assistant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Talker {
    /// Somebody who is signed in.
    User(UserId),
    /// A program of somebody's.
    Program {
        /// Whose.
        owner: UserId,
        /// It may be told of their alerts.
        reads_alerts: bool,
    },
    /// Somebody without an account.
    Visitor(ConversationId),
}

impl Talker {
    /// The account, where there is one.
    pub const fn user(self) -> Option<UserId> {
        match self {
            Self::User(user) | Self::Program { owner: user, .. } => Some(user),
            Self::Visitor(_) => None,
        }
    }

    /// The account whose alerts they may be told of.
    pub const fn reads_alerts_of(self) -> Option<UserId> {
        match self {
            Self::Program { reads_alerts: false, .. } => None,
            talker => talker.user(),
        }
    }
}

/// What was said cannot be reached.
#[derive(Debug, thiserror::Error)]
pub enum ConversationError {
    /// That of visitors.
    #[error(transparent)]
    Shared(#[from] BusError),
    /// That of users.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Both places.
#[derive(Clone)]
pub(super) struct Conversations {
    pub(super) users: Arc<dyn UserConversations>,
    pub(super) visitors: Arc<dyn VisitorConversations>,
}

impl Conversations {
    pub(super) async fn append(&self, talker: Talker, exchange: &Exchange) -> Result<(), ConversationError> {
        match talker {
            Talker::User(user) | Talker::Program { owner: user, .. } => Ok(self.users.append(user, exchange).await?),
            Talker::Visitor(conversation) => Ok(self.visitors.append(conversation, exchange).await?),
        }
    }

    pub(super) async fn newest(&self, talker: Talker, limit: usize) -> Result<Vec<Exchange>, ConversationError> {
        match talker {
            Talker::User(user) | Talker::Program { owner: user, .. } => Ok(self.users.newest(user, limit).await?),
            Talker::Visitor(conversation) => Ok(self.visitors.newest(conversation, limit).await?),
        }
    }

    async fn forget(&self, talker: Talker) -> Result<(), ConversationError> {
        match talker {
            Talker::User(user) | Talker::Program { owner: user, .. } => Ok(self.users.forget(user).await?),
            Talker::Visitor(conversation) => Ok(self.visitors.forget(conversation).await?),
        }
    }
}

/// The turns of these, in order.
pub(super) fn turns(exchanges: Vec<Exchange>) -> Vec<Turn> {
    exchanges.into_iter().flat_map(|exchange| [exchange.question, exchange.answer]).collect()
}

/// What somebody said, and what they were answered.
pub struct ReadConversation {
    pub(super) conversations: Conversations,
}

impl ReadConversation {
    /// At most the newest `limit` turns, oldest first.
    #[tracing::instrument(name = "read_conversation", skip_all)]
    pub async fn execute(&self, talker: Talker, limit: usize) -> Result<Vec<Turn>, ConversationError> {
        let said = turns(self.conversations.newest(talker, limit.div_ceil(2)).await?);
        let beyond = said.len().saturating_sub(limit);
        Ok(said.into_iter().skip(beyond).collect())
    }
}

/// Somebody's conversation comes to nothing.
pub struct ForgetConversation {
    pub(super) conversations: Conversations,
}

impl ForgetConversation {
    /// All of it goes.
    #[tracing::instrument(name = "forget_conversation", skip_all)]
    pub async fn execute(&self, talker: Talker) -> Result<(), ConversationError> {
        self.conversations.forget(talker).await
    }
}
