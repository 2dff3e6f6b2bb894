//! Whose webhook is called next, so that nobody who has much on the way holds up others.

use std::collections::{BTreeSet, HashMap};

use super::Webhook;
use crate::shared::user_id::UserId;

/// A call that is under way: of whose webhook, and to which host.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UnderWay {
    /// Whose.
    pub user: UserId,
    /// The host of its address.
    pub host: String,
}

impl UnderWay {
    /// A call of this webhook.
    #[must_use]
    pub fn of(webhook: &Webhook) -> Self {
        Self { user: webhook.user, host: webhook.host.clone() }
    }
}

/// Which of `waiting` are called now, by their places in it; no more than `most`. Those come first that were called longest ago. Whoever
/// has fewer calls under way goes first, nobody has more than [`Webhook::MOST_AT_ONCE`], and no host is called twice at once for the same user:
/// what one user's host does, others do not wait for, not even at the same host.
#[must_use]
pub fn webhook_turns(waiting: &[UnderWay], under_way: &[UnderWay], most: usize) -> Vec<usize> {
    let mut busy: BTreeSet<&UnderWay> = under_way.iter().collect();
    let mut calls: HashMap<UserId, usize> = HashMap::new();
    for call in under_way {
        *calls.entry(call.user).or_default() += 1;
    }
    let mut turns = Vec::new();
    for have in 0..Webhook::MOST_AT_ONCE {
        for (place, one) in waiting.iter().enumerate() {
            let of_user = calls.entry(one.user).or_default();
            if turns.len() < most && *of_user == have && busy.insert(one) {
                *of_user += 1;
                turns.push(place);
            }
        }
    }
    turns
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, prelude::*};
    use uuid::Uuid;

    fn call(user: u128, host: &str) -> UnderWay {
        UnderWay { user: UserId(Uuid::from_u128(user)), host: host.to_owned() }
    }

    #[test]
    fn everybody_has_a_first_call_before_anybody_has_a_second() {
        let waiting = [call(1, "a"), call(1, "b"), call(1, "c"), call(2, "a"), call(2, "a"), call(3, "a")];
        assert_eq!(webhook_turns(&waiting, &[], 9), [0, 3, 5, 1]);
        assert_eq!(webhook_turns(&waiting, &[], 3), [0, 3, 5]);
        assert_eq!(webhook_turns(&waiting, &[call(1, "c")], 2), [3, 5], "the first has one under way");
        assert_eq!(webhook_turns(&waiting, &[call(1, "x"), call(1, "y"), call(2, "a")], 9), [5]);
        assert_eq!(webhook_turns(&waiting, &[], 0), [0_usize; 0]);
    }

    proptest! {
        #[test]
        fn nobody_has_too_many_and_nobody_waits_for_another(
            waiting in vec((0..6_u128, "[abc]"), 0..40), under_way in vec((0..6_u128, "[abc]"), 0..8)
        ) {
            let calls = |of: Vec<(u128, String)>| of.into_iter().map(|(user, host)| call(user, &host)).collect::<Vec<_>>();
            // What is under way was let go by the same rule.
            let (waiting, asked) = (calls(waiting), calls(under_way));
            let before: Vec<_> = webhook_turns(&asked, &[], 99).into_iter().map(|place| asked[place].clone()).collect();
            let now = webhook_turns(&waiting, &before, 99);
            let all: Vec<_> = before.iter().chain(now.iter().map(|place| &waiting[*place])).collect();
            prop_assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
            for one in &waiting {
                let of_user = all.iter().filter(|call| call.user == one.user).count();
                prop_assert!(of_user <= Webhook::MOST_AT_ONCE);
                prop_assert!(of_user == Webhook::MOST_AT_ONCE || all.contains(&one), "it could be called");
            }
        }
    }
}
