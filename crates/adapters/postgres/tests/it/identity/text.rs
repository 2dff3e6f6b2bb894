//! Text that others wrote arrives and comes back as it is, and none of it is read as SQL.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use coinlink_domain::identity::{ClientInfo, Email, PersonName, Preferences, Session, User};
use coinlink_ports::identity::IdentityStore;
use coinlink_testkit::identity::{a_session, a_user, an_account_of};
use proptest::prelude::*;
use tokio::runtime::Runtime;

use crate::identity::place::{on_postgres, on_sqlite};

/// Anything that Unicode has, and what SQL would stumble over.
fn any_text() -> impl Strategy<Value = String> {
    let hostile =
        prop::sample::select(vec!["'; DROP TABLE users;--", "''", "\\'", "\"", "$1", "?", "%", "\0", "\u{1}", "🚀", "\u{fffd}"]);
    prop::collection::vec(prop_oneof![any::<String>(), hostile.prop_map(str::to_owned)], 1..4).prop_map(|parts| parts.concat())
}

fn survives(runtime: &Runtime, store: &dyn IdentityStore, name: &str, agent: &str) -> Result<(), TestCaseError> {
    let cut: String = name.chars().take(PersonName::MAX_CHARS).collect();
    let name = PersonName::try_new(&cut).ok();
    let bare = a_user(&format!("{}@example.org", uuid::Uuid::now_v7().simple()));
    let user = User { first_name: name.clone(), last_name: name, ..bare };
    let session = Session { client: ClientInfo::new(None, Some(agent)), ..a_session(user.id) };
    let (kept_user, kept_session) = runtime.block_on(async {
        let mut tx = store.begin().await.unwrap();
        tx.users().add(&an_account_of(user.clone())).await.unwrap();
        tx.sessions().add(&session).await.unwrap();
        tx.commit().await.unwrap();
        (store.user(user.id).await.unwrap(), store.session(session.id).await.unwrap())
    });
    prop_assert_eq!(kept_user, Some(user));
    prop_assert_eq!(kept_session, Some(session));
    Ok(())
}

#[test]
fn any_name_survives_on_postgres() {
    let runtime = Runtime::new().unwrap();
    let place = runtime.block_on(on_postgres());
    proptest!(|(name in any_text(), agent in any_text())| survives(&runtime, &*place.it.store, &name, &agent)?);
}

#[test]
fn any_name_survives_on_sqlite() {
    let runtime = Runtime::new().unwrap();
    let place = runtime.block_on(on_sqlite());
    proptest!(|(name in any_text(), agent in any_text())| survives(&runtime, &*place.it.store, &name, &agent)?);
}

/// PostgreSQL keeps no NUL in a text: no value that a store is given holds one.
#[test]
fn no_value_of_the_domain_holds_a_nul() {
    assert!(PersonName::try_new("a\0b").is_err());
    assert!(Email::try_new("a\0b@example.org").is_err() && Email::try_new("a@example.org\0").is_err());
    assert_eq!(ClientInfo::new(None, Some("a\0b")).user_agent.as_deref(), Some("ab"));
    let preferences = Preferences { language: "e\0".to_owned(), currency: "US\0".to_owned(), ..Preferences::default() };
    assert_eq!(preferences.check().unwrap_err().len(), 2);
}
