//! Alert rules and firings: the contract on each database.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::{any::Any, sync::Arc, time::Duration};

use async_trait::async_trait;
use coinlink_application::notifications::{EvaluateAlerts, EvaluatorParts};
use coinlink_domain::{
    market::{Price, Quote, Source, Symbol, Tick, TickId, TickItem},
    notifications::alerts::{AlertCondition, AlertRule, AlertRuleId},
};
use coinlink_migration::{Migrator, MigratorTrait};
use coinlink_ports::{
    identity::IdentityStore as _,
    market::{PublishError, TickFollower, TickerBus},
    notifications::AlertNews,
    shared::BusError,
};
use coinlink_postgres::{ConnectSettings, Database, SqlIdentityStore, SqlNotificationsStore};
use coinlink_testkit::{
    identity::an_account,
    market::MemoryCandles,
    notifications::AlertsUnderTest,
    servers::fresh_database,
    shared::{CountingEntropy, PlainSecretBox, StoppedClock},
};
use sea_orm::ConnectionTrait as _;
use time::{OffsetDateTime, macros::datetime};
use uuid::Uuid;

const NOON: OffsetDateTime = datetime!(2026-11-21 12:00 UTC);

mod postgres {
    coinlink_testkit::alert_rules_contract!(crate::alert_rules::on_postgres().await);
}

mod sqlite {
    coinlink_testkit::alert_rules_contract!(crate::alert_rules::on_sqlite().await);
}

async fn on_postgres() -> AlertsUnderTest {
    let place = fresh_database().await;
    under_test(&place.url.clone(), place).await
}

async fn on_sqlite() -> AlertsUnderTest {
    let (url, place) = sqlite().await;
    under_test(&url, place).await
}

async fn sqlite() -> (String, tempfile::TempDir) {
    let place = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", place.path().join("coinlink.db").display());
    let database = Database::connect(&ConnectSettings::new(&url)).await.unwrap();
    database.with_migration_lock(async |connection| Migrator::up(connection, None).await).await.unwrap();
    (url, place)
}

/// Patient: many callers at once on a busy machine are no fault.
async fn under_test(url: &str, place: impl Any + Send + Sync) -> AlertsUnderTest {
    let (acquire_timeout, statement_timeout) = (Duration::from_secs(10), Duration::from_secs(10));
    let settings = ConnectSettings { acquire_timeout, statement_timeout, ..ConnectSettings::new(url) };
    let database = Database::connect(&settings).await.unwrap();
    let accounts = SqlIdentityStore::new(database.clone(), Arc::new(PlainSecretBox::default()));
    let mut users = Vec::new();
    for address in ["one@example.org", "two@example.org"] {
        let account = an_account(address);
        let mut tx = accounts.begin().await.unwrap();
        tx.users().add(&account).await.unwrap();
        tx.commit().await.unwrap();
        users.push(account.user.id);
    }
    let store = Arc::new(SqlNotificationsStore::new(database, Arc::new(PlainSecretBox::default())));
    let (store, reads) = (Arc::clone(&store) as _, store as _);
    AlertsUnderTest { store, reads, users: users.try_into().unwrap(), place: Arc::new(place) }
}

/// Nothing was published before.
struct NothingPublished;

#[async_trait]
impl TickerBus for NothingPublished {
    async fn publish(&self, _: &Tick) -> Result<u64, PublishError> {
        Ok(0)
    }
    async fn snapshot(&self) -> Result<Option<Tick>, BusError> {
        Ok(None)
    }
    async fn history(&self, _: usize) -> Result<Vec<Tick>, BusError> {
        Ok(Vec::new())
    }
    async fn follow(&self) -> Result<Box<dyn TickFollower>, BusError> {
        Err(BusError("nobody follows here".to_owned()))
    }
}

fn usd(dollars: u32) -> Price {
    Price::try_new(dollars.into()).unwrap()
}

const fn id(n: u128) -> AlertRuleId {
    AlertRuleId(Uuid::from_u128(n))
}

/// All others fire, and no read of more than one user's rules fails.
async fn rules_that_cannot_be_read_keep_no_other_from_firing(url: &str, it: AlertsUnderTest) {
    for n in 1..=5 {
        let ids = (id(n), it.users[usize::from(n % 2 == 0)]);
        let mut tx = it.store.begin().await.unwrap();
        let rule = AlertRule::new(ids, Symbol::btc(), AlertCondition::Above(usd(100)), NOON, None);
        tx.alerts().add(&rule, NOON).await.unwrap();
        tx.commit().await.unwrap();
    }
    let sql = sea_orm::Database::connect(url).await.unwrap();
    let of = |n: u128| match sql.get_database_backend() {
        sea_orm::DbBackend::Postgres => format!("'{}'", Uuid::from_u128(n)),
        _ => format!("x'{}'", Uuid::from_u128(n).simple()),
    };
    for (n, change) in [(1, "condition = 'volume_spike'"), (4, "target = 'NaN'")] {
        let changed = sql.execute_unprepared(&format!("UPDATE alert_rules SET {change} WHERE id = {}", of(n))).await.unwrap();
        assert_eq!(changed.rows_affected(), 1, "{change}");
    }
    let unreadable = |news: &AlertNews| matches!(news, AlertNews::Unreadable(_));
    let news = it.reads.news(NOON, None, 10).await.unwrap();
    assert_eq!(news.iter().filter(|news| unreadable(news)).map(AlertNews::id).collect::<Vec<_>>(), [id(1), id(4)]);
    let some = it.reads.rules(&[id(1), id(2)]).await.unwrap();
    assert_eq!(some.iter().filter(|rule| rule.is_err()).count(), 1);
    let parts = EvaluatorParts {
        store: it.store.clone(),
        reads: it.reads.clone(),
        bus: Arc::new(NothingPublished),
        candles: Arc::new(MemoryCandles::default()),
        clock: Arc::new(StoppedClock::at(NOON)),
        entropy: Arc::new(CountingEntropy::default()),
    };
    let at = NOON + time::Duration::seconds(5);
    let items = [TickItem { quote: Quote::bare(Symbol::btc(), usd(101), Source::Kraken, at), stale: false }];
    let tick_id = TickId { epoch: 1, seq: 1 };
    let tick =
        Tick { id: tick_id, timestamp: at, source: Some(Source::Kraken), as_of: Some(at), stale: false, items: items.into() };
    let evaluated = EvaluateAlerts::new(parts).execute(&tick).await.unwrap();
    assert_eq!((evaluated.fired, evaluated.rules, evaluated.unreadable), (3, 3, 2));
}

#[tokio::test]
async fn rules_that_cannot_be_read_keep_no_other_from_firing_on_postgres() {
    let place = fresh_database().await;
    let url = place.url.clone();
    rules_that_cannot_be_read_keep_no_other_from_firing(&url, under_test(&url, place).await).await;
}

#[tokio::test]
async fn rules_that_cannot_be_read_keep_no_other_from_firing_on_sqlite() {
    let (url, place) = sqlite().await;
    rules_that_cannot_be_read_keep_no_other_from_firing(&url, under_test(&url, place).await).await;
}
