mod conversations;
mod feedback;

pub use conversations::SqlUserConversations;
pub use feedback::SqlFeedback;
