//! Visitors' conversations in this process: the contract, and what time and numbers do to them.

use std::sync::Arc;

use coinlink_domain::assistant::{ConversationId, VisitorSession};
use coinlink_embedded::EmbeddedConversations;
use coinlink_ports::assistant::VisitorConversations;
use coinlink_testkit::{assistant::an_exchange, market::NOON, shared::StoppedClock};
use time::Duration;

fn nodes() -> [Arc<dyn VisitorConversations>; 2] {
    let only: Arc<dyn VisitorConversations> = Arc::new(EmbeddedConversations::new(Arc::new(StoppedClock::at(NOON))));
    [Arc::clone(&only), only]
}

mod contract {
    use super::*;

    coinlink_testkit::visitor_conversations_contract!(nodes());
}

fn conversation(n: usize) -> ConversationId {
    VisitorSession::generated(std::array::from_fn(|at| n.to_le_bytes()[at % 8])).conversation()
}

#[tokio::test]
async fn a_day_after_the_last_word_nothing_is_known_of_it() {
    let clock = Arc::new(StoppedClock::at(NOON));
    let kept = EmbeddedConversations::new(clock.clone());
    kept.append(conversation(1), &an_exchange(1)).await.unwrap();
    clock.advance(Duration::hours(23));
    kept.append(conversation(1), &an_exchange(2)).await.unwrap();
    clock.advance(Duration::hours(24) - Duration::NANOSECOND);
    assert_eq!(kept.newest(conversation(1), 50).await.unwrap().len(), 2);
    clock.advance(Duration::NANOSECOND);
    assert_eq!(kept.newest(conversation(1), 50).await.unwrap(), []);
    kept.append(conversation(1), &an_exchange(3)).await.unwrap();
    assert_eq!(kept.newest(conversation(1), 50).await.unwrap(), [an_exchange(3)]);
}

#[tokio::test]
async fn however_many_come_no_more_are_kept_than_may_be_and_who_was_silent_longest_goes() {
    let clock = Arc::new(StoppedClock::at(NOON));
    let kept = EmbeddedConversations::new(clock.clone());
    for n in 0..EmbeddedConversations::MOST + 10 {
        clock.advance(Duration::SECOND);
        kept.append(conversation(n), &an_exchange(1)).await.unwrap();
        kept.append(conversation(3), &an_exchange(2)).await.unwrap();
    }
    assert_eq!(kept.conversations(), EmbeddedConversations::MOST);
    assert_eq!(kept.newest(conversation(0), 50).await.unwrap(), []);
    assert_eq!(kept.newest(conversation(3), 50).await.unwrap().len(), 25);
    assert_eq!(kept.newest(conversation(EmbeddedConversations::MOST + 9), 50).await.unwrap().len(), 1);
}
