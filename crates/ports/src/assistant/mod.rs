//! Ports of the assistant context.

mod conversations;
mod feedback;

pub use conversations::{UserConversations, VisitorConversations};
pub use feedback::FeedbackStore;
