//! What every [`AlertRules`](coinlink_ports::notifications::AlertRules) and [`AlertReads`] must do. Run by the fake and by the SQL
//! store on each database.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::{any::Any, sync::Arc};

use coinlink_domain::{
    market::{Percent, Price, Source, Symbol, TickId},
    notifications::{
        NotificationId,
        alerts::{AlertChange, AlertCondition, AlertRule, AlertRuleId, Arming, FiredAlert},
    },
    shared::user_id::UserId,
};
use coinlink_ports::notifications::{AlertCounts, AlertNews, AlertReads, AlertsBefore, NotificationsStore};
use futures_util::future::join_all;
use rust_decimal::Decimal;
use time::{Duration, OffsetDateTime, macros::datetime};
use uuid::Uuid;

const NOON: OffsetDateTime = datetime!(2026-11-21 12:00:00.000001 UTC);

/// An empty store, and two users that it may name.
#[derive(Clone)]
pub struct AlertsUnderTest {
    /// The store.
    pub store: Arc<dyn NotificationsStore>,
    /// The same, where rules are read.
    pub reads: Arc<dyn AlertReads>,
    /// The users.
    pub users: [UserId; 2],
    /// What has to stay as long as the store is used.
    pub place: Arc<dyn Any + Send + Sync>,
}

fn usd(text: &str) -> Price {
    Price::try_new(text.parse().unwrap()).unwrap()
}

/// Rule number `n`, made `n` seconds after noon.
fn a_rule(user: UserId, n: u32) -> AlertRule {
    let condition = if n.is_multiple_of(2) {
        AlertCondition::CrossesAbove(usd("101000.000000000000000001"))
    } else {
        AlertCondition::PercentMove { by: Percent::new(Decimal::new(25, 1)), within: Duration::minutes(90) }
    };
    let id = AlertRuleId(Uuid::from_u128(u128::from(n) + 1));
    AlertRule::new((id, user), Symbol::btc(), condition, NOON + Duration::seconds(n.into()), None)
}

const fn tick(epoch: u64, seq: u64) -> TickId {
    TickId { epoch, seq }
}

/// The firing of a rule by a tick, a minute after noon and its number in seconds.
fn a_firing_of(rule: &AlertRule, tick: TickId, n: u128) -> (AlertRule, FiredAlert) {
    let at = NOON + Duration::MINUTE + Duration::seconds(i64::try_from(n).unwrap());
    let fired = FiredAlert {
        rule: rule.id,
        user: rule.user,
        notification: NotificationId(Uuid::from_u128(1_000 + n)),
        symbol: rule.symbol.clone(),
        condition: rule.condition,
        price: usd("0.00000000007821066970851871"),
        moved_from: rule.condition.price().is_none().then(|| usd("0.5")),
        source: Some(Source::CoinbaseLive).filter(|_| n % 2 == 1),
        tick,
        at,
    };
    (rule.fired(tick, at), fired)
}

impl AlertsUnderTest {
    async fn added(&self, rule: AlertRule) -> AlertRule {
        let mut tx = self.store.begin().await.unwrap();
        tx.alerts().add(&rule, rule.created_at).await.unwrap();
        tx.commit().await.unwrap();
        rule
    }

    async fn saved(&self, rule: &AlertRule, at: OffsetDateTime) -> bool {
        let mut tx = self.store.begin().await.unwrap();
        let saved = tx.alerts().save(rule, at).await.unwrap();
        tx.commit().await.unwrap();
        saved
    }

    async fn deleted(&self, user: UserId, id: AlertRuleId, at: OffsetDateTime) -> bool {
        let mut tx = self.store.begin().await.unwrap();
        let deleted = tx.alerts().delete(user, id, at).await.unwrap();
        tx.commit().await.unwrap();
        deleted
    }

    async fn fires(&self, firing: &(AlertRule, FiredAlert)) -> bool {
        let mut tx = self.store.begin().await.unwrap();
        let fired = tx.alerts().fire(&firing.0, &firing.1).await.unwrap();
        tx.commit().await.unwrap();
        fired
    }
}

pub async fn a_rule_is_found_as_it_was_added_by_its_owner(it: AlertsUnderTest) {
    let [one, other] = it.users;
    let rules = [it.added(a_rule(one, 0)).await, it.added(a_rule(one, 1)).await];
    let newest_first = vec![rules[1].clone(), rules[0].clone()];
    assert_eq!(it.reads.rules_of(one, false).await.unwrap(), newest_first);
    assert_eq!(it.reads.rules_of(other, false).await.unwrap(), []);
    let mut tx = it.store.begin().await.unwrap();
    assert_eq!(tx.alerts().lock(one, rules[0].id).await.unwrap().as_ref(), Some(&rules[0]));
    assert_eq!(tx.alerts().lock(other, rules[0].id).await.unwrap(), None);
}

pub async fn a_change_is_stored_where_nothing_else_changed_the_rule(it: AlertsUnderTest) {
    let [one, _] = it.users;
    let rule = it.added(a_rule(one, 0)).await;
    let off = rule.changed(AlertChange { is_active: Some(false), condition: None }, NOON, None);
    assert!(it.saved(&off, NOON).await);
    assert!(!it.saved(&off, NOON).await, "made from a revision that is over");
    assert_eq!(it.reads.rules_of(one, false).await.unwrap(), [off]);
    assert_eq!(it.reads.rules_of(one, true).await.unwrap(), []);
    let mut tx = it.store.begin().await.unwrap();
    assert_eq!(tx.alerts().active_of(one, &Symbol::btc()).await.unwrap(), []);
    assert_eq!(tx.alerts().count(one).await.unwrap(), Some(AlertCounts { active: 0, kept: 1 }));
}

pub async fn a_rule_is_deleted_once_and_by_its_owner(it: AlertsUnderTest) {
    let [one, other] = it.users;
    let rule = it.added(a_rule(one, 0)).await;
    let active = async |user, symbol: &str| {
        let symbol = Symbol::try_new(symbol).unwrap();
        it.store.begin().await.unwrap().alerts().active_of(user, &symbol).await.unwrap()
    };
    assert_eq!(active(one, "BTC").await, std::slice::from_ref(&rule));
    assert_eq!((active(one, "ETH").await, active(other, "BTC").await), (vec![], vec![]));
    assert!(!it.deleted(other, rule.id, NOON).await);
    assert!(it.deleted(one, rule.id, NOON).await);
    assert!(!it.deleted(one, rule.id, NOON).await);
    assert_eq!(it.reads.rules_of(one, false).await.unwrap(), []);
    assert!(!it.saved(&rule.changed(AlertChange::default(), NOON, None), NOON).await);
    assert!(!it.fires(&a_firing_of(&rule, tick(1, 1), 0)).await);
}

pub async fn however_often_a_firing_is_stored_a_rule_fires_once(it: AlertsUnderTest) {
    let [one, other] = it.users;
    let rule = it.added(a_rule(one, 1)).await;
    let firings: Vec<_> = (0..8).map(|n| a_firing_of(&rule, tick(2, 5), n)).collect();
    let attempts = firings.iter().map(|firing| {
        let (it, firing) = (it.clone(), firing.clone());
        tokio::spawn(async move { it.fires(&firing).await })
    });
    let did: Vec<bool> = join_all(attempts).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(did.iter().filter(|did| **did).count(), 1);
    let at = did.iter().position(|did| *did).unwrap();
    assert_eq!(it.reads.fired(one, 10).await.unwrap(), [firings[at].1.clone()]);
    let stored = it.reads.rules_of(one, false).await.unwrap().remove(0);
    assert_eq!((stored.arming, stored.trigger_count, stored.last_tick), (Arming::Spent, 1, Some(tick(2, 5))));
    assert!(!it.fires(&a_firing_of(&stored, tick(2, 5), 20)).await, "the same tick");
    assert!(!it.fires(&a_firing_of(&stored, tick(1, 9), 21)).await, "an older leader's");
    assert!(it.fires(&a_firing_of(&stored, tick(2, 6), 22)).await);
    let history = it.reads.fired(one, 1).await.unwrap();
    assert_eq!(
        history.iter().map(|fired| fired.tick).collect::<Vec<_>>(),
        [tick(2, 6)],
        "the newest first, as many as asked for"
    );
    assert_eq!(it.reads.fired(other, 10).await.unwrap(), []);
}

pub async fn a_firing_that_is_rolled_back_never_was(it: AlertsUnderTest) {
    let [one, _] = it.users;
    let rule = it.added(a_rule(one, 0)).await;
    let (after, fired) = a_firing_of(&rule, tick(1, 1), 0);
    let mut tx = it.store.begin().await.unwrap();
    assert!(tx.alerts().fire(&after, &fired).await.unwrap());
    drop(tx);
    assert_eq!(it.reads.fired(one, 10).await.unwrap(), []);
    assert!(it.fires(&(after, fired)).await);
}

pub async fn a_rule_that_was_switched_off_does_not_fire_and_is_not_armed(it: AlertsUnderTest) {
    let [one, _] = it.users;
    let (rule, other) = (it.added(a_rule(one, 0)).await, it.added(a_rule(one, 2)).await);
    assert!(it.saved(&rule.changed(AlertChange { is_active: Some(false), condition: None }, NOON, None), NOON).await);
    let off = it.reads.rules_of(one, false).await.unwrap().pop().unwrap();
    assert!(!it.fires(&a_firing_of(&off, tick(1, 1), 0)).await);
    let mut tx = it.store.begin().await.unwrap();
    assert_eq!(tx.alerts().arm(&[off.armed(), other.armed()]).await.unwrap(), 1);
    assert_eq!(tx.alerts().arm(&[other.armed()]).await.unwrap(), 0, "made from a revision that is over");
    tx.commit().await.unwrap();
    assert_eq!(it.reads.rules(&[other.id]).await.unwrap(), [Ok(other.armed())]);
}

pub async fn ticks_are_evaluated_in_their_order(it: AlertsUnderTest) {
    assert_eq!(it.reads.last_evaluated().await.unwrap(), None);
    for (noted, is_newer) in
        [(tick(1, 2), true), (tick(1, 2), false), (tick(1, 1), false), (tick(2, 1), true), (tick(1, 9), false)]
    {
        let mut tx = it.store.begin().await.unwrap();
        assert_eq!(tx.alerts().note_evaluated(noted).await.unwrap(), is_newer, "{noted:?}");
        tx.commit().await.unwrap();
    }
    let mut tx = it.store.begin().await.unwrap();
    assert_eq!(tx.alerts().evaluated().await.unwrap(), Some(tick(2, 1)));
    drop(tx);
    assert_eq!(it.reads.last_evaluated().await.unwrap(), Some(tick(2, 1)));
}

pub async fn what_an_evaluator_noted_who_is_gone_is_replaced_by_what_is_older(it: AlertsUnderTest) {
    let [one, _] = it.users;
    let rule = it.added(a_rule(one, 0)).await;
    assert!(it.fires(&a_firing_of(&rule, tick(9, 4), 0)).await);
    let mut tx = it.store.begin().await.unwrap();
    assert!(tx.alerts().note_evaluated(tick(9, 4)).await.unwrap());
    tx.commit().await.unwrap();
    let rule = it.reads.rules_of(one, true).await.unwrap().remove(0);
    assert!(!it.fires(&a_firing_of(&rule, tick(3, 8), 1)).await);
    for (from, did) in [(tick(9, 3), false), (tick(8, 4), false), (tick(9, 4), true), (tick(9, 4), false)] {
        let mut tx = it.store.begin().await.unwrap();
        assert_eq!(tx.alerts().hand_over(from, tick(3, 7)).await.unwrap(), did, "{from:?}");
        tx.commit().await.unwrap();
    }
    assert_eq!(it.reads.last_evaluated().await.unwrap(), Some(tick(3, 7)));
    assert!(!it.fires(&a_firing_of(&rule, tick(3, 7), 2)).await);
    assert!(it.fires(&a_firing_of(&rule, tick(3, 8), 3)).await);
}

pub async fn active_rules_are_read_in_pages_and_what_changed_since(it: AlertsUnderTest) {
    let [one, other] = it.users;
    for n in 0..5 {
        it.added(a_rule(if n % 2 == 0 { one } else { other }, n)).await;
    }
    let off = a_rule(one, 4).changed(AlertChange { is_active: Some(false), condition: None }, NOON, None);
    assert!(it.saved(&off, NOON + Duration::HOUR).await);
    assert!(it.deleted(other, a_rule(other, 3).id, NOON + Duration::HOUR).await);
    let first = it.reads.active_rules(None, 2).await.unwrap();
    let rest = it.reads.active_rules(first.last().map(|rule| rule.as_ref().unwrap().id), 2).await.unwrap();
    let ids: Vec<_> = first.iter().chain(&rest).map(|rule| rule.as_ref().unwrap().id.0.as_u128()).collect();
    assert_eq!(ids, [1, 2, 3]);
    let news = it.reads.news(NOON + Duration::HOUR, None, 10).await.unwrap();
    assert_eq!(news.len(), 2);
    assert!(news.contains(&AlertNews::Changed(off)) && news.contains(&AlertNews::Deleted(a_rule(other, 3).id)));
    let mut paged = it.reads.news(NOON, None, 3).await.unwrap();
    paged.extend(it.reads.news(NOON, paged.last().map(AlertNews::id), 3).await.unwrap());
    assert_eq!(paged.iter().map(|news| news.id().0.as_u128()).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
}

pub async fn however_many_make_rules_at_once_no_account_has_too_many(it: AlertsUnderTest) {
    let [one, _] = it.users;
    let attempts = (0..12).map(|n| {
        let it = it.clone();
        tokio::spawn(async move {
            let mut tx = it.store.begin().await.unwrap();
            if tx.alerts().count(one).await.unwrap().unwrap().active >= 5 {
                return;
            }
            tx.alerts().add(&a_rule(one, n), NOON).await.unwrap();
            tx.commit().await.unwrap();
        })
    });
    join_all(attempts).await.into_iter().for_each(Result::unwrap);
    assert_eq!(it.reads.rules_of(one, true).await.unwrap().len(), 5);
}

pub async fn firings_of_long_ago_and_deleted_rules_are_forgotten(it: AlertsUnderTest) {
    let [one, _] = it.users;
    let (rule, other) = (it.added(a_rule(one, 0)).await, it.added(a_rule(one, 2)).await);
    assert!(it.fires(&a_firing_of(&rule, tick(1, 1), 0)).await && it.fires(&a_firing_of(&other, tick(1, 1), 60)).await);
    assert!(it.deleted(one, rule.id, NOON).await);
    let before = AlertsBefore { fired: NOON + Duration::minutes(2), deleted: NOON };
    assert_eq!(it.reads.prune_alerts(before, 100).await.unwrap(), 1);
    assert_eq!(it.reads.prune_alerts(AlertsBefore { deleted: NOON + Duration::SECOND, ..before }, 100).await.unwrap(), 1);
    assert_eq!(it.reads.fired(one, 10).await.unwrap().len(), 1);
    let left: Vec<_> = it.reads.news(NOON, None, 10).await.unwrap();
    assert_eq!(left.len(), 1, "{left:?}");
}

/// Runs the suite on `$it`, an expression of type [`AlertsUnderTest`] that is evaluated anew for each case.
#[macro_export]
macro_rules! alert_rules_contract {
    ($($case:ident),+ $(,)? => $it:expr) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $case() {
            $crate::notifications::alert_rules_contract::$case($it).await;
        })+
    };
    ($it:expr) => {
        $crate::alert_rules_contract!(
            a_rule_is_found_as_it_was_added_by_its_owner,
            a_change_is_stored_where_nothing_else_changed_the_rule,
            a_rule_is_deleted_once_and_by_its_owner,
            however_often_a_firing_is_stored_a_rule_fires_once,
            a_firing_that_is_rolled_back_never_was,
            a_rule_that_was_switched_off_does_not_fire_and_is_not_armed,
            ticks_are_evaluated_in_their_order,
            what_an_evaluator_noted_who_is_gone_is_replaced_by_what_is_older,
            active_rules_are_read_in_pages_and_what_changed_since,
            however_many_make_rules_at_once_no_account_has_too_many,
            firings_of_long_ago_and_deleted_rules_are_forgotten,
            => $it
        );
    };
}
