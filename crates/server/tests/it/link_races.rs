//! Links in mail that several ask for or use at once, through the use cases, on both databases.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{sync::Arc, time::Duration as StdDuration};

use crate::http_support::gated::Behind;
use coinlink_application::identity::{IdentityAdapters, IdentityUseCases, NewAccount, SignedIn};
use coinlink_domain::identity::{BrowserMark, ClientInfo, Email, Password};
use coinlink_migration::{Migrator, MigratorTrait as _};
use coinlink_postgres::{ConnectSettings, Database, SqlIdentityStore};
use coinlink_testkit::{servers::fresh_database, shared::PlainSecretBox};
use futures_util::future::join_all;

const GOOD: &str = "Correct-horse-9-battery";

fn client() -> ClientInfo {
    ClientInfo::new(Some("192.0.2.1".parse().unwrap()), Some("test"))
}

fn email(text: &str) -> Email {
    Email::try_new(text).unwrap()
}

async fn use_cases_on(url: &str) -> IdentityUseCases {
    let timeouts = StdDuration::from_secs(20);
    let settings = ConnectSettings { acquire_timeout: timeouts, statement_timeout: timeouts, ..ConnectSettings::new(url) };
    let database = Database::connect(&settings).await.unwrap();
    database.with_migration_lock(async |connection| Migrator::up(connection, None).await).await.unwrap();
    let store = SqlIdentityStore::new(database, Arc::new(PlainSecretBox::default()));
    let adapters = IdentityAdapters {
        store: Arc::new(store.clone()),
        mail_links: Arc::new(store),
        // Ids of a database that other tests have used, too.
        entropy: Arc::new(coinlink_embedded::SystemEntropy),
        ..Behind::default().adapters()
    };
    IdentityUseCases::new(&adapters, Arc::default())
}

async fn signs_up(use_cases: &IdentityUseCases, address: &str) -> SignedIn {
    let password = Password::new(GOOD.to_owned());
    let new = NewAccount { email: email(address), password, first_name: None, last_name: None };
    use_cases.sign_up.execute(new, client()).await.unwrap()
}

async fn two_who_ask_for_each_others_address_both_get_an_answer(url: &str) {
    let it = use_cases_on(url).await;
    for round in 0..8 {
        let (ada, bob) = (format!("ada{round}@example.org"), format!("bob{round}@example.org"));
        let (first, second) = (signs_up(&it, &ada).await, signs_up(&it, &bob).await);
        let (password, browser, from) = (Password::new(GOOD.to_owned()), BrowserMark::new([1; 32]), client());
        let asks = async |who: &SignedIn, new: &str| {
            let session = (who.user.id, who.tokens.session);
            it.links.change_email.ask(session, &email(new), &password, browser, &from).await
        };
        let both = (0..4).map(|n| if n % 2 == 0 { asks(&first, &bob) } else { asks(&second, &ada) });
        for asked in join_all(both).await {
            asked.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_who_ask_for_each_others_address_both_get_an_answer_on_postgres() {
    let database = fresh_database().await;
    two_who_ask_for_each_others_address_both_get_an_answer(&database.url).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_who_ask_for_each_others_address_both_get_an_answer_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}?mode=rwc", folder.path().join("links.db").display());
    two_who_ask_for_each_others_address_both_get_an_answer(&url).await;
}
