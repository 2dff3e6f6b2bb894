//! Sampling on virtual time: what is shown, what is found, and what becomes of it while the store is away.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use coinlink_application::operations::monitoring::{NodeSamples, ReadMonitor, ReadMonitorAlerts, SampleMonitor, SampleParts};
use coinlink_domain::{
    identity::SessionPolicy,
    operations::monitoring::{Alert, Health, Resolution, Severity, Span, Value},
};
use coinlink_embedded::SystemEntropy;
use coinlink_ports::operations::{AlertFilter, AlertPlace, Measurements, MonitorAlerts as _};
use coinlink_testkit::{
    identity::{MemoryIdentity, a_user, an_account_of},
    operations::{FIRST, MemoryMonitorAlerts},
    shared::StoppedClock,
};
use time::Duration;

/// What is measured next, time after time the same.
#[derive(Default)]
struct Said(Mutex<Vec<(&'static str, f64)>>);

#[async_trait]
impl Measurements for Said {
    async fn measure(&self) -> Vec<(&'static str, Value)> {
        self.0.lock().unwrap().iter().map(|(id, value)| (*id, Value::try_new(*value).unwrap())).collect()
    }
}

struct Node {
    said: Arc<Said>,
    samples: Arc<NodeSamples>,
    sample: SampleMonitor,
    read: ReadMonitor,
}

struct World {
    alerts: Arc<MemoryMonitorAlerts>,
    accounts: MemoryIdentity,
    clock: Arc<StoppedClock>,
}

impl World {
    fn new() -> Self {
        Self { alerts: Arc::default(), accounts: MemoryIdentity::default(), clock: Arc::new(StoppedClock::at(FIRST)) }
    }

    fn node(&self, name: &str) -> Node {
        let (said, samples) = (Arc::new(Said::default()), Arc::new(NodeSamples::new(name.to_owned())));
        let sample = SampleMonitor::new(SampleParts {
            measurements: Arc::clone(&said) as _,
            accounts: Arc::new(self.accounts.clone()),
            policy: SessionPolicy::default(),
            alerts: Arc::clone(&self.alerts) as _,
            samples: Arc::clone(&samples),
            clock: Arc::clone(&self.clock) as _,
            entropy: Arc::new(SystemEntropy),
            period: Duration::MINUTE,
        });
        let read = ReadMonitor {
            samples: Arc::clone(&samples),
            alerts: Arc::clone(&self.alerts) as _,
            clock: Arc::clone(&self.clock) as _,
        };
        Node { said, samples, sample, read }
    }

    /// A minute passes, and the node takes a sample in which this is measured. Answers whether it could be stored.
    async fn sample(&self, node: &mut Node, said: &[(&'static str, f64)]) -> bool {
        self.clock.advance(Duration::MINUTE);
        *node.said.0.lock().unwrap() = said.to_vec();
        node.sample.execute().await.is_ok()
    }

    async fn all(&self) -> Vec<Alert> {
        self.alerts.page(&AlertFilter::default(), None, 1_000).await.unwrap()
    }
}

#[tokio::test]
async fn before_the_first_sample_nothing_is_said_to_be_well() {
    let world = World::new();
    let mut node = world.node("a:1");
    let view = node.read.execute().await.unwrap();
    assert!(view.sample.is_none() && view.health().is_none() && view.departments().is_empty());
    world.accounts.put_account(&an_account_of(a_user("ada@example.org")));
    assert!(world.sample(&mut node, &[("cpu", 12.5)]).await);
    let view = node.read.execute().await.unwrap();
    assert_eq!(view.health(), Some((100, Health::Healthy)));
    let sample = view.sample.as_ref().unwrap();
    let values: Vec<_> = sample.metrics.iter().map(|of| (of.metric.id, of.sample.value.get())).collect();
    assert!(values.contains(&("cpu", 12.5)) && values.contains(&("accounts", 1.0)), "{values:?}");
    assert!(!values.iter().any(|(id, _)| *id == "memory"), "what was not measured is left out, and not zero");
    let departments: Vec<_> = view.departments().iter().map(|of| of.name).collect();
    assert_eq!(departments, ["identity", "operations"]);
}

#[tokio::test]
async fn aggregates_grow_with_the_samples_and_end_with_the_last() {
    let world = World::new();
    let mut node = world.node("a:1");
    for minute in 1..=10 {
        world.sample(&mut node, &[("cpu", f64::from(minute))]).await;
    }
    let sample = node.samples.last().unwrap();
    let cpu = sample.metrics.iter().find(|of| of.metric.id == "cpu").unwrap();
    let of = |span: Span| cpu.aggregates.iter().find(|(of, _)| *of == span).map(|(_, of)| (of.count, of.min, of.max, of.mean));
    assert_eq!(of(Span::Minute), Some((1, 10.0, 10.0, 10.0)));
    assert_eq!(of(Span::FiveMinutes), Some((5, 6.0, 10.0, 8.0)));
    assert_eq!(of(Span::Day), Some((10, 1.0, 10.0, 5.5)));
}

#[tokio::test]
async fn an_alert_of_one_node_counts_on_all_and_ends_by_itself() {
    let world = World::new();
    let (mut one, mut other) = (world.node("a:1"), world.node("b:1"));
    world.sample(&mut one, &[("error_rate", 12.0)]).await;
    world.sample(&mut other, &[("error_rate", 0.0)]).await;
    let view = other.read.execute().await.unwrap();
    assert_eq!((view.health(), view.open.len()), (Some((80, Health::Healthy)), 1));
    assert_eq!((&*view.open[0].node, view.open[0].severity), ("a:1", Severity::Critical));
    for _ in 0..3 {
        world.sample(&mut one, &[("error_rate", 0.1)]).await;
    }
    assert_eq!(other.read.execute().await.unwrap().health(), Some((100, Health::Healthy)));
    let [alert] = &world.all().await[..] else { panic!("one alert was expected") };
    assert_eq!(alert.ended.unwrap().why, Resolution::Recovered);
}

#[tokio::test]
async fn what_was_found_while_the_store_was_away_is_stored_once_it_is_back() {
    let world = World::new();
    let mut node = world.node("a:1");
    world.alerts.be_away(true);
    for said in [[("database_up", 0.0)], [("database_up", 0.0)], [("database_up", 1.0)], [("database_up", 1.0)]] {
        assert!(!world.sample(&mut node, &said).await);
    }
    assert!(node.samples.last().is_some(), "it is shown all the same");
    world.alerts.be_away(false);
    assert!(world.sample(&mut node, &[("database_up", 1.0)]).await);
    let [alert] = &world.all().await[..] else { panic!("one alert was expected") };
    assert_eq!((&*alert.metric, alert.severity), ("database_up", Severity::Critical));
    assert_eq!(alert.ended.unwrap().at - alert.opened_at, Duration::minutes(4));
}

#[tokio::test]
async fn a_node_that_starts_again_goes_on_with_its_alerts_and_one_that_is_gone_leaves_none() {
    let world = World::new();
    let (mut one, mut other) = (world.node("a:1"), world.node("b:1"));
    world.sample(&mut one, &[("cpu", 99.0)]).await;
    world.sample(&mut other, &[("cpu", 99.0)]).await;
    drop(other);
    let mut again = world.node("a:1");
    world.sample(&mut again, &[("cpu", 99.0)]).await;
    assert_eq!(world.all().await.len(), 2, "the same alert goes on");
    for _ in 0..5 {
        world.sample(&mut again, &[("cpu", 99.0)]).await;
    }
    let all = world.all().await;
    let ended: Vec<_> = all.iter().map(|alert| (&*alert.node, alert.ended.map(|end| end.why))).collect();
    assert_eq!(ended, [("b:1", Some(Resolution::NodeGone)), ("a:1", None)]);
}

#[tokio::test]
async fn a_node_that_was_taken_for_gone_and_is_back_has_a_new_alert() {
    let world = World::new();
    let (mut one, mut other) = (world.node("a:1"), world.node("b:1"));
    world.sample(&mut one, &[("cpu", 99.0)]).await;
    world.clock.advance(Duration::HOUR);
    world.sample(&mut other, &[]).await;
    for _ in 0..2 {
        world.sample(&mut one, &[("cpu", 99.0)]).await;
    }
    let all = world.all().await;
    assert_eq!(all.iter().map(|alert| alert.ended.is_none()).collect::<Vec<_>>(), [true, false]);
}

#[tokio::test]
async fn what_is_unusual_is_told_and_costs_nothing() {
    let world = World::new();
    let mut node = world.node("a:1");
    for n in 0..30 {
        world.sample(&mut node, &[("request_rate", if n % 2 == 0 { 99.0 } else { 101.0 })]).await;
    }
    assert!(world.all().await.is_empty());
    world.sample(&mut node, &[("request_rate", 900.0)]).await;
    let view = node.read.execute().await.unwrap();
    assert_eq!((view.open[0].severity, view.open[0].cause.name()), (Severity::Info, "jump"));
    assert_eq!(view.health(), Some((100, Health::Healthy)));
}

#[tokio::test]
async fn no_more_than_five_hundred_that_ended_are_kept() {
    let world = World::new();
    let mut node = world.node("a:1");
    for _ in 0..510 {
        world.sample(&mut node, &[("cpu", 99.0)]).await;
        for _ in 0..3 {
            world.sample(&mut node, &[("cpu", 1.0)]).await;
        }
    }
    assert_eq!(world.all().await.len(), 500);
    let read = ReadMonitorAlerts { alerts: Arc::clone(&world.alerts) as _ };
    let (page, next) = read.execute(&AlertFilter::default(), None, 100).await.unwrap();
    assert_eq!((page.len(), next), (100, page.last().map(AlertPlace::of)));
}
