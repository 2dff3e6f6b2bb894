use async_trait::async_trait;
use coinlink_domain::shared::mail::OutgoingMail;

/// Why a letter was not handed over. The text may be logged: it holds no address and nothing of what the letter says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// It may be later.
    #[error("{0}")]
    Temporary(String),
    /// It never will be: its recipient is refused, or it cannot be written.
    #[error("{0}")]
    Permanent(String),
}

/// Writes letters and hands them over.
#[async_trait]
pub trait MailSender: Send + Sync {
    /// Hands one over, within 30 seconds. It may have been although an error says that it was not: then it comes twice, with the
    /// same `Message-ID`.
    async fn send(&self, mail: &OutgoingMail) -> Result<(), SendError>;
}
