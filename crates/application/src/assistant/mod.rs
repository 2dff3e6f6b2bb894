//! Use cases of the assistant.

mod use_cases;

pub use use_cases::{AssistantAdapters, AssistantUseCases};
