//! What every [`MonitorAlerts`] must do. Run by the fake and by the SQL store on each database.
#![expect(clippy::unwrap_used, reason = "a contract suite is test code")]

use std::any::Any;

use async_trait::async_trait;
use coinlink_domain::{
    operations::monitoring::{Acknowledgement, Alert, Anomaly, Cause, Ended, Resolution, Severity, Value},
    shared::{audit::AuditEntry, user_id::UserId},
};
use coinlink_ports::{
    operations::{AlertFilter, AlertPlace, MonitorAlerts},
    shared::StoreError,
};
use time::{Duration, OffsetDateTime, macros::datetime};
use uuid::Uuid;

use super::MemoryMonitorAlerts;

/// When the first of [`a_monitor_alert`] began, less a minute.
pub const BEGAN: OffsetDateTime = datetime!(2026-11-24 12:00:00.000001 UTC);

/// Alerts, with a look at what was written of acknowledgements.
#[async_trait]
pub trait MonitoredAlerts: Send + Sync {
    /// The alerts; none at first.
    fn alerts(&self) -> &dyn MonitorAlerts;

    /// Ids of the audit entries.
    async fn written(&self) -> Vec<Uuid>;
}

#[async_trait]
impl MonitoredAlerts for MemoryMonitorAlerts {
    fn alerts(&self) -> &dyn MonitorAlerts {
        self
    }

    async fn written(&self) -> Vec<Uuid> {
        self.entries().iter().map(|entry| entry.id).collect()
    }
}

/// Some alerts, and what they need as long as the test runs.
pub struct Monitored<S> {
    /// The alerts.
    pub store: S,
    /// What must not go before.
    pub place: Box<dyn Any + Send + Sync>,
}

/// Alert number `n`, of a node and a metric; it began `n` minutes after [`BEGAN`].
pub fn a_monitor_alert(n: u32, node: &str, metric: &str) -> Alert {
    let at = BEGAN + Duration::minutes(n.into());
    Alert {
        id: Uuid::from_u128(u128::from(n) << 64 | 7),
        node: node.to_owned(),
        metric: metric.to_owned(),
        severity: Severity::Warning,
        cause: Cause::Limit,
        value: Value::try_new(71.300_000_000_000_01).unwrap(),
        opened_at: at,
        changed_at: at,
        seen_at: at,
        acknowledged: None,
        ended: None,
    }
}

fn ended(alert: Alert, at: OffsetDateTime) -> Alert {
    Alert { ended: Some(Ended { at, why: Resolution::Recovered }), seen_at: at, ..alert }
}

fn later(minutes: i64) -> OffsetDateTime {
    BEGAN + Duration::minutes(minutes)
}

fn an_entry(n: u32) -> AuditEntry {
    AuditEntry::new(Uuid::from_u128(0xa0 + u128::from(n)), BEGAN, "admin.alert_acknowledge", "monitor_alert")
}

fn given(by: u128, minutes: i64) -> Acknowledgement {
    Acknowledgement { by: UserId(Uuid::from_u128(by)), at: later(minutes), severity: Severity::Info }
}

async fn keep(alerts: &dyn MonitorAlerts, all: &[Alert]) {
    for alert in all {
        assert!(alerts.keep(alert).await.unwrap());
    }
}

pub async fn an_alert_comes_back_as_it_was_and_changes_until_it_ends(it: Monitored<impl MonitoredAlerts>) {
    let alerts = it.store.alerts();
    assert_eq!(alerts.open(None).await.unwrap(), []);
    let first = a_monitor_alert(1, "a:1", "cpu");
    keep(alerts, std::slice::from_ref(&first)).await;
    assert_eq!(alerts.open(None).await.unwrap(), std::slice::from_ref(&first));
    let worse = Alert {
        severity: Severity::Critical,
        cause: Cause::Anomaly(Anomaly::Jump),
        value: Value::try_new(-1.5e-9).unwrap(),
        changed_at: later(2),
        seen_at: later(3),
        ..first
    };
    keep(alerts, std::slice::from_ref(&worse)).await;
    assert_eq!(alerts.open(None).await.unwrap(), std::slice::from_ref(&worse));
    let over = ended(worse, later(4));
    keep(alerts, std::slice::from_ref(&over)).await;
    assert_eq!(alerts.open(None).await.unwrap(), []);
    let all = AlertFilter::default();
    assert_eq!(alerts.page(&all, None, 10).await.unwrap(), std::slice::from_ref(&over));
    let again = Alert { ended: None, seen_at: later(5), ..over.clone() };
    assert!(!alerts.keep(&again).await.unwrap(), "what is over stays so");
    assert_eq!(alerts.page(&all, None, 10).await.unwrap(), [over]);
}

pub async fn of_a_metric_of_a_node_there_is_one_open_alert(it: Monitored<impl MonitoredAlerts>) {
    let alerts = it.store.alerts();
    keep(alerts, &[a_monitor_alert(1, "a:1", "cpu"), a_monitor_alert(2, "b:1", "cpu"), a_monitor_alert(3, "a:1", "disk")]).await;
    let second = a_monitor_alert(4, "a:1", "cpu");
    assert!(matches!(alerts.keep(&second).await, Err(StoreError::Conflict { .. })));
    keep(alerts, &[ended(a_monitor_alert(5, "a:1", "cpu"), later(6))]).await;
    assert_eq!(alerts.open(Some("a:1")).await.unwrap().len(), 2, "one that began and ended unseen is in nobody's way");
    keep(alerts, &[ended(a_monitor_alert(1, "a:1", "cpu"), later(7)), second.clone()]).await;
    assert_eq!(alerts.open(Some("a:1")).await.unwrap(), [second, a_monitor_alert(3, "a:1", "disk")]);
    assert_eq!(alerts.open(Some("c:1")).await.unwrap(), []);
}

pub async fn an_acknowledgement_is_written_down_once_and_outlives_what_the_node_keeps(it: Monitored<impl MonitoredAlerts>) {
    let alerts = it.store.alerts();
    let first = a_monitor_alert(1, "a:1", "cpu");
    keep(alerts, std::slice::from_ref(&first)).await;
    assert_eq!(alerts.acknowledge(Uuid::nil(), &given(1, 2), &an_entry(1)).await.unwrap(), None);
    assert!(it.store.written().await.is_empty());
    let (one, changed) = alerts.acknowledge(first.id, &given(1, 2), &an_entry(2)).await.unwrap().unwrap();
    let as_bad = Acknowledgement { severity: Severity::Warning, ..given(1, 2) };
    assert_eq!((one.acknowledged, changed), (Some(as_bad), true));
    let (same, changed) = alerts.acknowledge(first.id, &given(2, 3), &an_entry(3)).await.unwrap().unwrap();
    assert_eq!((same.acknowledged, changed), (Some(as_bad), false), "the first one stands");
    assert_eq!(it.store.written().await, [an_entry(2).id]);

    let worse = Alert { severity: Severity::Error, ..first };
    keep(alerts, std::slice::from_ref(&worse)).await;
    let open = alerts.open(None).await.unwrap();
    assert_eq!((open[0].acknowledged, open[0].is_acknowledged()), (Some(as_bad), false), "not as bad as it is now");
    let (again, changed) = alerts.acknowledge(worse.id, &given(2, 4), &an_entry(4)).await.unwrap().unwrap();
    assert!(changed && again.is_acknowledged());
    keep(alerts, &[ended(worse.clone(), later(5))]).await;
    let (over, changed) = alerts.acknowledge(worse.id, &given(3, 6), &an_entry(5)).await.unwrap().unwrap();
    assert!(!changed && over.ended.is_some());
    assert_eq!(over.acknowledged.unwrap().by, UserId(Uuid::from_u128(2)));
    assert_eq!(it.store.written().await, [an_entry(2).id, an_entry(4).id]);
}

pub async fn an_entry_that_cannot_be_written_leaves_nothing_acknowledged(it: Monitored<impl MonitoredAlerts>) {
    let alerts = it.store.alerts();
    let (first, second) = (a_monitor_alert(1, "a:1", "cpu"), a_monitor_alert(2, "a:1", "disk"));
    keep(alerts, &[first.clone(), second.clone()]).await;
    alerts.acknowledge(first.id, &given(1, 2), &an_entry(1)).await.unwrap();
    // The id is taken.
    assert!(alerts.acknowledge(second.id, &given(1, 3), &an_entry(1)).await.is_err());
    let open = alerts.open(None).await.unwrap();
    assert_eq!(open.iter().map(|alert| alert.acknowledged.is_some()).collect::<Vec<_>>(), [false, true]);
}

pub async fn pages_come_to_the_whole_as_filters_want_it(it: Monitored<impl MonitoredAlerts>) {
    let alerts = it.store.alerts();
    let mut all: Vec<_> = (1..=7).map(|n| a_monitor_alert(n, if n % 2 == 0 { "a:1" } else { "b:1" }, &format!("m{n}"))).collect();
    // Two that began in the same moment.
    all[3].opened_at = all[4].opened_at;
    all[5].severity = Severity::Critical;
    all[6] = ended(all[6].clone(), later(9));
    keep(alerts, &all).await;
    all.sort_by_key(|alert| std::cmp::Reverse(AlertPlace::of(alert)));
    let anything = AlertFilter::default();
    let (mut seen, mut before) = (Vec::new(), None);
    loop {
        let page = alerts.page(&anything, before, 2).await.unwrap();
        let Some(last) = page.last() else { break };
        before = Some(AlertPlace::of(last));
        seen.extend(page);
    }
    assert_eq!(seen, all);
    for filter in [
        AlertFilter { open: Some(true), ..AlertFilter::default() },
        AlertFilter { open: Some(false), ..AlertFilter::default() },
        AlertFilter { severity: Some(Severity::Critical), ..AlertFilter::default() },
        AlertFilter { node: Some("a:1".to_owned()), open: Some(true), ..AlertFilter::default() },
        AlertFilter { metric: Some("m3".to_owned()), ..AlertFilter::default() },
        AlertFilter { metric: Some("m3".to_owned()), severity: Some(Severity::Info), ..AlertFilter::default() },
    ] {
        let wanted: Vec<_> = all.iter().filter(|alert| filter.admits(alert)).cloned().collect();
        assert_eq!(alerts.page(&filter, None, 100).await.unwrap(), wanted, "{filter:?}");
    }
}

pub async fn what_is_open_of_a_node_that_is_gone_ends_and_nothing_else(it: Monitored<impl MonitoredAlerts>) {
    let alerts = it.store.alerts();
    let gone = a_monitor_alert(1, "a:1", "cpu");
    let there = Alert { seen_at: later(30), ..a_monitor_alert(2, "b:1", "cpu") };
    let over = ended(a_monitor_alert(3, "a:1", "disk"), later(4));
    keep(alerts, &[gone.clone(), there.clone(), over.clone()]).await;
    assert_eq!(alerts.end_unseen(gone.seen_at, later(40)).await.unwrap(), 0, "it was seen then");
    assert_eq!(alerts.end_unseen(later(29), later(40)).await.unwrap(), 1);
    assert_eq!(alerts.end_unseen(later(29), later(41)).await.unwrap(), 0);
    let end = Ended { at: later(40), why: Resolution::NodeGone };
    let all = alerts.page(&AlertFilter::default(), None, 10).await.unwrap();
    assert_eq!(all, [over, there, Alert { ended: Some(end), ..gone.clone() }]);
    assert!(!alerts.keep(&Alert { seen_at: later(42), ..gone }).await.unwrap(), "its node hears of it when it is back");
}

pub async fn of_what_ended_the_last_stay_and_what_is_open_stays_too(it: Monitored<impl MonitoredAlerts>) {
    let alerts = it.store.alerts();
    let open = a_monitor_alert(20, "a:1", "cpu");
    keep(alerts, std::slice::from_ref(&open)).await;
    for n in 1..=6 {
        // Those that began first end last.
        keep(alerts, &[ended(a_monitor_alert(n, "a:1", "cpu"), later(60 - i64::from(n)))]).await;
    }
    assert_eq!(alerts.prune(6, 10).await.unwrap(), 0);
    assert_eq!(alerts.prune(3, 2).await.unwrap(), 2);
    assert_eq!(alerts.prune(3, 2).await.unwrap(), 1);
    assert_eq!(alerts.prune(3, 2).await.unwrap(), 0);
    let left = alerts.page(&AlertFilter::default(), None, 10).await.unwrap();
    let ids: Vec<_> = left.iter().map(|alert| alert.id).collect();
    let number = |n| a_monitor_alert(n, "a:1", "cpu").id;
    assert_eq!(ids, [open.id, number(3), number(2), number(1)]);
}

#[macro_export]
macro_rules! monitor_alerts_contract {
    ($($case:ident),+ $(,)? => $it:expr) => {
        $(#[tokio::test]
        async fn $case() {
            $crate::operations::monitor_alerts_contract::$case($it).await;
        })+
    };
    ($it:expr) => {
        $crate::monitor_alerts_contract!(
            an_alert_comes_back_as_it_was_and_changes_until_it_ends,
            of_a_metric_of_a_node_there_is_one_open_alert,
            an_acknowledgement_is_written_down_once_and_outlives_what_the_node_keeps,
            an_entry_that_cannot_be_written_leaves_nothing_acknowledged,
            pages_come_to_the_whole_as_filters_want_it,
            what_is_open_of_a_node_that_is_gone_ends_and_nothing_else,
            of_what_ended_the_last_stay_and_what_is_open_stays_too,
            => $it
        );
    };
}
