//! What is on its way: claimed by one at a time, tried again, given up, counted and removed.

use std::collections::BTreeSet;

use coinlink_domain::{
    market::Price,
    notifications::{Channel, Delivery, Webhook, alerts::AlertCondition},
};
use coinlink_ports::notifications::EndedBefore;
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

pub async fn of_each_host_one_is_claimed_and_of_busy_ones_none(it: NotificationsUnderTest) {
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
    let claim = async |limit, busy: &[&str]| {
        let busy: Vec<String> = busy.iter().map(|host| (*host).to_owned()).collect();
        let claimed = it.queue.claim_for_webhooks(LATER, LEASE, limit, &busy).await.unwrap();
        claimed.into_iter().map(|one| (one.webhook.host, one.notification.id)).collect::<Vec<_>>()
    };
    let (first, second) = (&*hooks[0].host, &*hooks[1].host);
    let id = |n| a_notification(user, n).id;
    assert_eq!(claim(10, &[first, second]).await, []);
    assert_eq!(claim(0, &[]).await, []);
    assert_eq!(claim(10, &[first]).await, [(second.to_owned(), id(1))]);
    let mut both = claim(10, &[]).await;
    both.sort();
    assert_eq!(both, [(first.to_owned(), id(1)), (second.to_owned(), id(2))]);
    assert_eq!(claim(1, &[second]).await, [(first.to_owned(), id(2))]);
    assert_eq!(claim(9, &[second]).await, [(first.to_owned(), id(3))]);
    assert_eq!(claim(9, &[second]).await, [(first.to_owned(), a_notification(other, 4).id)]);
}

pub async fn a_postponed_delivery_comes_again_and_one_that_was_too_slow_decides_nothing(it: NotificationsUnderTest) {
    let [user, ..] = it.users;
    let hook = it.hooked(user, 1).await;
    let id = it.sent(user, 1, Channel::Webhook(hook.id)).await.id();
    let claim = async |now| it.queue.claim_for_webhooks(now, LEASE, 10, &[]).await.unwrap();
    assert_eq!(claim(LATER).await[0].webhook, hook);
    let due = LATER + Duration::HOUR;
    assert!(it.queue.postpone(id, 1, due, "not now").await.unwrap());
    assert_eq!(claim(due - Duration::MICROSECOND).await, []);
    assert_eq!(claim(due).await[0].attempt, 2);
    assert!(!it.queue.postpone(id, 1, due, "slow").await.unwrap());
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
        assert_eq!(fails(n).await, Webhook { failures: n, ..hook.clone() });
    }
    let id = it.sent(user, 50, Channel::Webhook(hook.id)).await.id();
    it.queue.claim_for_webhooks(LATER, LEASE, 10, &[]).await.unwrap();
    it.queue.sent(id, LATER).await.unwrap();
    assert_eq!(it.store.webhooks(user).await.unwrap(), std::slice::from_ref(&hook));
    for n in 1..Webhook::MOST_FAILURES {
        assert_eq!(fails(60 + n).await.disabled_at, None);
    }
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
    assert!(!it.queue.postpone(id, 0, LATER, "gone").await.unwrap(), "what is removed is not on its way");
    assert_eq!(it.queue.delivery_counts().await.unwrap().webhooks.waiting, 0);
}
