//! Alert rules and firings: the contract on each database.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::{any::Any, sync::Arc, time::Duration};

use coinlink_migration::{Migrator, MigratorTrait};
use coinlink_ports::identity::IdentityStore as _;
use coinlink_postgres::{ConnectSettings, Database, SqlIdentityStore, SqlNotificationsStore};
use coinlink_testkit::{identity::an_account, notifications::AlertsUnderTest, servers::fresh_database, shared::PlainSecretBox};

mod postgres {
    coinlink_testkit::alert_rules_contract!(crate::on_postgres().await);
}

mod sqlite {
    coinlink_testkit::alert_rules_contract!(crate::on_sqlite().await);
}

async fn on_postgres() -> AlertsUnderTest {
    let place = fresh_database().await;
    under_test(&place.url.clone(), place).await
}

async fn on_sqlite() -> AlertsUnderTest {
    let place = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", place.path().join("coinlink.db").display());
    let database = Database::connect(&ConnectSettings::new(&url)).await.unwrap();
    database.with_migration_lock(async |connection| Migrator::up(connection, None).await).await.unwrap();
    under_test(&url, place).await
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
