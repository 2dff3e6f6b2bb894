use std::sync::{
    Mutex as StdMutex,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use coinlink_ports::operations::DependencyProbe;
use futures_util::{FutureExt as _, future::pending};
use time::OffsetDateTime;

use super::*;

/// Stands still until told, and ends every wait at once when `hasty`.
#[derive(Default)]
struct Time {
    now: StdMutex<Duration>,
    hasty: bool,
}

impl Time {
    fn pass(&self, by: Duration) {
        *self.now.lock().unwrap() += by;
    }
}

impl Clock for Time {
    fn now(&self) -> OffsetDateTime {
        OffsetDateTime::UNIX_EPOCH + self.monotonic()
    }
    fn monotonic(&self) -> Duration {
        *self.now.lock().unwrap()
    }
}

#[async_trait]
impl Pause for Time {
    async fn pause(&self, _: Duration) {
        if !self.hasty {
            pending::<()>().await;
        }
    }
}

#[derive(Clone, Copy)]
enum Behaviour {
    Answers,
    Fails,
    Hangs,
}

struct Probe {
    name: &'static str,
    behaviour: StdMutex<Behaviour>,
    asked: AtomicUsize,
}

impl Probe {
    fn new(name: &'static str, behaviour: Behaviour) -> Arc<Self> {
        Arc::new(Self { name, behaviour: StdMutex::new(behaviour), asked: AtomicUsize::new(0) })
    }
}

#[async_trait]
impl DependencyProbe for Probe {
    fn name(&self) -> &'static str {
        self.name
    }
    async fn check(&self) -> Result<(), String> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let behaviour = *self.behaviour.lock().unwrap();
        match behaviour {
            Behaviour::Answers => {
                // Gives those who ask at the same time a chance to ask twice.
                tokio::task::yield_now().await;
                Ok(())
            }
            Behaviour::Fails => Err("connection refused".to_owned()),
            Behaviour::Hangs => pending().await,
        }
    }
}

fn check(probes: &[&Arc<Probe>], time: &Arc<Time>) -> CheckReadiness {
    let probes = probes.iter().map(|probe| Arc::clone(probe) as Arc<dyn DependencyProbe>).collect();
    CheckReadiness::new(probes, Arc::clone(time) as _, Arc::clone(time) as _)
}

#[tokio::test]
async fn a_node_is_ready_while_every_dependency_answers() {
    let (database, redis) = (Probe::new("database", Behaviour::Answers), Probe::new("redis", Behaviour::Fails));
    let time = Arc::new(Time::default());
    let readiness = check(&[&database, &redis], &time);
    let first = readiness.execute().await;
    assert!(!first.is_ready() && first.is_up("database") && !first.is_up("redis") && !first.is_up("kafka"));
    assert_eq!(first.checks[1].outcome, Err(CheckFailure::Failed));
    *redis.behaviour.lock().unwrap() = Behaviour::Answers;
    time.pass(Duration::SECOND);
    assert!(readiness.execute().await.is_ready());
}

#[tokio::test]
async fn a_dependency_that_hangs_is_given_up_on_without_holding_up_the_others() {
    let (database, redis) = (Probe::new("database", Behaviour::Hangs), Probe::new("redis", Behaviour::Fails));
    let readiness = check(&[&database, &redis], &Arc::new(Time { hasty: true, ..Time::default() })).execute().await;
    let outcomes: Vec<_> = readiness.checks.iter().map(|check| check.outcome).collect();
    assert_eq!(outcomes, [Err(CheckFailure::Slow), Err(CheckFailure::Failed)]);
}

#[tokio::test]
async fn fifty_who_ask_at_once_and_all_within_a_second_cost_one_round_trip() {
    let database = Probe::new("database", Behaviour::Answers);
    let time = Arc::new(Time::default());
    let readiness = check(&[&database], &time);
    join_all((0..50).map(|_| readiness.execute())).await;
    time.pass(Duration::milliseconds(999));
    readiness.execute().await;
    assert_eq!(database.asked.load(Ordering::SeqCst), 1);
    time.pass(Duration::MILLISECOND);
    readiness.execute().await;
    assert_eq!(database.asked.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn who_goes_away_while_asking_leaves_the_next_one_free_to_ask() {
    let database = Probe::new("database", Behaviour::Hangs);
    let readiness = check(&[&database], &Arc::new(Time::default()));
    let waiting = readiness.execute();
    assert!(waiting.now_or_never().is_none());
    *database.behaviour.lock().unwrap() = Behaviour::Answers;
    assert!(readiness.execute().await.is_ready());
}
