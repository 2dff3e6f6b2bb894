use std::collections::BTreeMap;

use time::OffsetDateTime;
use uuid::Uuid;

use super::{Alert, Cause, Observed, Severity, Value, alert::Calm};

/// One node's alerts. It goes on while they cannot be stored, and tells what is to be stored once they can.
#[derive(Debug)]
pub struct AlertBook {
    node: String,
    open: BTreeMap<String, Kept>,
    ended: Vec<Alert>,
}

#[derive(Debug)]
struct Kept {
    alert: Alert,
    calm: Calm,
    is_stored: bool,
}

impl AlertBook {
    /// Ended alerts that wait to be stored; beyond that the oldest are lost.
    const ENDED: usize = 500;

    /// Of the node with this name, which no other has at the same time.
    #[must_use]
    pub const fn new(node: String) -> Self {
        Self { node, open: BTreeMap::new(), ended: Vec::new() }
    }

    /// The node.
    #[must_use]
    pub fn node(&self) -> &str {
        &self.node
    }

    /// Its open alerts.
    pub fn open(&self) -> impl Iterator<Item = &Alert> {
        self.open.values().map(|kept| &kept.alert)
    }

    /// How bad this metric is at the moment.
    #[must_use]
    pub fn held(&self, metric: &str) -> Option<Severity> {
        self.open.get(metric).map(|kept| kept.alert.severity)
    }

    /// Takes over what is stored of this node as open: who acknowledged it, what an earlier run of this node left open, and, by
    /// what is missing, what others ended.
    pub fn adopt(&mut self, stored: Vec<Alert>) {
        self.open.retain(|_, kept| !kept.is_stored || stored.iter().any(|alert| alert.id == kept.alert.id));
        for alert in stored {
            if self.ended.iter().any(|ended| ended.id == alert.id) {
                continue;
            }
            match self.open.get_mut(&alert.metric) {
                Some(kept) if kept.alert.id == alert.id => kept.alert.acknowledged = alert.acknowledged,
                // The same alert, which this run did not know of yet.
                Some(kept) => {
                    let Alert { id, opened_at, acknowledged, .. } = alert;
                    kept.alert = Alert { id, opened_at, acknowledged, ..kept.alert.clone() };
                    kept.is_stored = true;
                }
                None => {
                    self.open.insert(alert.metric.clone(), Kept { alert, calm: Calm::default(), is_stored: true });
                }
            }
        }
    }

    /// A look at a metric: how bad it is and why, `None` where nothing is wrong or nothing could be measured. A new alert gets `id`.
    pub fn look(
        &mut self,
        metric: &str,
        judged: Option<(Severity, Cause)>,
        value: Option<Value>,
        (at, id): (OffsetDateTime, Uuid),
    ) -> Option<Observed> {
        if let Some(kept) = self.open.get_mut(metric) {
            let observed = kept.calm.look(&mut kept.alert, judged, value, at);
            if observed == Some(Observed::Resolved)
                && let Some(kept) = self.open.remove(metric)
            {
                let beyond = (self.ended.len() + 1).saturating_sub(Self::ENDED);
                self.ended.drain(..beyond);
                self.ended.push(kept.alert);
            }
            return observed;
        }
        let ((severity, cause), value) = (judged?, value?);
        let alert = Alert {
            id,
            node: self.node.clone(),
            metric: metric.to_owned(),
            severity,
            cause,
            value,
            opened_at: at,
            changed_at: at,
            seen_at: at,
            acknowledged: None,
            ended: None,
        };
        self.open.insert(metric.to_owned(), Kept { alert, calm: Calm::default(), is_stored: false });
        Some(Observed::Opened)
    }

    /// What is to be stored: those that ended, then those that are open, which were looked at just now.
    #[must_use]
    pub fn to_store(&self) -> Vec<Alert> {
        self.ended.iter().chain(self.open()).cloned().collect()
    }

    /// The alert was stored as it is; or, where it `holds` no more, another ended it meanwhile, and it is forgotten.
    pub fn stored(&mut self, alert: &Alert, holds: bool) {
        self.ended.retain(|ended| ended.id != alert.id);
        if let Some(kept) = self.open.get_mut(&alert.metric).filter(|kept| kept.alert.id == alert.id) {
            kept.is_stored = true;
            if !holds {
                self.open.remove(&alert.metric);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        operations::monitoring::{Acknowledgement, Limits, Resolution},
        shared::user_id::UserId,
    };
    use proptest::prelude::*;
    use time::{Duration, macros::datetime};

    const T0: OffsetDateTime = datetime!(2026-11-24 0:00 UTC);
    const CPU: Limits = Limits::higher(70.0, 85.0, 95.0);

    fn minute(n: u32) -> OffsetDateTime {
        T0 + Duration::minutes(n.into())
    }

    fn book() -> AlertBook {
        AlertBook::new("a:8000".to_owned())
    }

    /// A look in minute `n`, at which the limits decide.
    fn look(book: &mut AlertBook, n: u32, value: f64) -> Option<Observed> {
        let value = Value::try_new(value).unwrap();
        let judged = CPU.severity(value, book.held("cpu")).map(|severity| (severity, Cause::Limit));
        book.look("cpu", judged, Some(value), (minute(n), Uuid::from_u128(n.into())))
    }

    fn looks(book: &mut AlertBook, values: &[f64]) -> Vec<Option<Observed>> {
        values.iter().zip(1..).map(|(value, n)| look(book, n, *value)).collect()
    }

    fn store(book: &mut AlertBook) -> Vec<Alert> {
        let all = book.to_store();
        for alert in &all {
            book.stored(alert, true);
        }
        all
    }

    #[test]
    fn an_alert_gets_worse_at_once_better_after_three_looks_and_ends_by_itself() {
        use Observed::{Eased, Escalated, Opened, Resolved};
        let mut book = book();
        let seen = looks(&mut book, &[50.0, 71.0, 96.0, 60.0, 75.0, 60.0, 10.0, 10.0, 10.0, 10.0]);
        let expected = [None, Some(Opened), Some(Escalated), None, None, Some(Eased), None, None, Some(Resolved), None];
        assert_eq!(seen, expected);
        let [ended] = &book.to_store()[..] else { panic!("one alert was expected") };
        assert_eq!((ended.opened_at, ended.severity), (minute(2), Severity::Warning), "the worst of the three looks was 75");
        assert_eq!(ended.ended.unwrap().at, minute(9));
        assert_eq!(ended.ended.unwrap().why, Resolution::Recovered);
    }

    #[test]
    fn what_flaps_is_one_alert() {
        let mut book = book();
        let values: Vec<f64> = [90.0, 10.0, 10.0].into_iter().cycle().take(300).collect();
        let opened = looks(&mut book, &values).into_iter().flatten().collect::<Vec<_>>();
        assert_eq!(opened, [Observed::Opened]);
        assert_eq!(book.to_store().len(), 1);
    }

    #[test]
    fn what_cannot_be_measured_any_more_is_calm() {
        let mut book = book();
        look(&mut book, 1, 90.0);
        let seen: Vec<_> = (2..5).map(|n| book.look("cpu", None, None, (minute(n), Uuid::nil()))).collect();
        assert_eq!(seen, [None, None, Some(Observed::Resolved)]);
        assert_eq!(Some(book.to_store()[0].value), Value::try_new(90.0), "the last that was known");
    }

    #[test]
    fn an_acknowledgement_holds_until_it_gets_worse_than_it_was() {
        let mut book = book();
        look(&mut book, 1, 72.0);
        let mut stored = store(&mut book);
        stored[0].acknowledged = Some(Acknowledgement { by: UserId(Uuid::nil()), at: minute(1), severity: Severity::Warning });
        book.adopt(stored);
        assert!(book.open().all(Alert::is_acknowledged));
        look(&mut book, 2, 96.0);
        assert!(!book.open().any(Alert::is_acknowledged));
        looks(&mut book, &[72.0, 72.0, 72.0]);
        assert!(book.open().all(Alert::is_acknowledged), "it is no worse than when it was acknowledged");
    }

    #[test]
    fn a_run_goes_on_with_what_the_one_before_left_open() {
        let mut before = book();
        look(&mut before, 1, 90.0);
        let left = store(&mut before);
        let mut book = book();
        // The store could not be read at the first look.
        look(&mut book, 5, 96.0);
        book.adopt(left.clone());
        let [alert] = &book.to_store()[..] else { panic!("one alert was expected") };
        assert_eq!((alert.id, alert.opened_at, alert.severity), (left[0].id, minute(1), Severity::Critical));
        let mut later = AlertBook::new("a:8000".to_owned());
        later.adopt(left);
        assert_eq!(looks(&mut later, &[10.0, 10.0, 10.0])[2], Some(Observed::Resolved));
    }

    #[test]
    fn what_others_ended_is_over_and_what_was_never_stored_is_kept() {
        let mut book = book();
        look(&mut book, 1, 90.0);
        book.adopt(vec![]);
        assert_eq!(book.open().count(), 1, "nobody could end what nobody knows");
        store(&mut book);
        book.adopt(vec![]);
        assert_eq!(book.open().count(), 0);
        look(&mut book, 2, 90.0);
        let all = book.to_store();
        book.stored(&all[0], false);
        assert_eq!(book.open().count(), 0);
    }

    #[test]
    fn what_ended_while_it_could_not_be_stored_is_stored_later_and_once() {
        let mut book = book();
        look(&mut book, 1, 90.0);
        let stored = store(&mut book);
        looks(&mut book, &[10.0, 10.0, 10.0]);
        book.adopt(stored);
        assert_eq!(book.open().count(), 0, "it ended here, which the store does not know yet");
        assert!(store(&mut book)[0].ended.is_some());
        assert!(book.to_store().is_empty());
    }

    proptest! {
        #[test]
        fn whatever_is_seen_there_is_one_open_alert_a_metric_and_an_end_for_each_beginning(
            values in proptest::collection::vec(0.0..130.0_f64, 1..200),
            away in proptest::collection::vec(any::<bool>(), 200),
        ) {
            let mut book = book();
            let (mut opened, mut resolved, mut stored) = (0, 0, BTreeMap::new());
            for ((value, n), away) in values.iter().zip(1..).zip(away) {
                match look(&mut book, n, *value) {
                    Some(Observed::Opened) => opened += 1,
                    Some(Observed::Resolved) => resolved += 1,
                    _ => {}
                }
                prop_assert!(book.open().count() <= 1);
                if !away {
                    for alert in store(&mut book) {
                        stored.insert(alert.id, alert);
                    }
                    book.adopt(stored.values().filter(|alert| alert.ended.is_none()).cloned().collect());
                }
            }
            prop_assert_eq!(opened, resolved + book.open().count());
            for alert in store(&mut book) {
                stored.insert(alert.id, alert);
            }
            prop_assert_eq!(stored.len(), opened);
            prop_assert_eq!(stored.values().filter(|alert| alert.ended.is_none()).count(), opened - resolved);
        }
    }
}
