use std::sync::Arc;

use async_trait::async_trait;
use coinlink_domain::{
    market::{AnyBulletin, BulletinKind, Source, Tick},
    shared::quota::{QuotaPolicy, QuotaVerdict},
};
use coinlink_ports::{
    market::{BulletinBoard, LeaderLease, Lease, PublishError, QuotaLedger, TickFollower, TickerBus},
    shared::BusError,
};
use time::{Duration, OffsetDateTime};
use tokio::sync::watch;

/// Whether shared state can be reached: one switch for everything that is [`Cut`] by it.
#[derive(Debug, Clone)]
pub struct Outage(watch::Sender<Reach>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    Whole,
    NoRequests,
    NoAnswers,
}

impl Default for Outage {
    /// Everything can be reached.
    fn default() -> Self {
        Self(watch::Sender::new(Reach::Whole))
    }
}

impl Outage {
    /// Nothing gets through any more, and every subscription ends.
    pub fn begin(&self) {
        self.0.send_replace(Reach::NoRequests);
    }

    /// Requests are carried out, but no answer comes back; every subscription ends.
    pub fn lose_answers(&self) {
        self.0.send_replace(Reach::NoAnswers);
    }

    /// Everything can be reached again.
    pub fn end(&self) {
        self.0.send_replace(Reach::Whole);
    }

    fn reach(&self) -> Reach {
        *self.0.borrow()
    }

    async fn carry<T, E: From<BusError>>(&self, request: impl Future<Output = Result<T, E>> + Send) -> Result<T, E> {
        if self.reach() == Reach::NoRequests {
            return Err(cut().into());
        }
        let answer = request.await;
        if self.reach() == Reach::Whole { answer } else { Err(cut().into()) }
    }
}

fn cut() -> BusError {
    BusError("an outage".into())
}

/// Shared state that an [`Outage`] cuts off.
pub struct Cut<T: ?Sized> {
    inner: Arc<T>,
    by: Outage,
}

impl<T: ?Sized> Cut<T> {
    /// `inner`, as long as there is no outage.
    pub fn new(inner: Arc<T>, by: &Outage) -> Self {
        Self { inner, by: by.clone() }
    }
}

#[async_trait]
impl<T: LeaderLease + ?Sized> LeaderLease for Cut<T> {
    async fn acquire(&self, ttl: Duration) -> Result<Option<Lease>, BusError> {
        self.by.carry(self.inner.acquire(ttl)).await
    }

    async fn renew(&self, lease: Lease, ttl: Duration) -> Result<bool, BusError> {
        self.by.carry(self.inner.renew(lease, ttl)).await
    }

    async fn release(&self, lease: Lease) -> Result<(), BusError> {
        self.by.carry(self.inner.release(lease)).await
    }
}

#[async_trait]
impl<T: QuotaLedger + ?Sized> QuotaLedger for Cut<T> {
    async fn spend(&self, source: Source, policy: QuotaPolicy, now: OffsetDateTime) -> Result<QuotaVerdict, BusError> {
        self.by.carry(self.inner.spend(source, policy, now)).await
    }
}

#[async_trait]
impl<T: BulletinBoard + ?Sized> BulletinBoard for Cut<T> {
    async fn post(&self, bulletin: &AnyBulletin) -> Result<bool, BusError> {
        self.by.carry(self.inner.post(bulletin)).await
    }

    async fn read(&self) -> Result<Vec<AnyBulletin>, BusError> {
        self.by.carry(self.inner.read()).await
    }

    async fn take_turn(&self, kind: BulletinKind, every: Duration) -> Result<bool, BusError> {
        self.by.carry(self.inner.take_turn(kind, every)).await
    }
}

#[async_trait]
impl<T: TickerBus + ?Sized> TickerBus for Cut<T> {
    async fn publish(&self, tick: &Tick) -> Result<u64, PublishError> {
        self.by.carry(self.inner.publish(tick)).await
    }

    async fn snapshot(&self) -> Result<Option<Tick>, BusError> {
        self.by.carry(self.inner.snapshot()).await
    }

    async fn history(&self, count: usize) -> Result<Vec<Tick>, BusError> {
        self.by.carry(self.inner.history(count)).await
    }

    async fn follow(&self) -> Result<Box<dyn TickFollower>, BusError> {
        let reach = self.by.0.subscribe();
        let follower = self.by.carry(self.inner.follow()).await?;
        Ok(Box::new(CutFollower { follower, reach }))
    }
}

struct CutFollower {
    follower: Box<dyn TickFollower>,
    reach: watch::Receiver<Reach>,
}

#[async_trait]
impl TickFollower for CutFollower {
    async fn next(&mut self, wait: Duration) -> Result<Option<Tick>, BusError> {
        tokio::select! {
            biased;
            _ = self.reach.wait_for(|reach| *reach != Reach::Whole) => Err(cut()),
            tick = self.follower.next(wait) => tick,
        }
    }
}
