//! What every [`SocketTickets`] must do.
#![expect(clippy::unwrap_used, reason = "a contract suite is test code")]

use std::sync::Arc;

use coinlink_domain::identity::{SecretDigest, SessionId, SocketTicket, UserId};
use coinlink_ports::{identity::SocketTickets, shared::Pause};
use time::Duration;
use uuid::Uuid;

use super::NOON;

/// Two nodes' view of one place in which no ticket is kept.
pub struct TicketNodes {
    /// One node's.
    pub one: Arc<dyn SocketTickets>,
    /// Another's.
    pub other: Arc<dyn SocketTickets>,
    /// How time passes for them.
    pub pause: Arc<dyn Pause>,
}

fn a_ticket(n: u128) -> (SecretDigest, SocketTicket) {
    let (user, session) = (UserId(Uuid::from_u128(n)), SessionId(Uuid::from_u128(n + 1)));
    let origin = n.is_multiple_of(2).then(|| "https://app.example.org".to_owned());
    (SecretDigest::of("a test", &n.to_be_bytes()), SocketTicket { user, session, until: NOON, origin })
}

pub async fn a_ticket_is_taken_once_by_whichever_node(it: TicketNodes) {
    for n in [2, 3] {
        let (digest, ticket) = a_ticket(n);
        it.one.put(digest, &ticket, Duration::MINUTE).await.unwrap();
        assert_eq!(it.other.take(digest).await.unwrap(), Some(ticket));
        assert_eq!(it.one.take(digest).await.unwrap(), None);
        assert_eq!(it.other.take(digest).await.unwrap(), None);
    }
}

pub async fn of_fifty_that_present_one_ticket_at_once_one_gets_it(it: TicketNodes) {
    let (digest, ticket) = a_ticket(7);
    it.one.put(digest, &ticket, Duration::MINUTE).await.unwrap();
    let takers: Vec<_> = (0..50)
        .map(|n| {
            let node = Arc::clone(if n % 2 == 0 { &it.one } else { &it.other });
            tokio::spawn(async move { node.take(digest).await.unwrap().is_some() })
        })
        .collect();
    let mut taken = 0;
    for taker in takers {
        taken += u32::from(taker.await.unwrap());
    }
    assert_eq!(taken, 1);
}

pub async fn a_ticket_lapses(it: TicketNodes) {
    let (digest, ticket) = a_ticket(9);
    it.one.put(digest, &ticket, Duration::milliseconds(80)).await.unwrap();
    it.pause.pause(Duration::milliseconds(160)).await;
    assert_eq!(it.one.take(digest).await.unwrap(), None);
}

pub async fn what_was_never_given_out_opens_nothing_and_disturbs_nothing(it: TicketNodes) {
    let ((digest, ticket), (other, _)) = (a_ticket(11), a_ticket(12));
    it.one.put(digest, &ticket, Duration::MINUTE).await.unwrap();
    assert_eq!(it.one.take(other).await.unwrap(), None);
    assert_eq!(it.one.take(digest).await.unwrap(), Some(ticket));
}

/// Runs the suite on `$nodes`, an expression that is new [`TicketNodes`] each time.
#[macro_export]
macro_rules! socket_tickets_contract {
    ($($case:ident),+ $(,)? => $nodes:expr) => {
        $(#[tokio::test]
        async fn $case() {
            $crate::identity::socket_tickets_contract::$case($nodes).await;
        })+
    };
    ($nodes:expr) => {
        $crate::socket_tickets_contract!(
            a_ticket_is_taken_once_by_whichever_node,
            of_fifty_that_present_one_ticket_at_once_one_gets_it,
            a_ticket_lapses,
            what_was_never_given_out_opens_nothing_and_disturbs_nothing,
            => $nodes
        );
    };
}
