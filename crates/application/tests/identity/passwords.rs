use std::sync::Arc;

use async_trait::async_trait;
use coinlink_application::identity::{ChangePasswordError, SignInError};
use coinlink_domain::{
    identity::{EndReason, Password, StoredPassword},
    shared::audit::AuditStatus,
};
use coinlink_ports::identity::{HashError, HashPlace, PasswordCheck, PasswordHasher};
use coinlink_testkit::identity::{MemoryIdentity, NOON, PlainHasher};

use crate::support::{ADA, GOOD, Identity, client, password};

const NEW: &str = "Another-horse-8-stable";

#[tokio::test]
async fn a_new_password_ends_the_other_sessions_and_the_old_one_is_of_no_use() {
    let identity = Identity::new();
    let here = identity.signs_up(ADA).await.unwrap();
    let there = identity.signs_in(ADA, GOOD).await.unwrap();
    let who = (here.user.id, here.tokens.session);
    let ended =
        identity.change_password.execute(who, &password(GOOD), &password(NEW), false, &client("192.0.2.1")).await.unwrap();
    assert_eq!((ended, identity.is_revoked(&here), identity.is_revoked(&there)), (1, false, true));
    let over = identity.store.sessions().into_iter().find_map(|session| session.ended).unwrap();
    assert_eq!(over.reason, EndReason::PasswordChanged);
    assert!(identity.signs_in(ADA, GOOD).await.is_err());
    identity.signs_in(ADA, NEW).await.unwrap();
    identity.refreshes(&here.tokens.refresh.0, None).await.unwrap();
}

#[tokio::test]
async fn the_present_password_is_asked_for_and_guessing_at_it_is_slowed_down() {
    let identity = Identity::new();
    let here = identity.signs_up(ADA).await.unwrap();
    let who = (here.user.id, here.tokens.session);
    for _ in 0..11 {
        let refused =
            identity.change_password.execute(who, &password("wrong"), &password(NEW), false, &client("192.0.2.1")).await;
        assert!(matches!(refused, Err(ChangePasswordError::WrongPassword)));
    }
    let delayed = identity.change_password.execute(who, &password(GOOD), &password(NEW), false, &client("192.0.2.1")).await;
    assert!(matches!(delayed, Err(ChangePasswordError::WrongPassword)));
    assert_eq!(identity.audited().last().unwrap(), &("auth.password_change".to_owned(), AuditStatus::Failure));
    identity.signs_in(ADA, GOOD).await.unwrap();
}

#[tokio::test]
async fn a_weak_or_unchanged_password_changes_nothing() {
    let identity = Identity::new();
    let here = identity.signs_up(ADA).await.unwrap();
    let who = (here.user.id, here.tokens.session);
    let weak = identity.change_password.execute(who, &password(GOOD), &password("short"), false, &client("192.0.2.1")).await;
    assert!(matches!(weak, Err(ChangePasswordError::WeakPassword(_))));
    let same = identity.change_password.execute(who, &password(GOOD), &password(GOOD), false, &client("192.0.2.1")).await;
    assert!(matches!(same, Err(ChangePasswordError::Unchanged)));
    identity.signs_in(ADA, GOOD).await.unwrap();
}

/// Something happens in the store while a password is hashed.
struct SlowHasher {
    store: MemoryIdentity,
    inner: PlainHasher,
    meanwhile: fn(&MemoryIdentity, &PlainHasher),
}

#[async_trait]
impl PasswordHasher for SlowHasher {
    fn place(&self) -> Result<HashPlace, HashError> {
        Ok(HashPlace::new(()))
    }

    async fn hash(&self, password: &Password) -> Result<StoredPassword, HashError> {
        (self.meanwhile)(&self.store, &self.inner);
        self.inner.hash(password).await
    }

    async fn check(&self, password: &Password, stored: Option<&StoredPassword>) -> Result<PasswordCheck, HashError> {
        (self.meanwhile)(&self.store, &self.inner);
        self.inner.check(password, stored).await
    }
}

fn slow(identity: &Identity, meanwhile: fn(&MemoryIdentity, &PlainHasher)) -> Arc<SlowHasher> {
    Arc::new(SlowHasher { store: identity.store.clone(), inner: PlainHasher::default(), meanwhile })
}

#[tokio::test]
async fn who_was_signed_out_while_the_password_was_hashed_does_not_change_it_any_more() {
    for meanwhile in [
        (|store, _| {
            let mut session = store.sessions().remove(0);
            session.end(EndReason::Removed, NOON);
            store.put_session(&session);
        }) as fn(&MemoryIdentity, &PlainHasher),
        |store, _| {
            let mut account = store.accounts().remove(0);
            account.user.is_active = false;
            store.put_account(&account);
        },
    ] {
        let mut identity = Identity::new();
        let here = identity.signs_up(ADA).await.unwrap();
        let hasher = slow(&identity, meanwhile);
        Arc::get_mut(&mut identity.change_password).unwrap().hasher = hasher;
        let who = (here.user.id, here.tokens.session);
        let refused = identity.change_password.execute(who, &password(GOOD), &password(NEW), false, &client("192.0.2.1")).await;
        assert!(matches!(refused, Err(ChangePasswordError::NoAccount)));
        assert_eq!(identity.store.accounts()[0].password, identity.hasher.stored(GOOD));
    }
}

#[tokio::test]
async fn a_new_password_makes_strangers_of_all_devices() {
    let identity = Identity::new();
    let here = identity.signs_up(ADA).await.unwrap();
    let device = here.device_token.0.clone();
    identity.signs_in_from(ADA, GOOD, "192.0.2.1", Some(&device)).await.unwrap();
    assert_eq!(identity.store.audit().last().unwrap().details["device"], "known");
    let who = (here.user.id, here.tokens.session);
    identity.change_password.execute(who, &password(GOOD), &password(NEW), false, &client("192.0.2.1")).await.unwrap();
    identity.signs_in_from(ADA, NEW, "192.0.2.1", Some(&device)).await.unwrap();
    assert_eq!(identity.store.audit().last().unwrap().details["device"], "new");
}

#[tokio::test]
async fn a_sign_in_under_way_while_the_password_changes_does_not_get_through() {
    let mut identity = Identity::new();
    identity.signs_up(ADA).await.unwrap();
    let hasher = slow(&identity, |store, hasher| {
        let mut account = store.accounts().remove(0);
        account.password = hasher.stored(NEW);
        store.put_account(&account);
    });
    Arc::get_mut(&mut identity.sign_in).unwrap().hasher = hasher;
    assert!(matches!(identity.signs_in(ADA, GOOD).await, Err(SignInError::InvalidCredentials)));
    assert_eq!(identity.store.sessions().len(), 1, "that of the sign-up");
    assert_eq!(identity.store.audit().last().unwrap().details["reason"], "changed_meanwhile");
    let hasher = identity.hasher.clone();
    Arc::get_mut(&mut identity.sign_in).unwrap().hasher = hasher;
    identity.signs_in(ADA, NEW).await.unwrap();
}
