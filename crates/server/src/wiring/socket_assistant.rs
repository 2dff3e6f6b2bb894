//! The assistant as sockets ask it: the same use case, windows and histories as over HTTP.

use std::sync::Arc;

use async_trait::async_trait;
use coinlink_application::assistant::{Chat, ForgetConversation, Talker};
use coinlink_domain::assistant::{ConversationId, VisitorSession};
use coinlink_embedded::SystemEntropy;
use coinlink_ports::shared::Entropy as _;
use sha2::{Digest as _, Sha256};
use time::Duration;
use uuid::Uuid;

use crate::{
    http::{ApiError, Gatekeeper, error_codes},
    ws::{Asked, Assistant, NoAnswer},
};

/// What sockets ask.
pub fn socket_assistant(assistant: &super::Assistant, gatekeeper: &Arc<Gatekeeper>) -> Arc<dyn Assistant> {
    let use_cases = &assistant.use_cases;
    Arc::new(SocketAssistant {
        chat: Arc::clone(&use_cases.chat),
        forget: Arc::clone(&use_cases.forget),
        gatekeeper: Arc::clone(gatekeeper),
        secret: SystemEntropy.key(),
    })
}

/// Answers the questions of this node's sockets.
struct SocketAssistant {
    chat: Arc<Chat>,
    forget: Arc<ForgetConversation>,
    gatekeeper: Arc<Gatekeeper>,
    /// Names strangers' conversations so that nobody who is told a connection's id reads one.
    secret: [u8; 32],
}

impl SocketAssistant {
    fn conversation(&self, connection: Uuid) -> ConversationId {
        let named = Sha256::new().chain_update(self.secret).chain_update(connection.as_bytes()).finalize();
        VisitorSession::generated(named.into()).conversation()
    }
}

/// Why a question is not answered. What the table says of a pace names a header, and there is none here.
fn no_answer(refused: &ApiError) -> NoAnswer {
    let code = refused.code().code;
    let message = match refused.comes_back_in() {
        Some(secs) if refused.code() == error_codes::RATE_LIMITED => format!("too many questions; the next one in {secs} s"),
        _ => refused.words().into_owned(),
    };
    NoAnswer { code, message, retry_after: refused.comes_back_in().map(|secs| Duration::seconds(secs.into())) }
}

#[async_trait]
impl Assistant for SocketAssistant {
    async fn answer(&self, asked: Asked) -> Result<Arc<str>, NoAnswer> {
        let Asked { message, user, session, from, connection } = asked;
        let counted = self.gatekeeper.charge_question(user, session, from).await;
        counted.map_err(|refused| no_answer(&refused))?;
        let talker = user.map_or_else(|| Talker::Visitor(self.conversation(connection)), Talker::User);
        Ok(self.chat.execute(talker, &message).await.exchange.answer.text)
    }

    async fn forget(&self, connection: Uuid) {
        let talker = Talker::Visitor(self.conversation(connection));
        if let Err(error) = self.forget.execute(talker).await {
            tracing::warn!(%error, "what was said on a socket that closed is forgotten in a day only");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_may_ask_no_more_is_told_for_how_long_and_of_no_header() {
        let quota = ApiError::new(error_codes::PROMPT_QUOTA_EXCEEDED).message("ask again in 60 minutes").retry_after(3_600);
        let expected =
            NoAnswer { retry_after: Some(Duration::HOUR), ..NoAnswer::new("prompt_quota_exceeded", "ask again in 60 minutes") };
        assert_eq!(no_answer(&quota), expected);
        let pace = no_answer(&ApiError::new(error_codes::RATE_LIMITED).retry_after(5));
        assert_eq!((pace.code, &*pace.message), ("rate_limited", "too many questions; the next one in 5 s"));
        assert_eq!(pace.retry_after, Some(Duration::seconds(5)));
        assert_eq!(no_answer(&ApiError::new(error_codes::SESSION_REVOKED)).retry_after, None);
    }
}
