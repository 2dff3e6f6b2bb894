//! What every [`LiveEvents`] must do.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::sync::Arc;

use coinlink_domain::{
    market::{Percent, Price, Source, Symbol, TickId},
    notifications::{
        NotificationId,
        alerts::{AlertCondition, AlertRuleId, FiredAlert},
    },
    shared::user_id::UserId,
};
use coinlink_ports::notifications::{LiveEvent, LiveEvents, LiveListener};
use rust_decimal::Decimal;
use time::{Duration, macros::datetime};
use uuid::Uuid;

use super::a_notification;

const SOON: Duration = Duration::seconds(2);
const NOT_LONG: Duration = Duration::milliseconds(50);
const USER: UserId = UserId(Uuid::from_u128(7));

/// A firing with as many digits as there are.
pub fn a_firing(condition: AlertCondition) -> FiredAlert {
    let price = Price::try_new("0.1234567890123456789012345678".parse().unwrap()).unwrap();
    FiredAlert {
        rule: AlertRuleId(Uuid::from_u128(8)),
        user: USER,
        notification: NotificationId(Uuid::from_u128(9)),
        symbol: Symbol::btc(),
        condition,
        price,
        moved_from: matches!(condition, AlertCondition::PercentMove { .. }).then_some(price),
        source: Some(Source::Simulated),
        tick: TickId { epoch: 3, seq: 4 },
        at: datetime!(2026-11-21 12:00:00.000001 UTC),
    }
}

fn conditions() -> [AlertCondition; 5] {
    let price = Price::try_new(Decimal::new(65_000_001, 3)).unwrap();
    [
        AlertCondition::Above(price),
        AlertCondition::Below(price),
        AlertCondition::CrossesAbove(price),
        AlertCondition::CrossesBelow(price),
        AlertCondition::PercentMove { by: Percent::new(Decimal::new(-25, 1)), within: Duration::HOUR },
    ]
}

async fn heard(listener: &mut dyn LiveListener) -> (UserId, LiveEvent) {
    let (user, event) = listener.next(SOON).await.unwrap().expect("an event within two seconds");
    (user, (*event).clone())
}

pub async fn events_of_every_kind_arrive_as_they_were_told(events: Arc<dyn LiveEvents>) {
    let mut listener = events.subscribe().await.unwrap();
    let fired = conditions().map(|condition| LiveEvent::AlertFired(a_firing(condition)));
    for event in fired.into_iter().chain([LiveEvent::Notice(a_notification(USER, 1))]) {
        events.publish(USER, &event).await.unwrap();
        assert_eq!(heard(&mut *listener).await, (USER, event));
    }
}

pub async fn every_listener_hears_each_event_in_order_and_whose_it_is(events: Arc<dyn LiveEvents>) {
    let mut listeners = [events.subscribe().await.unwrap(), events.subscribe().await.unwrap()];
    for n in 1..=20 {
        let user = UserId(Uuid::from_u128(n.into()));
        let event = LiveEvent::Notice(a_notification(user, n));
        events.publish(user, &event).await.unwrap();
        for listener in &mut listeners {
            assert_eq!(heard(&mut **listener).await, (user, event.clone()));
        }
    }
}

pub async fn nobody_is_told_of_what_came_before(events: Arc<dyn LiveEvents>) {
    events.publish(USER, &LiveEvent::Notice(a_notification(USER, 1))).await.unwrap();
    let mut listener = events.subscribe().await.unwrap();
    assert_eq!(listener.next(NOT_LONG).await.unwrap(), None);
}

pub async fn a_wait_that_is_given_up_loses_no_event(events: Arc<dyn LiveEvents>) {
    let mut listener = events.subscribe().await.unwrap();
    for n in 1..=20 {
        let given_up = tokio::time::timeout(std::time::Duration::from_micros(50), listener.next(SOON)).await;
        assert!(given_up.is_err(), "nothing was published");
        let event = LiveEvent::Notice(a_notification(USER, n));
        events.publish(USER, &event).await.unwrap();
        assert_eq!(heard(&mut *listener).await, (USER, event));
    }
}

pub async fn a_listener_that_slept_through_many_events_goes_on_with_the_newest(events: Arc<dyn LiveEvents>) {
    let mut listener = events.subscribe().await.unwrap();
    for n in 1..=3_000 {
        events.publish(USER, &LiveEvent::Notice(a_notification(USER, n))).await.unwrap();
    }
    loop {
        let LiveEvent::Notice(newest) = heard(&mut *listener).await.1 else { continue };
        if newest == a_notification(USER, 3_000) {
            break;
        }
    }
    let event = LiveEvent::Notice(a_notification(USER, 3_001));
    events.publish(USER, &event).await.unwrap();
    assert_eq!(heard(&mut *listener).await, (USER, event));
}

/// Runs the suite on `$events`, an expression of type `Arc<dyn LiveEvents>` that is evaluated anew for each case.
#[macro_export]
macro_rules! live_events_contract {
    ($($case:ident),+ $(,)? => $events:expr) => {
        $(#[tokio::test]
        async fn $case() {
            $crate::notifications::live_events_contract::$case($events).await;
        })+
    };
    ($events:expr) => {
        $crate::live_events_contract!(
            events_of_every_kind_arrive_as_they_were_told,
            every_listener_hears_each_event_in_order_and_whose_it_is,
            nobody_is_told_of_what_came_before,
            a_wait_that_is_given_up_loses_no_event,
            a_listener_that_slept_through_many_events_goes_on_with_the_newest,
            => $events
        );
    };
}
