use std::sync::Arc;

use coinlink_application::market::{
    BulletinProviders, Bulletins, FollowBulletins, ProviderCall, ReadMarketStats, ReadNews, ReadTrending, RefreshBulletins,
    RefreshParts, ShownNews,
};
use coinlink_domain::{
    market::{AnyBulletin, BulletinKind, BulletinPeriods, FearGreed, News, NewsSource, Source},
    shared::{
        quota::{QuotaPolicy, QuotaVerdict},
        upstream_failure::{FailureClass, UpstreamFailure},
    },
};
use coinlink_ports::{
    market::{BulletinBoard, QuotaLedger as _},
    shared::Clock as _,
};
use coinlink_testkit::{
    market::{
        Cut, EmbeddedBulletins, EmbeddedQuota, NOON, Outage, Scripted, ScriptedOverview, a_mood, fetched, some_news, some_totals,
        some_trending,
    },
    shared::{LoadedDice, ManualPause, StoppedClock},
};
use time::{Duration, OffsetDateTime};

/// The cluster: its clock, its board, its providers.
struct Cluster {
    clock: Arc<StoppedClock>,
    outage: Outage,
    board: Arc<dyn BulletinBoard>,
    ledger: Arc<EmbeddedQuota>,
    news: Arc<Scripted<News>>,
    mood: Arc<Scripted<FearGreed>>,
    overview: Arc<ScriptedOverview>,
    periods: BulletinPeriods,
    quota: QuotaPolicy,
}

struct Node {
    refresh: RefreshBulletins,
    known: Arc<Bulletins>,
}

fn transient() -> UpstreamFailure {
    UpstreamFailure::new(FailureClass::Transient { retryable: false }, "broken")
}

fn a_mood_at(next: OffsetDateTime) -> FearGreed {
    FearGreed { next_at: Some(next), ..a_mood(39) }
}

impl Cluster {
    fn new() -> Self {
        let clock = Arc::new(StoppedClock::at(NOON));
        let outage = Outage::default();
        Self {
            board: Arc::new(Cut::new(Arc::new(EmbeddedBulletins::new(clock.clone())), &outage)),
            clock,
            outage,
            ledger: Arc::default(),
            news: Arc::new(Scripted::new([Ok(some_news(3))])),
            mood: Arc::new(Scripted::new([Ok(a_mood_at(NOON + Duration::hours(6)))])),
            overview: Arc::new(ScriptedOverview {
                totals: Scripted::new([Ok(some_totals())]),
                trending: Scripted::new([Ok(some_trending(3))]),
            }),
            periods: BulletinPeriods::default(),
            quota: QuotaPolicy::default(),
        }
    }

    fn node(&self) -> Node {
        let known = Arc::new(Bulletins::default());
        let providers = BulletinProviders {
            news: Some(Arc::clone(&self.news) as _),
            mood: Some(Arc::clone(&self.mood) as _),
            overview: Some(Arc::clone(&self.overview) as _),
        };
        let refresh = RefreshBulletins::new(RefreshParts {
            providers,
            periods: self.periods,
            board: Arc::clone(&self.board),
            ledger: Arc::clone(&self.ledger) as _,
            metering: vec![(Source::CoinGecko, self.quota)],
            known: Arc::clone(&known),
            clock: self.clock.clone(),
            dice: Arc::new(LoadedDice::rolling([0, 7_919, 104_729, 3_600_000])),
        });
        Node { refresh, known }
    }

    /// Calls so far: news, mood, figures, searches.
    fn calls(&self) -> [usize; 4] {
        [self.news.calls(), self.mood.calls(), self.overview.totals.calls(), self.overview.trending.calls()]
    }

    /// `node` leads for so long.
    async fn leads(&self, node: &mut Node, long: Duration) {
        let until = self.clock.now() + long;
        while self.clock.now() < until {
            let _ = node.refresh.execute().await;
            self.clock.advance(Duration::seconds(10));
        }
    }
}

fn failed(calls: &[ProviderCall]) -> Vec<BulletinKind> {
    calls.iter().filter(|call| call.result.is_err()).map(|call| call.kind).collect()
}

#[tokio::test]
async fn one_pass_fetches_all_and_every_node_finds_it() {
    let cluster = Cluster::new();
    let mut node = cluster.node();
    let calls = node.refresh.execute().await.unwrap();
    assert_eq!(calls.iter().map(|call| call.kind).collect::<Vec<_>>(), BulletinKind::ALL);
    assert!(failed(&calls).is_empty() && node.refresh.execute().await.unwrap().is_empty());
    assert_eq!(node.known.all(), cluster.board.read().await.unwrap());
    assert_eq!(node.known.news().unwrap().fetched_at, NOON);
}

#[tokio::test]
async fn a_day_costs_ninety_six_looks_at_the_news_and_each_kind_its_period() {
    let cluster = Cluster::new();
    let mut node = cluster.node();
    cluster.leads(&mut node, Duration::DAY).await;
    let [news, mood, totals, trending] = cluster.calls();
    assert_eq!((news, totals, trending), (96, 144, 96));
    // At noon, at six, and from then on as if the next one were overdue.
    assert!((2..=2 + 18 * 6).contains(&mood), "{mood}");
}

#[tokio::test]
async fn a_change_of_leader_or_a_restart_costs_no_call() {
    let cluster = Cluster::new();
    let mut first = cluster.node();
    cluster.leads(&mut first, Duration::minutes(5)).await;
    for _ in 0..30 {
        let mut next = cluster.node();
        cluster.leads(&mut next, Duration::seconds(10)).await;
        assert!(next.known.news().is_some(), "it took over what is known");
    }
    assert_eq!(cluster.calls(), [1, 1, 1, 1]);
}

#[tokio::test]
async fn leaders_that_fail_one_after_the_other_do_not_ask_more_often() {
    let cluster = Cluster::new();
    cluster.news.answer(Err(transient()));
    for _ in 0..60 {
        // Each is a new process: it remembers nothing, and there is nothing on the board.
        cluster.leads(&mut cluster.node(), Duration::minutes(1)).await;
    }
    assert_eq!(cluster.news.calls(), 4, "once in fifteen minutes, whatever came of it");
}

#[tokio::test]
async fn nobody_is_asked_while_the_board_is_away_and_what_is_known_stays() {
    let cluster = Cluster::new();
    let mut node = cluster.node();
    node.refresh.execute().await.unwrap();
    cluster.outage.begin();
    for _ in 0..400 {
        cluster.clock.advance(Duration::seconds(10));
        assert!(node.refresh.execute().await.is_err());
    }
    assert_eq!(cluster.calls(), [1, 1, 1, 1]);
    assert!(node.known.news().is_some());
    cluster.outage.end();
    node.refresh.execute().await.unwrap();
    assert_eq!(cluster.news.calls(), 2);
}

#[tokio::test]
async fn a_board_that_lost_everything_gets_it_back_without_a_call() {
    let mut cluster = Cluster::new();
    let mut node = cluster.node();
    node.refresh.execute().await.unwrap();
    let before = node.known.all();
    // The turns are lost as well: only what the leader itself remembers keeps it from asking.
    cluster.board = Arc::new(EmbeddedBulletins::new(cluster.clock.clone()));
    let mut moved = cluster.node();
    for bulletin in before.clone() {
        moved.known.take(bulletin);
    }
    assert!(moved.refresh.execute().await.unwrap().is_empty());
    assert_eq!(cluster.board.read().await.unwrap(), before);
    assert_eq!(cluster.calls(), [1, 1, 1, 1]);
}

#[tokio::test]
async fn the_mood_comes_when_its_provider_says_so() {
    let cluster = Cluster::new();
    let mut node = cluster.node();
    cluster.leads(&mut node, Duration::hours(6)).await;
    assert_eq!(cluster.mood.calls(), 1);
    cluster.mood.answer(Ok(a_mood_at(NOON + Duration::hours(30))));
    cluster.leads(&mut node, Duration::hours(23)).await;
    assert_eq!(cluster.mood.calls(), 2);
}

#[tokio::test]
async fn a_failing_mood_is_tried_again_later_and_later_until_its_breaker_opens() {
    let cluster = Cluster::new();
    cluster.mood.answer(Err(transient()));
    let mut node = cluster.node();
    cluster.leads(&mut node, Duration::hours(2)).await;
    let calls = cluster.mood.calls();
    assert!((4..=12).contains(&calls), "{calls}");
    cluster.leads(&mut node, Duration::hours(10)).await;
    let state = node.refresh.breakers().find(|(name, _)| *name == "alternative_me");
    assert_eq!(state, Some(("alternative_me", 2)));
    assert!(cluster.mood.calls() < calls + 10, "one probe in two hours at last: {}", cluster.mood.calls());
    cluster.mood.answer(Ok(a_mood_at(NOON + Duration::days(2))));
    cluster.leads(&mut node, Duration::hours(5)).await;
    assert_eq!(node.known.fear_greed().unwrap().content.value, 39);
    assert_eq!(node.refresh.breakers().find(|(name, _)| *name == "alternative_me"), Some(("alternative_me", 0)));
}

#[tokio::test]
async fn a_provider_that_fails_leaves_the_last_known_in_place() {
    let cluster = Cluster::new();
    let mut node = cluster.node();
    node.refresh.execute().await.unwrap();
    cluster.news.answer(Err(transient()));
    cluster.clock.advance(Duration::minutes(15));
    assert_eq!(failed(&node.refresh.execute().await.unwrap()), [BulletinKind::News]);
    assert_eq!(node.known.news().unwrap().fetched_at, NOON);
}

#[tokio::test]
async fn the_overview_takes_a_tenth_of_the_month_that_the_prices_have_and_leaves_the_rest() {
    let mut cluster = Cluster::new();
    cluster.quota = QuotaPolicy { per_minute: None, per_month: Some(10_000) };
    cluster.periods = BulletinPeriods::within(cluster.quota.per_month);
    let mut node = cluster.node();
    // From noon on 1 January to the end of the month.
    for _ in 0..(30 * 24 * 6 + 12 * 6) {
        node.refresh.execute().await.unwrap();
        cluster.clock.advance(Duration::minutes(10));
    }
    let taken = cluster.overview.totals.calls() + cluster.overview.trending.calls();
    assert!((900..=1_000).contains(&taken), "{taken}");
}

#[tokio::test]
async fn a_budget_that_the_prices_used_up_is_not_overrun() {
    let mut cluster = Cluster::new();
    cluster.quota = QuotaPolicy { per_minute: None, per_month: Some(20) };
    for _ in 0..20 {
        assert_ne!(cluster.ledger.spend(Source::CoinGecko, cluster.quota, NOON).await.unwrap(), QuotaVerdict::Exhausted);
    }
    let mut node = cluster.node();
    cluster.leads(&mut node, Duration::hours(3)).await;
    assert_eq!(cluster.calls()[2..], [0, 0]);
    assert!(node.known.totals().is_none() && node.known.news().is_some());
}

#[tokio::test]
async fn what_has_no_provider_is_not_fetched() {
    let cluster = Cluster::new();
    let known = Arc::new(Bulletins::default());
    let mut refresh = RefreshBulletins::new(RefreshParts {
        providers: BulletinProviders::default(),
        periods: cluster.periods,
        board: Arc::clone(&cluster.board),
        ledger: Arc::clone(&cluster.ledger) as _,
        metering: Vec::new(),
        known,
        clock: cluster.clock.clone(),
        dice: Arc::new(LoadedDice::always(0)),
    });
    assert!(refresh.execute().await.unwrap().is_empty());
    assert_eq!(cluster.calls(), [0; 4]);
}

#[tokio::test]
async fn a_follower_hears_of_what_is_posted_and_keeps_it_while_the_board_is_away() {
    let cluster = Cluster::new();
    let known = Arc::new(Bulletins::default());
    let pause = Arc::new(ManualPause::default());
    let follow = FollowBulletins {
        board: Arc::clone(&cluster.board),
        known: Arc::clone(&known),
        pause: pause.clone(),
        dice: Arc::new(LoadedDice::rolling([0, 3_000, 6_700, 1_000_000_007])),
    };
    let following = tokio::spawn(async move { follow.execute().await });
    let looks = async |count: usize| {
        let from = pause.waits().len();
        while pause.waits().len() < from + count {
            tokio::task::yield_now().await;
        }
    };
    looks(3).await;
    assert!(known.news().is_none());
    cluster.board.post(&AnyBulletin::News(fetched(some_news(2), NOON))).await.unwrap();
    looks(2).await;
    assert_eq!(known.news().unwrap().content.articles.len(), 2);
    cluster.outage.begin();
    looks(3).await;
    assert!(known.news().is_some());
    cluster.outage.end();
    cluster.board.post(&AnyBulletin::News(fetched(some_news(5), NOON + Duration::SECOND))).await.unwrap();
    looks(2).await;
    assert_eq!(known.news().unwrap().content.articles.len(), 5);
    following.abort();
    assert!(pause.waits().iter().all(|wait| (6.0..14.0).contains(&wait.as_seconds_f64())), "{:?}", pause.waits());
}

#[test]
fn primers_are_shown_until_headlines_are_known_and_say_whether_any_are_to_come() {
    let clock = Arc::new(StoppedClock::at(NOON + Duration::seconds(59)));
    let bulletins = Arc::new(Bulletins::default());
    let read = |asked_for| ReadNews {
        bulletins: Arc::clone(&bulletins),
        asked_for,
        period: Duration::minutes(15),
        clock: clock.clone(),
    };
    for asked_for in [false, true] {
        let ShownNews::Primers { news, at, unavailable } = read(asked_for).execute() else { panic!("none were fetched") };
        assert_eq!((news.source, at, unavailable), (NewsSource::Curated, NOON, asked_for));
    }
    bulletins.take_news(fetched(some_news(3), NOON - Duration::minutes(30)));
    let ShownNews::Fetched(shown) = read(true).execute() else { panic!("they are known") };
    assert_eq!((shown.at, shown.age, shown.stale), (NOON, Duration::minutes(30), false));
    clock.advance(Duration::minutes(1));
    let ShownNews::Fetched(shown) = read(true).execute() else { panic!("they are known") };
    assert_eq!((shown.age, shown.stale), (Duration::minutes(31), true));
}

#[test]
fn what_was_never_known_is_none_and_nothing_is_from_tomorrow() {
    let clock = Arc::new(StoppedClock::at(NOON));
    let bulletins = Arc::new(Bulletins::default());
    let period = Duration::minutes(10);
    let stats = ReadMarketStats { bulletins: Arc::clone(&bulletins), period, clock: clock.clone() };
    let trending = ReadTrending { bulletins: Arc::clone(&bulletins), period, clock };
    assert_eq!((stats.execute(), trending.execute()), (None, None));
    bulletins.take_totals(fetched(some_totals(), NOON + Duration::HOUR));
    bulletins.take_trending(fetched(some_trending(2), NOON - Duration::minutes(21)));
    let shown = stats.execute().unwrap();
    assert_eq!((shown.age, shown.stale, shown.bulletin.content.clone()), (Duration::ZERO, false, some_totals()));
    assert!(trending.execute().unwrap().stale);
}
