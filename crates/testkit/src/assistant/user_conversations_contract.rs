//! What every [`UserConversations`] must do. Run by the fake and by the SQL store on each database.
#![expect(clippy::unwrap_used, reason = "a contract suite is test code")]

use std::any::Any;

use coinlink_domain::{assistant::Exchange, shared::user_id::UserId};
use coinlink_ports::assistant::UserConversations;
use futures_util::future::join_all;

use super::an_exchange;

/// A store in which nobody said anything, and two accounts that it knows.
pub struct TwoUsers<S> {
    /// The store.
    pub store: S,
    /// The accounts.
    pub users: [UserId; 2],
    /// What has to stay as long as the store is used.
    pub place: Box<dyn Any + Send + Sync>,
}

fn kept_of_user() -> u32 {
    u32::try_from(Exchange::KEPT_OF_USER).unwrap()
}

pub async fn what_was_said_comes_back_by_its_ids_to_the_microsecond(it: TwoUsers<impl UserConversations>) {
    let [user, _] = it.users;
    assert_eq!(it.store.newest(user, 50).await.unwrap(), []);
    for n in [3, 1, 2] {
        it.store.append(user, &an_exchange(n)).await.unwrap();
    }
    assert_eq!(it.store.newest(user, 50).await.unwrap(), [1, 2, 3].map(an_exchange));
    assert_eq!(it.store.newest(user, 2).await.unwrap(), [2, 3].map(an_exchange));
    assert_eq!(it.store.newest(user, 0).await.unwrap(), []);
}

pub async fn of_many_the_newest_are_kept(it: TwoUsers<impl UserConversations>) {
    let [user, other] = it.users;
    it.store.append(other, &an_exchange(10_000)).await.unwrap();
    for n in 0..kept_of_user() + 3 {
        it.store.append(user, &an_exchange(n)).await.unwrap();
    }
    let expected: Vec<_> = (3..kept_of_user() + 3).map(an_exchange).collect();
    assert_eq!(it.store.newest(user, 10_000).await.unwrap(), expected);
    assert_eq!(it.store.newest(other, 10_000).await.unwrap(), [an_exchange(10_000)]);
}

pub async fn of_fifty_at_once_all_are_kept_whole_and_none_too_many(it: TwoUsers<impl UserConversations>) {
    let [user, _] = it.users;
    let before = kept_of_user() - 20;
    for n in 0..before {
        it.store.append(user, &an_exchange(n)).await.unwrap();
    }
    join_all((before..before + 50).map(|n| {
        let store = &it.store;
        async move { store.append(user, &an_exchange(n)).await.unwrap() }
    }))
    .await;
    let expected: Vec<_> = (30..before + 50).map(an_exchange).collect();
    assert_eq!(it.store.newest(user, 10_000).await.unwrap(), expected);
}

pub async fn nobody_reads_or_forgets_what_is_anothers(it: TwoUsers<impl UserConversations>) {
    let [user, other] = it.users;
    it.store.append(user, &an_exchange(1)).await.unwrap();
    it.store.append(other, &an_exchange(2)).await.unwrap();
    it.store.forget(user).await.unwrap();
    it.store.forget(user).await.unwrap();
    assert_eq!(it.store.newest(user, 50).await.unwrap(), []);
    assert_eq!(it.store.newest(other, 50).await.unwrap(), [an_exchange(2)]);
}

#[macro_export]
macro_rules! user_conversations_contract {
    ($($case:ident),+ $(,)? => $it:expr) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $case() {
            $crate::assistant::user_conversations_contract::$case($it).await;
        })+
    };
    ($it:expr) => {
        $crate::user_conversations_contract!(
            what_was_said_comes_back_by_its_ids_to_the_microsecond,
            of_many_the_newest_are_kept,
            of_fifty_at_once_all_are_kept_whole_and_none_too_many,
            nobody_reads_or_forgets_what_is_anothers,
            => $it
        );
    };
}
