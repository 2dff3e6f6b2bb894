//! The assistant as sockets ask it: the same use case, windows and histories as over HTTP.

use std::sync::Arc;

use async_trait::async_trait;
use coinlink_application::assistant::{Chat, Talker};
use coinlink_domain::assistant::{Message, MessageError, VisitorSession};
use coinlink_embedded::SystemEntropy;
use coinlink_ports::shared::Entropy as _;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::{
    http::Gatekeeper,
    ws::{Asked, Assistant, NoAnswer},
};

/// What sockets ask.
pub fn socket_assistant(assistant: &super::Assistant, gatekeeper: &Arc<Gatekeeper>) -> Arc<dyn Assistant> {
    let chat = Arc::clone(&assistant.use_cases.chat);
    Arc::new(SocketAssistant { chat, gatekeeper: Arc::clone(gatekeeper), secret: SystemEntropy.key() })
}

/// Answers the questions of this node's sockets.
struct SocketAssistant {
    chat: Arc<Chat>,
    gatekeeper: Arc<Gatekeeper>,
    /// Names strangers' conversations so that nobody who is told a connection's id reads one.
    secret: [u8; 32],
}

impl SocketAssistant {
    fn visitor(&self, connection: Uuid) -> VisitorSession {
        let named = Sha256::new().chain_update(self.secret).chain_update(connection.as_bytes()).finalize();
        VisitorSession::generated(named.into())
    }
}

#[async_trait]
impl Assistant for SocketAssistant {
    async fn answer(&self, asked: Asked) -> Result<Arc<str>, NoAnswer> {
        let Asked { text, user, from, connection } = asked;
        let message = Message::try_new(&text).map_err(|error| {
            let code = match error {
                MessageError::Empty => "empty_message",
                MessageError::TooLong { .. } => "message_too_long",
            };
            NoAnswer { code, message: error.to_string() }
        })?;
        self.gatekeeper.charge_question(user, from).await.map_err(|refused| {
            let code = refused.code();
            NoAnswer { code: code.code, message: code.meaning.to_owned() }
        })?;
        let talker = user.map_or_else(|| Talker::Visitor(self.visitor(connection).conversation()), Talker::User);
        Ok(self.chat.execute(talker, &message).await.exchange.answer.text)
    }
}
