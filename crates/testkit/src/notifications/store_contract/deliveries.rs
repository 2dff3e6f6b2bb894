//! What is on its way: claimed by one at a time, tried again, given up, counted and removed.

use std::collections::BTreeSet;

use coinlink_domain::{
    market::Price,
    notifications::{Channel, Delivery, UnderWay, Webhook, WebhookCalls, alerts::AlertCondition},
};
use coinlink_ports::notifications::{EndedBefore, LastTest};
use futures_util::future::join_all;
use rust_decimal::Decimal;
use time::Duration;

use super::{LATER, LEASE, NotificationsUnderTest};
use crate::notifications::{a_firing, a_notification};

pub async fn a_delivery_to_sockets_is_claimed_once_with_its_notification_and_firing(it: NotificationsUnderTest) {
    let [user, ..] = it.users;
    let notification = it.left(a_notification(user, 1)).await;
    let fired = a_firing(AlertCondition::CrossesAbove(Price::try_new(Decimal::new(65_000_001, 3)).unwrap()));
    let due = notification.created_at;
    let delivery = Delivery { notification: notification.id, user, channel: Channel::Socket, fired: Some(fired.clone()), due };
    let mut tx = it.store.begin().await.unwrap();
    tx.inbox().send(&delivery).await.unwrap();
    tx.commit().await.unwrap();
    let claim = async |now| it.queue.claim_for_sockets(now, LEASE, 10).await.unwrap();
    assert_eq!(claim(due - Duration::MICROSECOND).await, []);
    let claimed = claim(due).await;
    assert_eq!((claimed[0].id, claimed[0].attempt, claimed.len()), (delivery.id(), 1, 1));
    assert_eq!((&claimed[0].notification, &claimed[0].fired), (&notification, &Some(fired)));
    assert_eq!(claim(due + LEASE - Duration::MICROSECOND).await, [], "it is with somebody");
    assert_eq!(claim(due + LEASE).await[0].attempt, 2, "whoever had it is gone");
    it.queue.sent(delivery.id(), LATER).await.unwrap();
    assert_eq!(claim(LATER + Duration::DAY).await, []);
    assert_eq!(it.queue.claim_for_webhooks(LATER, LEASE, 10, &[]).await.unwrap(), []);
}

pub async fn of_many_who_claim_at_once_each_delivery_goes_to_one(it: NotificationsUnderTest) {
    let [user, ..] = it.users;
    for n in 1..=30 {
        it.sent(user, n, Channel::Socket).await;
    }
    let claims = (0..6).map(|_| {
        let it = it.clone();
        tokio::spawn(async move {
            let mut mine = Vec::new();
            loop {
                let claimed = it.queue.claim_for_sockets(LATER, LEASE, 3).await.unwrap();
                if claimed.is_empty() {
                    return mine;
                }
                mine.extend(claimed.into_iter().map(|claimed| claimed.id));
            }
        })
    });
    let claimed: Vec<_> = join_all(claims).await.into_iter().flat_map(Result::unwrap).collect();
    assert_eq!((claimed.len(), claimed.iter().collect::<BTreeSet<_>>().len()), (30, 30));
}

pub async fn of_each_users_host_one_is_claimed_and_of_busy_ones_none(it: NotificationsUnderTest) {
    let [user, other, _] = it.users;
    let hooks = [it.hooked(user, 1).await, it.hooked(user, 2).await, it.hooked(other, 1).await];
    assert_eq!(hooks[0].host, hooks[2].host);
    for n in 1..=3 {
        let notification = it.left(a_notification(user, n)).await;
        for hook in &hooks[..2] {
            it.on_its_way(&notification, Channel::Webhook(hook.id)).await;
        }
    }
    it.sent(other, 4, Channel::Webhook(hooks[2].id)).await;
    let claim = async |limit, under_way: &[&Webhook]| {
        let under_way: Vec<_> = under_way.iter().map(|hook| UnderWay::of(hook)).collect();
        let claimed = it.queue.claim_for_webhooks(LATER, LEASE, limit, &under_way).await.unwrap();
        let mut claimed: Vec<_> = claimed.into_iter().map(|one| (one.webhook.id, one.notification.id)).collect();
        claimed.sort();
        claimed
    };
    let [first, second, others] = &hooks;
    let told = |hook: &Webhook, n| (hook.id, a_notification(hook.user, n).id);
    let both = |one, other| BTreeSet::from([one, other]).into_iter().collect::<Vec<_>>();
    assert_eq!(claim(10, &[first, second, others]).await, []);
    assert_eq!(claim(0, &[]).await, []);
    assert_eq!(claim(10, &[first, others]).await, [told(second, 1)], "whose host is busy waits");
    assert_eq!(claim(10, &[first, second]).await, [told(others, 4)], "and nobody else does, at the same host");
    assert_eq!(claim(10, &[]).await, both(told(first, 1), told(second, 2)));
    assert_eq!(claim(10, &[second]).await, [told(first, 2)]);
    let elsewhere = Webhook { host: "elsewhere.example.org".to_owned(), ..second.clone() };
    assert_eq!(claim(10, &[second, &elsewhere]).await, [], "the user has as many under way as one may have");
    assert_eq!(claim(10, &[]).await, both(told(first, 3), told(second, 3)));
}

/// One account with hundreds that are due longest does not hold up another's single one.
pub async fn whoever_was_served_longest_ago_comes_first_however_much_others_have(it: NotificationsUnderTest) {
    let [many, few, _] = it.users;
    let hooks = [it.hooked(many, 1).await, it.hooked(many, 2).await];
    for n in 1..=150 {
        let notification = it.left(a_notification(many, n)).await;
        for hook in &hooks {
            it.on_its_way(&notification, Channel::Webhook(hook.id)).await;
        }
    }
    let one = it.hooked(few, 1).await;
    for n in 200..=202 {
        it.sent(few, n, Channel::Webhook(one.id)).await;
    }
    let claim = async |now, limit| {
        let claimed = it.queue.claim_for_webhooks(now, LEASE, limit, &[]).await.unwrap();
        claimed.into_iter().map(|one| one.webhook.user).collect::<Vec<_>>()
    };
    let mut first = claim(LATER, 2).await;
    first.sort();
    assert_eq!(first, BTreeSet::from([many, few]).into_iter().collect::<Vec<_>>(), "each has one");
    let at = |seconds| LATER + Duration::seconds(seconds);
    assert_eq!(it.queue.claim_for_webhooks(at(1), LEASE, 1, &[UnderWay::of(&one)]).await.unwrap()[0].webhook.user, many);
    assert_eq!(claim(at(2), 1).await, [few], "the other was served a second ago");
    assert_eq!(claim(at(3), 1).await, [many]);
    assert_eq!(claim(at(4), 9).await, [few, many, many]);
}

pub async fn of_a_webhook_what_was_never_tried_goes_before_what_is_tried_again(it: NotificationsUnderTest) {
    let [user, ..] = it.users;
    let hook = it.hooked(user, 1).await;
    let old = it.sent(user, 1, Channel::Webhook(hook.id)).await;
    let claim = async |now| it.queue.claim_for_webhooks(now, LEASE, 10, &[]).await.unwrap().remove(0);
    assert_eq!(claim(LATER).await.id, old.id());
    assert!(it.queue.postpone(old.id(), 1, LATER, LATER, "not now").await.unwrap());
    let new = it.sent(user, 2, Channel::Webhook(hook.id)).await;
    assert_eq!(claim(LATER + Duration::HOUR).await.id, new.id());
    assert_eq!(claim(LATER + Duration::HOUR).await.id, old.id());
}

pub async fn a_webhook_tells_how_its_last_call_went(it: NotificationsUnderTest) {
    let [user, ..] = it.users;
    let hook = it.hooked(user, 1).await;
    let calls = async || it.store.webhooks(user).await.unwrap().remove(0).calls;
    let ids = [it.sent(user, 1, Channel::Webhook(hook.id)).await.id(), it.sent(user, 2, Channel::Webhook(hook.id)).await.id()];
    let claim = async |now| it.queue.claim_for_webhooks(now, LEASE, 10, &[]).await.unwrap().remove(0).id;
    assert_eq!((claim(LATER).await, calls().await), (ids[0], WebhookCalls::default()));
    let at = |seconds| LATER + Duration::seconds(seconds);
    it.queue.postpone(ids[0], 1, at(1), at(90), "it answers 500").await.unwrap();
    let failed =
        |at, success, why: &str| WebhookCalls { last_at: Some(at), last_success_at: success, last_error: Some(why.to_owned()) };
    assert_eq!(calls().await, failed(at(1), None, "it answers 500"));
    assert!(!it.queue.postpone(ids[0], 9, at(2), at(90), "slow").await.unwrap());
    assert_eq!((claim(at(2)).await, calls().await), (ids[1], failed(at(1), None, "it answers 500")));
    it.queue.sent(ids[1], at(3)).await.unwrap();
    assert_eq!(calls().await, WebhookCalls { last_at: Some(at(3)), last_success_at: Some(at(3)), last_error: None });
    assert_eq!(claim(at(90)).await, ids[0]);
    assert!(it.queue.give_up(ids[0], 2, at(91), "no connection").await.unwrap());
    assert_eq!(calls().await, failed(at(91), Some(at(3)), "no connection"));
    for n in 10..15 {
        let id = it.sent(user, n, Channel::Webhook(hook.id)).await.id();
        assert_eq!(claim(at(100)).await, id);
        it.queue.give_up(id, 1, at(100 + i64::from(n)), &format!("reason {n}")).await.unwrap();
    }
    assert_eq!(calls().await, failed(at(113), Some(at(3)), "reason 13"), "the one after the last was not called any more");
}

pub async fn a_test_takes_the_place_of_the_one_before_that_was_tried(it: NotificationsUnderTest) {
    let [user, other, _] = it.users;
    let hook = it.hooked(user, 1).await;
    let last = async |user| {
        let mut tx = it.store.begin().await.unwrap();
        let last = tx.reaches().last_test(user, hook.id).await.unwrap();
        tx.commit().await.unwrap();
        last
    };
    let test = async |n, now| {
        let notification = a_notification(user, n);
        let delivery =
            Delivery { notification: notification.id, user, channel: Channel::Webhook(hook.id), fired: None, due: now };
        let mut tx = it.store.begin().await.unwrap();
        tx.reaches().note_test(hook.id, notification.id, now).await.unwrap();
        tx.inbox().add(&notification).await.unwrap();
        tx.inbox().send(&delivery).await.unwrap();
        tx.commit().await.unwrap();
        delivery.id()
    };
    assert_eq!((last(user).await, last(other).await), (Some(LastTest::default()), None));
    let first = test(1, LATER).await;
    assert_eq!(last(user).await, Some(LastTest { at: Some(LATER), waits: true }));
    let usual = it.sent(user, 2, Channel::Webhook(hook.id)).await.id();
    let claim = async |now| {
        let claimed = it.queue.claim_for_webhooks(now, LEASE, 10, &[]).await.unwrap();
        claimed.into_iter().map(|one| (one.id, one.attempt)).collect::<Vec<_>>()
    };
    assert_eq!(claim(LATER).await, [(usual, 1)]);
    assert_eq!(claim(LATER).await, [(first, 1)]);
    assert_eq!(last(user).await, Some(LastTest { at: Some(LATER), waits: false }));
    for id in [usual, first] {
        assert!(it.queue.postpone(id, 1, LATER, LATER, "not now").await.unwrap());
    }
    let second = test(3, LATER + Duration::MINUTE).await;
    let mut left = Vec::new();
    while let [one] = claim(LATER + Duration::MINUTE).await[..] {
        left.push(one);
    }
    assert_eq!(left, [(second, 1), (usual, 2)], "the first test does not go any more");
    it.queue.sent(second, LATER + Duration::MINUTE).await.unwrap();
    assert!(!last(user).await.unwrap().waits);
}

pub async fn a_postponed_delivery_comes_again_and_one_that_was_too_slow_decides_nothing(it: NotificationsUnderTest) {
    let [user, ..] = it.users;
    let hook = it.hooked(user, 1).await;
    let id = it.sent(user, 1, Channel::Webhook(hook.id)).await.id();
    let claim = async |now| it.queue.claim_for_webhooks(now, LEASE, 10, &[]).await.unwrap();
    assert_eq!(claim(LATER).await[0].webhook, hook);
    let due = LATER + Duration::HOUR;
    assert!(it.queue.postpone(id, 1, LATER, due, "not now").await.unwrap());
    assert_eq!(claim(due - Duration::MICROSECOND).await, []);
    assert_eq!(claim(due).await[0].attempt, 2);
    assert!(!it.queue.postpone(id, 1, due, due, "slow").await.unwrap());
    assert!(!it.queue.give_up(id, 1, due, "slow").await.unwrap());
    assert!(it.queue.give_up(id, 2, due, "never").await.unwrap());
    assert_eq!(claim(due + Duration::DAY).await, []);
    assert_eq!(it.store.webhooks(user).await.unwrap()[0].failures, 1);
}

pub async fn a_webhook_that_takes_nothing_is_not_used_any_more_and_one_success_forgives_all(it: NotificationsUnderTest) {
    let [user, ..] = it.users;
    let hook = it.hooked(user, 1).await;
    let fails = async |n| {
        let id = it.sent(user, n, Channel::Webhook(hook.id)).await.id();
        let attempt = it.queue.claim_for_webhooks(LATER, LEASE, 10, &[]).await.unwrap()[0].attempt;
        assert!(it.queue.give_up(id, attempt, LATER, "never").await.unwrap());
        it.store.webhooks(user).await.unwrap().remove(0)
    };
    for n in 1..Webhook::MOST_FAILURES {
        let failed = fails(n).await;
        assert_eq!(failed, Webhook { failures: n, calls: failed.calls.clone(), ..hook.clone() });
    }
    let id = it.sent(user, 50, Channel::Webhook(hook.id)).await.id();
    it.queue.claim_for_webhooks(LATER, LEASE, 10, &[]).await.unwrap();
    it.queue.sent(id, LATER).await.unwrap();
    assert_eq!(it.store.webhooks(user).await.unwrap()[0].failures, 0);
    for n in 1..Webhook::MOST_FAILURES {
        assert_eq!(fails(60 + n).await.disabled_at, None);
    }
    let id = it.sent(user, 69, Channel::Webhook(hook.id)).await.id();
    let attempt = it.queue.claim_for_webhooks(LATER, LEASE, 10, &[]).await.unwrap()[0].attempt;
    assert!(it.queue.withdraw(id, attempt, LATER, "nobody is told").await.unwrap());
    assert!(!it.queue.withdraw(id, attempt, LATER, "nobody is told").await.unwrap(), "it does not wait any more");
    let kept = it.store.webhooks(user).await.unwrap().remove(0);
    assert_eq!((kept.failures, kept.disabled_at), (Webhook::MOST_FAILURES - 1, None), "it is no fault of the webhook");
    let disabled = fails(70).await;
    assert_eq!((disabled.failures, disabled.disabled_at), (Webhook::MOST_FAILURES, Some(LATER)));
    let mut tx = it.store.begin().await.unwrap();
    assert_eq!(tx.reaches().of(user).await.unwrap().webhooks, []);
}

pub async fn deliveries_are_counted_by_way_and_pruned_once_they_ended(it: NotificationsUnderTest) {
    let [user, ..] = it.users;
    let hook = it.hooked(user, 1).await;
    for n in 1..=4 {
        it.sent(user, n, Channel::Socket).await;
    }
    let id = it.sent(user, 5, Channel::Webhook(hook.id)).await.id();
    let claimed = it.queue.claim_for_sockets(LATER, LEASE, 3).await.unwrap();
    it.queue.sent(claimed[0].id, LATER).await.unwrap();
    assert!(it.queue.give_up(claimed[1].id, 1, LATER, "never").await.unwrap());
    let counts = it.queue.delivery_counts().await.unwrap();
    assert_eq!((counts.sockets.waiting, counts.sockets.dead), (2, 1));
    assert_eq!(counts.sockets.oldest, Some(a_notification(user, 4).created_at));
    assert_eq!((counts.webhooks.waiting, counts.webhooks.dead), (1, 0));
    assert_eq!(counts.webhooks.oldest, Some(a_notification(user, 5).created_at));
    let ended = |sent, dead| EndedBefore { sent, dead };
    let after = LATER + Duration::MICROSECOND;
    assert_eq!(it.queue.prune_deliveries(ended(LATER, LATER), 10).await.unwrap(), 0);
    assert_eq!(it.queue.prune_deliveries(ended(after, LATER), 10).await.unwrap(), 1);
    assert_eq!(it.queue.prune_deliveries(ended(after, after), 10).await.unwrap(), 1);
    it.remove(user, &a_notification(user, 5)).await;
    assert!(!it.queue.postpone(id, 0, LATER, LATER, "gone").await.unwrap(), "what is removed is not on its way");
    assert_eq!(it.queue.delivery_counts().await.unwrap().webhooks.waiting, 0);
}
