//! Alert rules and firings: the contract on each database.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::sync::Arc;

use async_trait::async_trait;
use coinlink_application::notifications::{EvaluateAlerts, EvaluatorParts};
use coinlink_domain::{
    market::{Price, Quote, Source, Symbol, Tick, TickId, TickItem},
    notifications::alerts::{AlertCondition, AlertRule, AlertRuleId},
};
use coinlink_ports::{
    identity::IdentityStore as _,
    market::{PublishError, TickFollower, TickerBus},
    notifications::AlertNews,
    shared::BusError,
};
use coinlink_postgres::{SqlIdentityStore, SqlNotificationsStore};
use coinlink_testkit::{
    identity::an_account,
    market::MemoryCandles,
    notifications::AlertsUnderTest,
    shared::{CountingEntropy, PlainSecretBox, StoppedClock},
};
use sea_orm::ConnectionTrait as _;
use time::{OffsetDateTime, macros::datetime};
use uuid::Uuid;

use crate::databases::{Place, on_each_database, on_postgres, on_sqlite};

const NOON: OffsetDateTime = datetime!(2026-11-21 12:00 UTC);

on_each_database!(alert_rules_contract, place => under_test(place).await);

async fn under_test(place: Place) -> AlertsUnderTest {
    let database = place.patient_database().await;
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
async fn rules_that_cannot_be_read_keep_no_other_from_firing(place: Place) {
    let sql = place.operator().await;
    let it = under_test(place).await;
    for n in 1..=5 {
        let ids = (id(n), it.users[usize::from(n % 2 == 0)]);
        let mut tx = it.store.begin().await.unwrap();
        let rule = AlertRule::new(ids, Symbol::btc(), AlertCondition::Above(usd(100)), NOON, None);
        tx.alerts().add(&rule, NOON).await.unwrap();
        tx.commit().await.unwrap();
    }
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
    let tick = Tick {
        id: tick_id,
        timestamp: at,
        source: Some(Source::Kraken),
        as_of: Some(at),
        stale: false,
        held: None,
        items: items.into(),
    };
    let evaluated = EvaluateAlerts::new(parts).execute(&tick).await.unwrap();
    assert_eq!((evaluated.fired, evaluated.rules, evaluated.unreadable), (3, 3, 2));
}

#[tokio::test]
async fn rules_that_cannot_be_read_keep_no_other_from_firing_on_postgres() {
    rules_that_cannot_be_read_keep_no_other_from_firing(on_postgres().await).await;
}

#[tokio::test]
async fn rules_that_cannot_be_read_keep_no_other_from_firing_on_sqlite() {
    rules_that_cannot_be_read_keep_no_other_from_firing(on_sqlite().await).await;
}
