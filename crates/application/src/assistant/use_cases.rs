use std::sync::Arc;

use coinlink_ports::{
    assistant::{Assistant, FeedbackStore, UserConversations, VisitorConversations},
    notifications::AlertReads,
    shared::{Clock, Entropy, Pause},
};

use super::{
    AnswerParts, AnswerQuestion, Chat, ForgetConversation, LeaveFeedback, Prompts, ReadConversation, conversations::Conversations,
};
use crate::market::MarketUseCases;

/// What the assistant needs from outside.
#[derive(Clone)]
pub struct AssistantAdapters {
    /// What is asked of the market.
    pub market: MarketUseCases,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Names.
    pub entropy: Arc<dyn Entropy>,
    /// Waiting.
    pub pause: Arc<dyn Pause>,
    /// Users' alert rules.
    pub alerts: Arc<dyn AlertReads>,
    /// A language model, where one is set.
    pub model: Option<Arc<dyn Assistant>>,
    /// What users said.
    pub users: Arc<dyn UserConversations>,
    /// What visitors said.
    pub visitors: Arc<dyn VisitorConversations>,
    /// What people think.
    pub feedback: Arc<dyn FeedbackStore>,
}

/// What is asked of the assistant.
#[derive(Clone)]
pub struct AssistantUseCases {
    /// Answers a question about the market.
    pub answer: Arc<AnswerQuestion>,
    /// The same, with what was said before, and remembered.
    pub chat: Arc<Chat>,
    /// What was said.
    pub read: Arc<ReadConversation>,
    /// Lets go of what was said.
    pub forget: Arc<ForgetConversation>,
    /// What it brings up by itself.
    pub prompts: Arc<Prompts>,
    /// Takes what people think.
    pub leave_feedback: Arc<LeaveFeedback>,
}

impl AssistantUseCases {
    /// All of them.
    pub fn new(adapters: AssistantAdapters) -> Self {
        let AssistantAdapters { market, clock, entropy, pause, alerts, model, users, visitors, feedback } = adapters;
        let conversations = Conversations { users, visitors };
        let prompts = Prompts { market: market.clone(), clock: Arc::clone(&clock), since: clock.now() };
        let answer = Arc::new(AnswerQuestion::new(AnswerParts { market, alerts, model, clock: Arc::clone(&clock), pause }));
        let chat = Chat {
            answer: Arc::clone(&answer),
            conversations: conversations.clone(),
            clock: Arc::clone(&clock),
            entropy: Arc::clone(&entropy),
        };
        Self {
            answer,
            chat: Arc::new(chat),
            read: Arc::new(ReadConversation { conversations: conversations.clone() }),
            forget: Arc::new(ForgetConversation { conversations }),
            prompts: Arc::new(prompts),
            leave_feedback: Arc::new(LeaveFeedback { store: feedback, clock, entropy }),
        }
    }
}
