//! What every [`VisitorConversations`] must do.
#![expect(clippy::unwrap_used, reason = "a contract suite is test code")]

use std::sync::Arc;

use coinlink_domain::assistant::{ConversationId, Exchange, VisitorSession};
use coinlink_ports::assistant::VisitorConversations;
use futures_util::future::join_all;

use super::an_exchange;

/// Two nodes on what they share.
type Nodes = [Arc<dyn VisitorConversations>; 2];

fn conversation(n: u8) -> ConversationId {
    VisitorSession::generated([n; 32]).conversation()
}

pub async fn what_one_node_hears_another_knows_in_its_order([one, other]: Nodes) {
    assert_eq!(one.newest(conversation(1), 50).await.unwrap(), []);
    for n in [3, 1, 2] {
        one.append(conversation(1), &an_exchange(n)).await.unwrap();
    }
    assert_eq!(other.newest(conversation(1), 50).await.unwrap(), [3, 1, 2].map(an_exchange));
    assert_eq!(other.newest(conversation(1), 2).await.unwrap(), [1, 2].map(an_exchange));
    assert_eq!(other.newest(conversation(1), 0).await.unwrap(), []);
}

pub async fn of_many_the_newest_are_kept([one, _]: Nodes) {
    let kept = u32::try_from(Exchange::KEPT_OF_VISITOR).unwrap();
    for n in 0..kept + 7 {
        one.append(conversation(1), &an_exchange(n)).await.unwrap();
    }
    let expected: Vec<_> = (7..kept + 7).map(an_exchange).collect();
    assert_eq!(one.newest(conversation(1), 1_000).await.unwrap(), expected);
}

pub async fn of_fifty_at_once_all_are_whole_and_no_more_are_kept_than_may_be(nodes: Nodes) {
    join_all((0..50).map(|n| {
        let node = Arc::clone(&nodes[n as usize % 2]);
        async move {
            node.append(conversation(1), &an_exchange(n)).await.unwrap();
            assert!(node.newest(conversation(1), 1_000).await.unwrap().len() <= Exchange::KEPT_OF_VISITOR);
        }
    }))
    .await;
    let kept = nodes[0].newest(conversation(1), 1_000).await.unwrap();
    assert_eq!(kept.len(), Exchange::KEPT_OF_VISITOR);
    let whole: Vec<_> = (0..50).map(an_exchange).collect();
    assert!(kept.iter().all(|exchange| whole.contains(exchange)));
}

pub async fn nobody_reads_or_forgets_what_is_anothers([one, other]: Nodes) {
    one.append(conversation(1), &an_exchange(1)).await.unwrap();
    one.append(conversation(2), &an_exchange(2)).await.unwrap();
    other.forget(conversation(1)).await.unwrap();
    other.forget(conversation(3)).await.unwrap();
    assert_eq!(one.newest(conversation(1), 50).await.unwrap(), []);
    assert_eq!(one.newest(conversation(2), 50).await.unwrap(), [an_exchange(2)]);
}

#[macro_export]
macro_rules! visitor_conversations_contract {
    ($($case:ident),+ $(,)? => $nodes:expr) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $case() {
            $crate::assistant::visitor_conversations_contract::$case($nodes).await;
        })+
    };
    ($nodes:expr) => {
        $crate::visitor_conversations_contract!(
            what_one_node_hears_another_knows_in_its_order,
            of_many_the_newest_are_kept,
            of_fifty_at_once_all_are_whole_and_no_more_are_kept_than_may_be,
            nobody_reads_or_forgets_what_is_anothers,
            => $nodes
        );
    };
}
