use std::sync::Arc;

use async_trait::async_trait;
use coinlink_application::identity::{ChangePasswordError, SignInError};
use coinlink_domain::{
    identity::{EndReason, Password, StoredPassword},
    shared::audit::AuditStatus,
};
use coinlink_ports::identity::{HashError, PasswordCheck, PasswordHasher};
use coinlink_testkit::identity::{MemoryIdentity, PlainHasher};

use crate::support::{ADA, GOOD, Identity, client, password};

const NEW: &str = "Another-horse-8-stable";

#[tokio::test]
async fn a_new_password_ends_the_other_sessions_and_the_old_one_is_of_no_use() {
    let identity = Identity::new();
    let here = identity.signs_up(ADA).await.unwrap();
    let there = identity.signs_in(ADA, GOOD).await.unwrap();
    let who = (here.user.id, here.tokens.session);
    let ended = identity.change_password.execute(who, &password(GOOD), &password(NEW), &client("192.0.2.1")).await.unwrap();
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
        let refused = identity.change_password.execute(who, &password("wrong"), &password(NEW), &client("192.0.2.1")).await;
        assert!(matches!(refused, Err(ChangePasswordError::WrongPassword)));
    }
    let delayed = identity.change_password.execute(who, &password(GOOD), &password(NEW), &client("192.0.2.1")).await;
    assert!(matches!(delayed, Err(ChangePasswordError::WrongPassword)));
    assert_eq!(identity.audited().last().unwrap(), &("auth.password_change".to_owned(), AuditStatus::Failure));
    identity.signs_in(ADA, GOOD).await.unwrap();
}

#[tokio::test]
async fn a_weak_or_unchanged_password_changes_nothing() {
    let identity = Identity::new();
    let here = identity.signs_up(ADA).await.unwrap();
    let who = (here.user.id, here.tokens.session);
    let weak = identity.change_password.execute(who, &password(GOOD), &password("short"), &client("192.0.2.1")).await;
    assert!(matches!(weak, Err(ChangePasswordError::WeakPassword(_))));
    let same = identity.change_password.execute(who, &password(GOOD), &password(GOOD), &client("192.0.2.1")).await;
    assert!(matches!(same, Err(ChangePasswordError::Unchanged)));
    identity.signs_in(ADA, GOOD).await.unwrap();
}

/// Checks a password only after somebody changed it in the store.
struct SlowHasher {
    store: MemoryIdentity,
    inner: PlainHasher,
}

#[async_trait]
impl PasswordHasher for SlowHasher {
    async fn hash(&self, password: &Password) -> Result<StoredPassword, HashError> {
        self.inner.hash(password).await
    }

    async fn check(&self, password: &Password, stored: Option<&StoredPassword>) -> Result<PasswordCheck, HashError> {
        let mut account = self.store.accounts().remove(0);
        account.password = self.inner.stored(NEW);
        self.store.put_account(&account);
        self.inner.check(password, stored).await
    }
}

#[tokio::test]
async fn a_sign_in_under_way_while_the_password_changes_does_not_get_through() {
    let mut identity = Identity::new();
    identity.signs_up(ADA).await.unwrap();
    identity.sign_in.hasher = Arc::new(SlowHasher { store: identity.store.clone(), inner: PlainHasher::default() });
    assert!(matches!(identity.signs_in(ADA, GOOD).await, Err(SignInError::InvalidCredentials)));
    assert_eq!(identity.store.sessions().len(), 1, "that of the sign-up");
    identity.sign_in.hasher = identity.hasher.clone();
    identity.signs_in(ADA, NEW).await.unwrap();
}
