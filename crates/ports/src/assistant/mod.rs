//! Ports of the assistant context.

mod conversations;
mod feedback;
mod model;

pub use conversations::{UserConversations, VisitorConversations};
pub use feedback::FeedbackStore;
pub use model::{AnswerPieces, Assistant, ModelRequest};
