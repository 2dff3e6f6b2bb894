//! Who answers what clients of the first backend say over a socket.

use std::{net::IpAddr, sync::Arc};

use async_trait::async_trait;
use coinlink_domain::shared::user_id::UserId;
use uuid::Uuid;

/// What was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Plain text of 1 to 1000 characters.
    pub text: String,
    /// By whom; `None` for anybody.
    pub user: Option<UserId>,
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
}

/// Answers, by the same rules and limits as over HTTP.
#[async_trait]
pub trait Assistant: Send + Sync {
    /// What there is to say to that.
    async fn answer(&self, asked: Asked) -> Result<Arc<str>, NoAnswer>;
}
