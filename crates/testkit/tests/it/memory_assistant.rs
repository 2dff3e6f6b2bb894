//! The fakes hold the contracts.

use coinlink_domain::shared::user_id::UserId;
use coinlink_testkit::assistant::{MemoryFeedback, MemoryUserConversations, user_conversations_contract::TwoUsers};
use uuid::Uuid;

fn two_users<S: Default>() -> TwoUsers<S> {
    TwoUsers { store: S::default(), users: [UserId(Uuid::from_u128(1)), UserId(Uuid::from_u128(2))], place: Box::new(()) }
}

mod conversations {
    use super::*;

    coinlink_testkit::user_conversations_contract!(two_users::<MemoryUserConversations>());
}

mod feedback {
    use super::*;

    coinlink_testkit::feedback_store_contract!(two_users::<MemoryFeedback>());
}
