//! Who answers what clients of the first backend say over a socket.

use std::{net::IpAddr, sync::Arc};

use async_trait::async_trait;
use coinlink_domain::{assistant::Message, identity::SessionId, shared::user_id::UserId};
use time::Duration;
use uuid::Uuid;

/// What was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The question.
    pub message: Message,
    /// By whom; `None` for anybody.
    pub user: Option<UserId>,
    /// In which session of theirs.
    pub session: Option<SessionId>,
    /// From where, as limits count it.
    pub from: IpAddr,
    /// On which connection: what tells the conversations of strangers apart.
    pub connection: Uuid,
}

/// Why there is no answer: the code and text of the `error` frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoAnswer {
    /// The code.
    pub code: &'static str,
    /// For people.
    pub message: String,
    /// When it may be asked again, where that is known.
    pub retry_after: Option<Duration>,
}

impl NoAnswer {
    /// For a reason that says nothing of when to ask again.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), retry_after: None }
    }
}

/// Answers, by the same rules and limits as over HTTP.
#[async_trait]
pub trait Assistant: Send + Sync {
    /// What there is to say to that.
    async fn answer(&self, asked: Asked) -> Result<Arc<str>, NoAnswer>;

    /// Lets go of what nobody in particular said on a connection, which is over.
    async fn forget(&self, connection: Uuid);
}
