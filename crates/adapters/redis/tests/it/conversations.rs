//! Visitors' conversations on a real Redis.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::sync::Arc;

use coinlink_domain::assistant::VisitorSession;
use coinlink_ports::assistant::VisitorConversations;
use coinlink_redis::{RedisConversations, RedisLink, RedisSettings};
use coinlink_testkit::{assistant::an_exchange, servers::shared_redis, shared::LoadedDice};
use deadpool_redis::redis::{Client, cmd};

async fn settings() -> RedisSettings {
    let server = shared_redis().await;
    RedisSettings { prefix: server.fresh_prefix(), ..RedisSettings::new(server.url()) }
}

/// A connection of its own, as each node has.
fn node(settings: &RedisSettings) -> Arc<dyn VisitorConversations> {
    Arc::new(RedisConversations::new(RedisLink::try_new(settings, Arc::new(LoadedDice::always(0))).unwrap()))
}

async fn nodes() -> [Arc<dyn VisitorConversations>; 2] {
    let settings = settings().await;
    [node(&settings), node(&settings)]
}

mod contract {
    use super::*;

    coinlink_testkit::visitor_conversations_contract!(nodes().await);
}

#[tokio::test]
async fn a_conversation_lapses_a_day_after_its_last_word_and_its_key_opens_nothing() {
    let settings = settings().await;
    let session = VisitorSession::generated([7; 32]);
    node(&settings).append(session.conversation(), &an_exchange(1)).await.unwrap();
    let client = Client::open(shared_redis().await.url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let pattern = format!("{}*", settings.prefix);
    let keys: Vec<String> = cmd("KEYS").arg(pattern).query_async(&mut connection).await.unwrap();
    assert!(keys.len() == 1 && !keys[0].contains(session.text()), "{keys:?}");
    let left: i64 = cmd("TTL").arg(&keys[0]).query_async(&mut connection).await.unwrap();
    assert!((86_300..=86_400).contains(&left), "{left}");
}
