//! What a transaction promises, whatever is done in it.

use std::time::Duration;

use coinlink_domain::{
    identity::Preferences,
    shared::{audit::AuditEntry, mail::OutgoingMail},
};
use coinlink_ports::{identity::IdentityTx, shared::StoreError};
use uuid::Uuid;

use super::{
    super::{NOON, a_session, an_account},
    IdentityUnderTest, at_once,
};

fn an_entry() -> AuditEntry {
    AuditEntry::new(Uuid::now_v7(), NOON, "auth.sign_in", "session")
}

fn a_letter() -> OutgoingMail {
    OutgoingMail::new(Uuid::now_v7(), "ada@example.org", "verify_email", NOON).with("code", "314159")
}

/// Writes one row of each kind.
async fn write_all(tx: &mut dyn IdentityTx, email: &str) -> coinlink_domain::identity::Session {
    let account = an_account(email);
    let session = a_session(account.user.id);
    tx.users().add(&account).await.unwrap();
    tx.users().save_preferences(account.user.id, &Preferences::default()).await.unwrap();
    tx.sessions().add(&session).await.unwrap();
    tx.audit().record(&an_entry()).await.unwrap();
    tx.mail().post(&a_letter()).await.unwrap();
    session
}

async fn is_empty(it: &IdentityUnderTest, session: &coinlink_domain::identity::Session) -> bool {
    it.store.user(session.user).await.unwrap().is_none()
        && it.store.preferences(session.user).await.unwrap().is_none()
        && it.store.session(session.id).await.unwrap().is_none()
        && (it.audited)().await.is_empty()
        && (it.mailed)().await.is_empty()
}

pub async fn a_dropped_transaction_leaves_no_trace(it: IdentityUnderTest) {
    let mut tx = it.store.begin().await.unwrap();
    let session = write_all(&mut *tx, "ada@example.org").await;
    drop(tx);
    assert!(is_empty(&it, &session).await);
    it.a_user("ada@example.org").await;
}

pub async fn what_is_not_committed_is_seen_by_nobody_else(it: IdentityUnderTest) {
    let mut tx = it.store.begin().await.unwrap();
    let session = write_all(&mut *tx, "ada@example.org").await;
    assert!(is_empty(&it, &session).await);
    tx.commit().await.unwrap();
    assert!(!is_empty(&it, &session).await);
    assert_eq!(it.kept(session.id).await, session);
}

pub async fn a_transaction_sees_what_it_wrote(it: IdentityUnderTest) {
    let mut tx = it.store.begin().await.unwrap();
    let mut session = write_all(&mut *tx, "ada@example.org").await;
    session.replays = 3;
    assert!(tx.sessions().save(&session).await.unwrap());
    assert_eq!(tx.sessions().lock(session.id).await.unwrap(), Some(session.clone()));
    assert!(tx.users().lock(session.user).await.unwrap().is_some());
}

/// What followed a refused statement must not be kept where what it followed is not, and nobody may take it for kept.
pub async fn a_transaction_that_failed_once_does_nothing_more(it: IdentityUnderTest) {
    it.a_user("ada@example.org").await;
    let mut tx = it.store.begin().await.unwrap();
    let bob = an_account("bob@example.org");
    tx.users().add(&bob).await.unwrap();
    tx.users().add(&an_account("ada@example.org")).await.unwrap_err();
    let later = tx.audit().record(&an_entry()).await;
    assert!(matches!(later, Err(StoreError::Unavailable(_))), "{later:?}");
    let mut straight_on = it.store.begin().await.unwrap();
    straight_on.users().add(&bob).await.unwrap();
    straight_on.users().add(&an_account("ada@example.org")).await.unwrap_err();
    for failed in [tx, straight_on] {
        let committed = failed.commit().await;
        assert!(matches!(committed, Err(StoreError::Unavailable(_))), "{committed:?}");
    }
    assert_eq!(it.store.user(bob.user.id).await.unwrap(), None);
    assert_eq!((it.audited)().await, [] as [Uuid; 0]);
}

/// More of them than any pool has connections, each with the same row held.
pub async fn dropped_transactions_hold_nothing_and_nobody_up(it: IdentityUnderTest) {
    let session = it.a_session("ada@example.org").await;
    for _ in 0..30 {
        let mut tx = it.store.begin().await.unwrap();
        assert_eq!(tx.sessions().lock(session.id).await.unwrap(), Some(session.clone()));
    }
    at_once(30, |_| {
        let (it, id) = (it.clone(), session.id);
        async move {
            let mut tx = it.store.begin().await.unwrap();
            tx.sessions().lock(id).await.unwrap().unwrap();
        }
    })
    .await;
    assert!(it.save(&session).await);
}

/// A client that hangs up, in the middle of a statement that waits for another.
pub async fn a_call_that_was_given_up_holds_nobody_up(it: IdentityUnderTest) {
    let session = it.a_session("ada@example.org").await;
    let mut holder = it.store.begin().await.unwrap();
    holder.sessions().lock(session.id).await.unwrap().unwrap();
    for _ in 0..15 {
        let waiting = async {
            let mut tx = it.store.begin().await.unwrap();
            tx.sessions().lock(session.id).await.unwrap();
        };
        assert!(tokio::time::timeout(Duration::from_millis(10), waiting).await.is_err(), "somebody else holds it");
    }
    holder.commit().await.unwrap();
    assert!(it.save(&session).await);
}

pub async fn audit_entries_are_seen_once_they_are_committed(it: IdentityUnderTest) {
    let (kept, dropped) = (an_entry(), an_entry());
    let mut tx = it.store.begin().await.unwrap();
    tx.audit().record(&dropped).await.unwrap();
    drop(tx);
    let mut tx = it.store.begin().await.unwrap();
    tx.audit().record(&kept).await.unwrap();
    assert_eq!((it.audited)().await, [] as [Uuid; 0]);
    tx.commit().await.unwrap();
    assert_eq!((it.audited)().await, [kept.id]);
}

pub async fn letters_are_seen_once_they_are_committed(it: IdentityUnderTest) {
    let (kept, dropped) = (a_letter(), a_letter());
    let mut tx = it.store.begin().await.unwrap();
    tx.mail().post(&dropped).await.unwrap();
    drop(tx);
    let mut tx = it.store.begin().await.unwrap();
    tx.mail().post(&kept).await.unwrap();
    assert_eq!((it.mailed)().await, [] as [Uuid; 0]);
    tx.commit().await.unwrap();
    assert_eq!((it.mailed)().await, [kept.id]);
}
