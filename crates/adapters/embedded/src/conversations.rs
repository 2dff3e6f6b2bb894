use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use coinlink_domain::assistant::{ConversationId, Exchange};
use coinlink_ports::{
    assistant::VisitorConversations,
    shared::{BusError, Clock},
};
use time::Duration;

use crate::lock;

/// Visitors' conversations in this process; a restart forgets them. At most [`EmbeddedConversations::MOST`] are kept, which bounds
/// the memory whoever comes: for a newcomer beyond that the one that was silent longest is given up.
pub struct EmbeddedConversations {
    clock: Arc<dyn Clock>,
    kept: Mutex<HashMap<ConversationId, Conversation>>,
}

#[derive(Default)]
struct Conversation {
    exchanges: VecDeque<Exchange>,
    last: Duration,
}

impl EmbeddedConversations {
    /// The most conversations that are kept at once.
    pub const MOST: usize = 2_000;

    /// Nobody said anything yet.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, kept: Mutex::default() }
    }

    /// Conversations in memory.
    pub fn conversations(&self) -> usize {
        lock(&self.kept).len()
    }
}

fn is_over(conversation: &Conversation, now: Duration) -> bool {
    now - conversation.last >= Exchange::VISITOR_KEPT_FOR
}

/// Called for each newcomer.
fn make_room(kept: &mut HashMap<ConversationId, Conversation>, now: Duration) {
    if kept.len() < EmbeddedConversations::MOST {
        return;
    }
    kept.retain(|_, conversation| !is_over(conversation, now));
    if kept.len() >= EmbeddedConversations::MOST {
        let silent = kept.iter().min_by_key(|(_, conversation)| conversation.last).map(|(id, _)| *id);
        silent.map(|id| kept.remove(&id));
    }
}

#[async_trait]
impl VisitorConversations for EmbeddedConversations {
    async fn append(&self, conversation: ConversationId, exchange: &Exchange) -> Result<(), BusError> {
        let mut kept = lock(&self.kept);
        let now = self.clock.monotonic();
        if kept.get(&conversation).is_some_and(|known| is_over(known, now)) {
            kept.remove(&conversation);
        }
        if !kept.contains_key(&conversation) {
            make_room(&mut kept, now);
        }
        let known = kept.entry(conversation).or_default();
        known.last = now;
        known.exchanges.push_back(exchange.clone());
        if known.exchanges.len() > Exchange::KEPT_OF_VISITOR {
            known.exchanges.pop_front();
        }
        Ok(())
    }

    async fn newest(&self, conversation: ConversationId, limit: usize) -> Result<Vec<Exchange>, BusError> {
        let kept = lock(&self.kept);
        let now = self.clock.monotonic();
        let Some(known) = kept.get(&conversation).filter(|known| !is_over(known, now)) else { return Ok(Vec::new()) };
        Ok(known.exchanges.iter().skip(known.exchanges.len().saturating_sub(limit)).cloned().collect())
    }

    async fn forget(&self, conversation: ConversationId) -> Result<(), BusError> {
        lock(&self.kept).remove(&conversation);
        Ok(())
    }
}
