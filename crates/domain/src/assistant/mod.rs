//! Rules of the assistant that answers questions about the market.

mod answers;
mod briefing;
mod claims;
mod conversation;
mod facts;
mod feedback;
mod figures;
mod language;
mod message;
mod plain;
mod prompts;
mod visitor;
mod wording;

pub use answers::{Reply, answer};
pub use briefing::{Briefing, LONGEST_WRITTEN};
pub use claims::states_only;
pub use conversation::{Exchange, Speaker, Turn};
pub use facts::{AlertLine, Alerts, Facts, Mood, Past, Then};
pub use feedback::{About, Feedback, Note, Rating, TooManyWords, Words};
pub use language::{Conversion, Directory, Intent, Moment, Period, Question, Unit};
pub use message::{Message, MessageError};
pub use plain::{one_line, plain_text, whole_sentences};
pub use prompts::{FEWEST_PROMPTS, Prompt, PromptKind, Scene, prompts};
pub use visitor::{ConversationId, VisitorKey, VisitorSession};
pub use wording::gives_advice;
