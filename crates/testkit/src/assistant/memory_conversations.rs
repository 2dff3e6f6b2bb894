use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use async_trait::async_trait;
use coinlink_domain::{
    assistant::{ConversationId, Exchange},
    shared::user_id::UserId,
};
use coinlink_ports::{
    assistant::{UserConversations, VisitorConversations},
    shared::{BusError, StoreError},
};
use uuid::Uuid;

use crate::shared::lock;

/// What users said, in memory.
#[derive(Default)]
pub struct MemoryUserConversations {
    kept: Mutex<HashMap<UserId, BTreeMap<Uuid, Exchange>>>,
    away: AtomicBool,
}

impl MemoryUserConversations {
    /// From now on, whether it cannot be reached.
    pub fn is_away(&self, away: bool) {
        self.away.store(away, Ordering::SeqCst);
    }

    fn reached(&self) -> Result<(), StoreError> {
        if self.away.load(Ordering::SeqCst) { Err(StoreError::Unavailable("away, as asked".into())) } else { Ok(()) }
    }
}

#[async_trait]
impl UserConversations for MemoryUserConversations {
    async fn append(&self, user: UserId, exchange: &Exchange) -> Result<(), StoreError> {
        self.reached()?;
        let mut kept = lock(&self.kept);
        let exchanges = kept.entry(user).or_default();
        exchanges.insert(exchange.id, exchange.clone());
        while exchanges.len() > Exchange::KEPT_OF_USER {
            exchanges.pop_first();
        }
        Ok(())
    }

    async fn newest(&self, user: UserId, limit: usize) -> Result<Vec<Exchange>, StoreError> {
        self.reached()?;
        let kept = lock(&self.kept);
        let Some(exchanges) = kept.get(&user) else { return Ok(Vec::new()) };
        Ok(exchanges.values().skip(exchanges.len().saturating_sub(limit)).cloned().collect())
    }

    async fn forget(&self, user: UserId) -> Result<(), StoreError> {
        self.reached()?;
        lock(&self.kept).remove(&user);
        Ok(())
    }
}

/// What keeps visitors' conversations, while it cannot be reached.
pub struct LostVisitorConversations;

fn lost<T>() -> Result<T, BusError> {
    Err(BusError("away, as asked".to_owned()))
}

#[async_trait]
impl VisitorConversations for LostVisitorConversations {
    async fn append(&self, _: ConversationId, _: &Exchange) -> Result<(), BusError> {
        lost()
    }

    async fn newest(&self, _: ConversationId, _: usize) -> Result<Vec<Exchange>, BusError> {
        lost()
    }

    async fn forget(&self, _: ConversationId) -> Result<(), BusError> {
        lost()
    }
}
