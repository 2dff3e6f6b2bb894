//! Use cases of the assistant.

mod answer_question;
mod ask_model;
mod chat;
mod conversations;
mod gather_facts;
mod leave_feedback;
mod prompts;
mod prune_feedback;
mod use_cases;

pub use answer_question::{Answer, AnswerParts, AnswerQuestion, Asked, BASELINE};
pub use chat::{Chat, Chatted};
pub use conversations::{ConversationError, ForgetConversation, ReadConversation, Talker};
pub use leave_feedback::LeaveFeedback;
pub use prompts::Prompts;
pub use prune_feedback::PruneFeedback;
pub use use_cases::{AssistantAdapters, AssistantUseCases};
