//! The assistant.

mod chat;
mod docs;
mod feedback;
mod history;
mod prompts;
mod visitor;

use actix_web::web::{Data, ServiceConfig};
use coinlink_application::assistant::{AssistantUseCases, ConversationError};

use super::{ApiError, error_codes};

pub use visitor::ChatCookie;

pub(super) use chat::chat;
pub(super) use docs::AssistantDocument;
pub(super) use feedback::leave_feedback;
pub(super) use history::{forget_history, history};
pub(super) use prompts::prompts;

/// Hands each use case to the handlers that hold it.
pub(super) fn provide(use_cases: &AssistantUseCases, cookie: ChatCookie, config: &mut ServiceConfig) {
    let AssistantUseCases { answer: _, chat, read, forget, prompts, leave_feedback } = use_cases.clone();
    config
        .app_data(Data::new(cookie))
        .app_data(Data::from(chat))
        .app_data(Data::from(read))
        .app_data(Data::from(forget))
        .app_data(Data::from(prompts))
        .app_data(Data::from(leave_feedback));
}

impl From<ConversationError> for ApiError {
    fn from(error: ConversationError) -> Self {
        match error {
            ConversationError::Store(error) => error.into(),
            ConversationError::Shared(error) => Self::new(error_codes::DEPENDENCY_UNAVAILABLE).retry_after(1).caused_by(error),
        }
    }
}
