//! What every [`FeedbackStore`] must do. Run by the fake and by the SQL store on each database.
#![expect(clippy::unwrap_used, reason = "a contract suite is test code")]

use coinlink_ports::{assistant::FeedbackStore, shared::StoreError};

use super::{feedback, user_conversations_contract::TwoUsers};

pub async fn the_newest_come_first_as_they_were_left(it: TwoUsers<impl FeedbackStore>) {
    assert_eq!(it.store.newest(10).await.unwrap(), []);
    let [one, other] = it.users;
    let left = [feedback(1, None), feedback(2, Some(one)), feedback(3, Some(other)), feedback(4, None)];
    for at in [2, 0, 3, 1] {
        it.store.leave(&left[at]).await.unwrap();
    }
    let [first, second, third, fourth] = left;
    assert_eq!(it.store.newest(10).await.unwrap(), [fourth.clone(), third.clone(), second, first]);
    assert_eq!(it.store.newest(2).await.unwrap(), [fourth, third]);
}

pub async fn the_same_is_not_left_twice(it: TwoUsers<impl FeedbackStore>) {
    it.store.leave(&feedback(1, None)).await.unwrap();
    assert!(matches!(it.store.leave(&feedback(1, None)).await, Err(StoreError::Conflict { .. })));
    assert_eq!(it.store.newest(10).await.unwrap().len(), 1);
}

pub async fn what_is_old_or_too_much_goes_a_part_at_a_time(it: TwoUsers<impl FeedbackStore>) {
    let left: Vec<_> = (1..=9).map(|n| feedback(n, Some(it.users[0]))).collect();
    for one in &left {
        it.store.leave(one).await.unwrap();
    }
    let newest_first = |from: usize| left[from..].iter().rev().cloned().collect::<Vec<_>>();
    assert_eq!(it.store.prune(left[0].created_at, 9, 100).await.unwrap(), 0, "none is older than the oldest, and nine may stay");
    assert_eq!(it.store.prune(left[3].created_at, 9, 2).await.unwrap(), 2);
    assert_eq!(it.store.newest(100).await.unwrap(), newest_first(2), "the oldest first");
    assert_eq!(it.store.prune(left[3].created_at, 9, 2).await.unwrap(), 1);
    assert_eq!(it.store.newest(100).await.unwrap(), newest_first(3));
    assert_eq!(it.store.prune(left[0].created_at, 2, 100).await.unwrap(), 4);
    assert_eq!(it.store.newest(100).await.unwrap(), newest_first(7));
    assert_eq!(it.store.prune(left[0].created_at, 2, 100).await.unwrap(), 0);
}

#[macro_export]
macro_rules! feedback_store_contract {
    ($($case:ident),+ $(,)? => $it:expr) => {
        $(#[tokio::test]
        async fn $case() {
            $crate::assistant::feedback_contract::$case($it).await;
        })+
    };
    ($it:expr) => {
        $crate::feedback_store_contract!(the_newest_come_first_as_they_were_left, the_same_is_not_left_twice, what_is_old_or_too_much_goes_a_part_at_a_time, => $it);
    };
}
