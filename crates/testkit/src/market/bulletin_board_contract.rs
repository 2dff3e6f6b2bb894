//! What every [`BulletinBoard`] must do.
#![expect(clippy::unwrap_used, reason = "a contract suite is test code")]

use std::sync::Arc;

use coinlink_domain::market::{AnyBulletin, BulletinKind};
use coinlink_ports::{market::BulletinBoard, shared::Pause};
use time::{Duration, OffsetDateTime};

use super::{NOON, a_mood, fetched, some_news, some_totals, some_trending};

/// A board with nothing on it, the same as another node has it, and time that passes.
pub struct BoardNodes {
    /// One node's.
    pub one: Arc<dyn BulletinBoard>,
    /// The other's.
    pub other: Arc<dyn BulletinBoard>,
    /// Waits as the board's turns last.
    pub pause: Arc<dyn Pause>,
}

fn of(kind: BulletinKind, at: OffsetDateTime) -> AnyBulletin {
    match kind {
        BulletinKind::News => AnyBulletin::News(fetched(some_news(4), at)),
        BulletinKind::FearGreed => AnyBulletin::FearGreed(fetched(a_mood(39), at)),
        BulletinKind::Totals => AnyBulletin::Totals(fetched(some_totals(), at)),
        BulletinKind::Trending => AnyBulletin::Trending(fetched(some_trending(3), at)),
    }
}

pub async fn a_new_board_is_empty(nodes: BoardNodes) {
    assert_eq!(nodes.one.read().await.unwrap(), []);
}

pub async fn what_one_node_posts_the_other_reads_to_the_last_digit(nodes: BoardNodes) {
    let at = NOON + Duration::nanoseconds(123_456_789);
    for kind in BulletinKind::ALL {
        assert!(nodes.one.post(&of(kind, at)).await.unwrap());
    }
    let mut read = nodes.other.read().await.unwrap();
    read.sort_by_key(AnyBulletin::kind);
    assert_eq!(read, BulletinKind::ALL.map(|kind| of(kind, at)));
}

pub async fn only_a_newer_one_takes_the_place(nodes: BoardNodes) {
    let newer = AnyBulletin::FearGreed(fetched(a_mood(50), NOON + Duration::SECOND));
    assert!(nodes.one.post(&of(BulletinKind::FearGreed, NOON)).await.unwrap());
    assert!(nodes.other.post(&newer).await.unwrap());
    assert!(!nodes.one.post(&of(BulletinKind::FearGreed, NOON)).await.unwrap(), "an older one");
    let again = AnyBulletin::FearGreed(fetched(a_mood(51), NOON + Duration::SECOND));
    assert!(!nodes.one.post(&again).await.unwrap(), "one as new");
    assert!(nodes.one.post(&of(BulletinKind::News, NOON - Duration::DAY)).await.unwrap(), "each kind has its own place");
    assert!(nodes.one.read().await.unwrap().contains(&newer));
}

pub async fn of_many_at_once_one_gets_the_turn_and_each_kind_has_its_own(nodes: BoardNodes) {
    for kind in BulletinKind::ALL {
        let callers: Vec<_> = (0..20)
            .map(|n| {
                let board = Arc::clone(if n % 2 == 0 { &nodes.one } else { &nodes.other });
                tokio::spawn(async move { board.take_turn(kind, Duration::HOUR).await.unwrap() })
            })
            .collect();
        let mut turns = 0;
        for caller in callers {
            turns += u32::from(caller.await.unwrap());
        }
        assert_eq!(turns, 1, "{}", kind.name());
    }
}

pub async fn a_turn_comes_back_when_its_time_is_over(nodes: BoardNodes) {
    let every = Duration::milliseconds(400);
    assert!(nodes.one.take_turn(BulletinKind::News, every).await.unwrap());
    assert!(!nodes.other.take_turn(BulletinKind::News, every).await.unwrap());
    nodes.pause.pause(every + Duration::milliseconds(50)).await;
    assert!(nodes.other.take_turn(BulletinKind::News, every).await.unwrap());
}

pub async fn a_turn_is_no_matter_of_what_is_on_the_board(nodes: BoardNodes) {
    assert!(nodes.one.take_turn(BulletinKind::Totals, Duration::HOUR).await.unwrap());
    assert!(nodes.one.post(&of(BulletinKind::Totals, NOON)).await.unwrap());
    assert!(!nodes.one.take_turn(BulletinKind::Totals, Duration::HOUR).await.unwrap());
}

/// Runs the suite on `$nodes`, an expression that is new [`BoardNodes`] each time.
#[macro_export]
macro_rules! bulletin_board_contract {
    ($($case:ident),+ $(,)? => $nodes:expr) => {
        $(#[tokio::test]
        async fn $case() {
            $crate::market::bulletin_board_contract::$case($nodes).await;
        })+
    };
    ($nodes:expr) => {
        $crate::bulletin_board_contract!(
            a_new_board_is_empty,
            what_one_node_posts_the_other_reads_to_the_last_digit,
            only_a_newer_one_takes_the_place,
            of_many_at_once_one_gets_the_turn_and_each_kind_has_its_own,
            a_turn_comes_back_when_its_time_is_over,
            a_turn_is_no_matter_of_what_is_on_the_board,
            => $nodes
        );
    };
}
