//! Fakes and contract suites of the assistant context.

pub mod feedback_contract;
pub mod user_conversations_contract;
pub mod visitor_conversations_contract;

mod builders;
mod chat_stub;
mod memory_conversations;
mod memory_feedback;

pub use builders::{an_exchange, feedback};
pub use chat_stub::{ChatCall, ChatStep, ChatStub, chat_answer, chat_end, chat_head, chat_piece, chat_pieces};
pub use memory_conversations::{LostVisitorConversations, MemoryUserConversations};
pub use memory_feedback::MemoryFeedback;
