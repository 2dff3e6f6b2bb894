//! Fetch news, the market's mood, its figures and what people search for, for the whole cluster; only the leader does.

use std::sync::Arc;

use coinlink_domain::{
    market::{AnyBulletin, Bulletin, BulletinKind, BulletinPeriods, RefreshPolicy, Refreshing, Source},
    shared::{
        backoff::FullJitter,
        breaker::{Breaker, BreakerPolicy},
        upstream_failure::{FailureClass, UpstreamFailure},
    },
};
use coinlink_ports::{
    market::{BulletinBoard, MoodProvider, NewsProvider, OverviewProvider, QuotaLedger},
    shared::{BusError, Clock, Dice},
};
use time::{Duration, OffsetDateTime};

use super::{Bulletins, Metering};

/// Five failures in a row, and a provider is left alone for half an hour, then one, then two.
const BREAKER: BreakerPolicy =
    BreakerPolicy { max_failures: 5, cool_downs: [Duration::minutes(30), Duration::HOUR, Duration::hours(2)] };
/// Beyond the shortest wait, after a failure.
const RETRY: FullJitter = FullJitter { base: Duration::minutes(1), cap: Duration::HOUR };
/// The mood is fetched no sooner and no later than this, whenever its provider says the next one comes.
const MOOD_AT_LEAST: Duration = Duration::minutes(10);
const MOOD_AT_MOST: Duration = Duration::DAY;
/// Where its provider does not say.
const MOOD_EVERY: Duration = Duration::HOUR;
/// Whoever has the turn may not be done with it: it is looked at again this late.
const TURN_AGAIN: Duration = Duration::seconds(30);

/// Who is asked; what has no provider is not fetched.
#[derive(Clone, Default)]
pub struct BulletinProviders {
    /// For headlines.
    pub news: Option<Arc<dyn NewsProvider>>,
    /// For the market's mood.
    pub mood: Option<Arc<dyn MoodProvider>>,
    /// For its figures, and what people search for.
    pub overview: Option<Arc<dyn OverviewProvider>>,
}

/// What fetching takes.
pub struct RefreshParts {
    /// Who is asked.
    pub providers: BulletinProviders,
    /// How often.
    pub periods: BulletinPeriods,
    /// Where all nodes find it, and whose turn it is.
    pub board: Arc<dyn BulletinBoard>,
    /// The cluster's count of metered calls.
    pub ledger: Arc<dyn QuotaLedger>,
    /// Plans of metered providers.
    pub metering: Metering,
    /// What this node knows.
    pub known: Arc<Bulletins>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Jitter.
    pub dice: Arc<dyn Dice>,
}

/// One call to a provider, and how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderCall {
    /// Who was asked.
    pub provider: &'static str,
    /// For what.
    pub kind: BulletinKind,
    /// How it ended.
    pub result: Result<(), UpstreamFailure>,
    /// How long it took.
    pub took: Duration,
}

/// Fetches what is due. Held by one task, so it keeps its state without a lock.
pub struct RefreshBulletins {
    parts: RefreshParts,
    kinds: Vec<(BulletinKind, Refreshing)>,
    breakers: [Breaker; 3],
}

/// The place of a kind's provider among the breakers.
const fn place(kind: BulletinKind) -> usize {
    match kind {
        BulletinKind::News => 0,
        BulletinKind::FearGreed => 1,
        BulletinKind::Totals | BulletinKind::Trending => 2,
    }
}

/// The provider of a kind, as metrics name it.
const fn provider(kind: BulletinKind) -> &'static str {
    match kind {
        BulletinKind::News => "newsapi",
        BulletinKind::FearGreed => "alternative_me",
        BulletinKind::Totals | BulletinKind::Trending => Source::CoinGecko.name(),
    }
}

/// By the period alone.
const fn each(period: Duration) -> RefreshPolicy {
    RefreshPolicy { every: period, at_least: period, at_most: period, retry: RETRY }
}

impl RefreshBulletins {
    /// Knows nothing yet of what others fetched.
    #[must_use]
    pub fn new(parts: RefreshParts) -> Self {
        let BulletinProviders { news, mood, overview } = &parts.providers;
        let mood_policy = RefreshPolicy { every: MOOD_EVERY, at_least: MOOD_AT_LEAST, at_most: MOOD_AT_MOST, retry: RETRY };
        let kinds = [
            (BulletinKind::News, news.is_some(), each(parts.periods.news)),
            (BulletinKind::FearGreed, mood.is_some(), mood_policy),
            (BulletinKind::Totals, overview.is_some(), each(parts.periods.totals)),
            (BulletinKind::Trending, overview.is_some(), each(parts.periods.trending)),
        ];
        let kinds = kinds.into_iter().filter(|(_, asked, _)| *asked);
        Self {
            kinds: kinds.map(|(kind, _, policy)| (kind, Refreshing::new(policy))).collect(),
            breakers: Default::default(),
            parts,
        }
    }

    /// Each provider's breaker as metrics name it: 0 closed, 1 probing, 2 open.
    pub fn breakers(&self) -> impl Iterator<Item = (&'static str, u8)> + '_ {
        ["newsapi", "alternative_me", "coingecko_overview"].into_iter().zip(&self.breakers).map(|(name, breaker)| {
            let state = match breaker {
                Breaker::Closed { .. } => 0,
                Breaker::Probing { .. } => 1,
                Breaker::Open { .. } => 2,
            };
            (name, state)
        })
    }

    /// Fetches what is due, one after the other; to be called every few seconds while this node leads. Without the board nothing is
    /// fetched: nobody could be told, and nobody asked whose turn it is. Dropped half-way, it costs a turn at most.
    #[tracing::instrument(skip_all, name = "refresh_bulletins")]
    pub async fn execute(&mut self) -> Result<Vec<ProviderCall>, BusError> {
        self.catch_up().await?;
        let mut calls = Vec::new();
        for at in 0..self.kinds.len() {
            let now = self.parts.clock.now();
            let (kind, refreshing) = self.kinds[at];
            if refreshing.is_due(now) && self.may_ask(kind, now) && self.has_turn(at, now).await && self.budgeted(at, now).await {
                calls.push(self.fetch(at).await);
            }
        }
        Ok(calls)
    }

    /// Takes over what is on the board, and puts what it lacks back: a bus that lost everything gets it from here.
    async fn catch_up(&mut self) -> Result<(), BusError> {
        let board = self.parts.board.read().await?;
        let now = self.parts.clock.now();
        for bulletin in &board {
            self.parts.known.take(bulletin.clone());
        }
        for known in self.parts.known.all() {
            if let Some((_, refreshing)) = self.kinds.iter_mut().find(|(kind, _)| *kind == known.kind()) {
                refreshing.known(known.fetched_at(), known.next_at(), now);
            }
            let there = board.iter().find(|bulletin| bulletin.kind() == known.kind());
            if there.is_none_or(|there| there.fetched_at() < known.fetched_at()) {
                self.parts.board.post(&known).await?;
            }
        }
        Ok(())
    }

    fn may_ask(&self, kind: BulletinKind, now: OffsetDateTime) -> bool {
        match self.breakers[place(kind)] {
            Breaker::Closed { .. } => true,
            Breaker::Open { until, .. } | Breaker::Probing { until, .. } => now >= until,
        }
    }

    async fn has_turn(&mut self, at: usize, now: OffsetDateTime) -> bool {
        let (kind, refreshing) = &mut self.kinds[at];
        match self.parts.board.take_turn(*kind, refreshing.policy().at_least).await {
            Ok(true) => return true,
            Ok(false) => {}
            Err(error) => tracing::warn!(kind = kind.name(), %error, "not fetched: whose turn it is cannot be told"),
        }
        refreshing.is_not_ours(now, TURN_AGAIN);
        false
    }

    /// Counts a call to the source of prices before it is made. When nobody can count it, it is not made.
    async fn budgeted(&mut self, at: usize, now: OffsetDateTime) -> bool {
        let (kind, refreshing) = &mut self.kinds[at];
        let metered = self.parts.metering.iter().find(|(source, _)| source.name() == provider(*kind));
        let Some(&(source, policy)) = metered else { return true };
        match self.parts.ledger.spend(source, policy, now).await {
            Ok(verdict) => refreshing.budgeted(verdict, now),
            Err(error) => {
                tracing::warn!(kind = kind.name(), %error, "metered call left out: its budget cannot be counted");
                refreshing.is_not_ours(now, TURN_AGAIN);
                false
            }
        }
    }

    async fn fetch(&mut self, at: usize) -> ProviderCall {
        let kind = self.kinds[at].0;
        let breaker = place(kind);
        // Whether it may be asked is known already; a probe is told of as one.
        let _ = self.breakers[breaker].admit(self.parts.clock.now(), BREAKER);
        let started = self.parts.clock.monotonic();
        let result = self.ask(kind).await;
        let (now, took) = (self.parts.clock.now(), self.parts.clock.monotonic() - started);
        let refreshing = &mut self.kinds[at].1;
        let result = match result {
            Ok(bulletin) => {
                self.breakers[breaker].record(true, now, BREAKER);
                refreshing.succeeded(now, bulletin.next_at());
                self.parts.known.take(bulletin.clone());
                if let Err(error) = self.parts.board.post(&bulletin).await {
                    tracing::warn!(kind = kind.name(), %error, "the other nodes hear of it later");
                }
                Ok(())
            }
            Err(failure) => {
                if matches!(failure.class, FailureClass::Transient { .. }) {
                    self.breakers[breaker].record(false, now, BREAKER);
                }
                refreshing.failed(failure.class, now, self.parts.dice.roll());
                Err(failure)
            }
        };
        ProviderCall { provider: provider(kind), kind, result, took }
    }

    async fn ask(&self, kind: BulletinKind) -> Result<AnyBulletin, UpstreamFailure> {
        let BulletinProviders { news, mood, overview } = &self.parts.providers;
        let nobody = || UpstreamFailure::new(FailureClass::Config, "nobody is asked for this");
        let received = || self.parts.clock.now();
        Ok(match kind {
            BulletinKind::News => {
                let content = news.as_ref().ok_or_else(nobody)?.fetch().await?;
                AnyBulletin::News(Bulletin { content, fetched_at: received() })
            }
            BulletinKind::FearGreed => {
                let content = mood.as_ref().ok_or_else(nobody)?.fetch().await?;
                AnyBulletin::FearGreed(Bulletin { content, fetched_at: received() })
            }
            BulletinKind::Totals => {
                let content = overview.as_ref().ok_or_else(nobody)?.totals().await?;
                AnyBulletin::Totals(Bulletin { content, fetched_at: received() })
            }
            BulletinKind::Trending => {
                let content = overview.as_ref().ok_or_else(nobody)?.trending().await?;
                AnyBulletin::Trending(Bulletin { content, fetched_at: received() })
            }
        })
    }
}
