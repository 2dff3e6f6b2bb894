//! Rules of the assistant that answers questions about the market.

mod conversation;
mod feedback;
mod figures;
mod message;
mod prompts;
mod visitor;

pub use conversation::{Exchange, Speaker, Turn};
pub use feedback::{About, Feedback, Note, Rating, TooManyWords, Words};
pub use message::{Message, MessageError};
pub use prompts::{FEWEST_PROMPTS, Prompt, PromptKind, Scene, prompts};
pub use visitor::{ConversationId, VisitorSession};
