//! Use cases of the assistant.

mod answer_question;
mod use_cases;

pub use answer_question::{Answer, AnswerQuestion, Asked, BASELINE};
pub use use_cases::{AssistantAdapters, AssistantUseCases};
