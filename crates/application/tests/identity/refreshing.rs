use std::sync::Arc;

use async_trait::async_trait;
use coinlink_application::identity::RefreshError;
use coinlink_domain::{
    identity::{Email, EndReason, LEEWAY, Preferences, RefreshRefusal, Session, SessionId, SessionPolicy, User, UserId},
    shared::audit::AuditStatus,
};
use coinlink_ports::{
    identity::{AccessTokens as _, Account, IdentityStore, IdentityTx, SessionCounts},
    shared::StoreError,
};
use coinlink_testkit::identity::{MemoryIdentity, NOON, PlainAccessTokens, PlainRefreshTokens};
use time::{Duration, OffsetDateTime};

use crate::support::{ADA, GOOD, Identity, client};

#[tokio::test]
async fn a_refresh_moves_on_by_one_and_a_replay_gets_the_same_bytes() {
    let identity = Identity::new();
    let first = identity.signs_up(ADA).await.unwrap().tokens;
    let next = identity.refreshes(&first.refresh.0, None).await.unwrap();
    assert_ne!(next.refresh, first.refresh);
    identity.clock.advance(Duration::seconds(9));
    let again = identity.refreshes(&first.refresh.0, None).await.unwrap();
    assert_eq!((&again.refresh, &again.access), (&next.refresh, &next.access));
    assert_eq!(again.expires_in, next.expires_in - Duration::seconds(9), "counted from when it is told");
    assert_eq!(identity.store.sessions()[0].generation, 2);
}

#[tokio::test]
async fn a_stale_token_ends_the_family_although_the_request_fails() {
    let identity = Identity::new();
    let signed_in = identity.signs_up(ADA).await.unwrap();
    let next = identity.refreshes(&signed_in.tokens.refresh.0, None).await.unwrap();
    identity.clock.advance(Duration::seconds(10));
    assert!(matches!(identity.refreshes(&signed_in.tokens.refresh.0, None).await, Err(RefreshError::Reused)));
    assert!(identity.is_revoked(&signed_in));
    assert_eq!(identity.store.sessions()[0].ended.unwrap().reason, EndReason::TokenReused);
    let after = identity.refreshes(&next.refresh.0, None).await;
    assert!(matches!(after, Err(RefreshError::Refused(RefreshRefusal::Ended(EndReason::TokenReused)))));
    assert!(identity.audited().contains(&("auth.refresh_reused".to_owned(), AuditStatus::Denied)));
}

#[tokio::test]
async fn the_first_use_of_the_new_access_token_closes_the_grace() {
    let identity = Identity::new();
    let first = identity.signs_up(ADA).await.unwrap().tokens;
    let next = identity.refreshes(&first.refresh.0, None).await.unwrap();
    let old = identity.authenticate.verify(&first.access.0).unwrap();
    identity.authenticate.confirm(&old).await;
    assert!(!identity.store.sessions()[0].confirmed, "calls with the old token may still be on their way");
    let new = identity.authenticate.verify(&next.access.0).unwrap();
    identity.authenticate.confirm(&new).await;
    assert!(identity.store.sessions()[0].confirmed);
    assert!(matches!(identity.refreshes(&first.refresh.0, None).await, Err(RefreshError::Reused)));
}

/// The tokens are made by one node and used at another, whose clock is ahead by all that is allowed; it seems to that one as if the
/// grace was long over.
#[tokio::test]
async fn the_first_use_closes_the_grace_at_a_node_whose_clock_is_ahead_too() {
    for ahead in [Duration::seconds(16), Duration::seconds(30), LEEWAY] {
        let identity = Identity::new();
        let first = identity.signs_up(ADA).await.unwrap().tokens;
        let next = identity.refreshes(&first.refresh.0, None).await.unwrap();
        identity.clock.set(NOON + ahead);
        let new = identity.authenticate.verify(&next.access.0).unwrap();
        identity.authenticate.confirm(&new).await;
        assert!(identity.store.sessions()[0].confirmed, "{ahead}");
        identity.clock.set(NOON);
        assert!(matches!(identity.refreshes(&first.refresh.0, None).await, Err(RefreshError::Reused)), "{ahead}");
    }
}

#[tokio::test]
async fn the_arrival_is_noted_once_and_again_where_the_store_failed() {
    let identity = Identity::new();
    let first = identity.signs_up(ADA).await.unwrap().tokens;
    let next = identity.refreshes(&first.refresh.0, None).await.unwrap();
    let grant = PlainAccessTokens.verify(&next.access.0, coinlink_testkit::identity::NOON).unwrap();
    identity.store.fail_next();
    identity.authenticate.confirm(&grant).await;
    assert!(!identity.store.sessions()[0].confirmed);
    identity.authenticate.confirm(&grant).await;
    assert!(identity.store.sessions()[0].confirmed);
    let calls = identity.store.calls();
    for _ in 0..10 {
        identity.authenticate.confirm(&grant).await;
    }
    assert_eq!(identity.store.calls(), calls);
}

#[tokio::test]
async fn a_lost_answer_is_given_again_to_whoever_named_the_request() {
    let identity = Identity::new();
    let first = identity.signs_up(ADA).await.unwrap().tokens;
    let lost = identity.refreshes(&first.refresh.0, Some("a-1")).await.unwrap();
    identity.clock.advance(Duration::seconds(290));
    assert_eq!(identity.refreshes(&first.refresh.0, Some("a-1")).await.unwrap().refresh, lost.refresh);
    assert!(matches!(identity.refreshes(&first.refresh.0, Some("a-2")).await, Err(RefreshError::Reused)));
}

#[tokio::test]
async fn tokens_of_the_wrong_family_and_of_nobody_lead_nowhere() {
    let identity = Identity::new();
    let (ada, eve) = (identity.signs_up(ADA).await.unwrap(), identity.signs_up("eve@example.org").await.unwrap());
    let mut forged = identity.refresh.claimed(&eve.tokens.refresh.0).unwrap();
    forged.session = ada.tokens.session;
    let answer = identity.refresh.execute(forged, None, client("192.0.2.1")).await;
    assert!(matches!(answer, Err(RefreshError::Invalid)));
    assert!(!identity.is_revoked(&ada), "a forgery ends nothing");
    let session = identity.store.sessions().into_iter().find(|session| session.id == ada.tokens.session).unwrap();
    let ahead = identity.refreshes(&PlainRefreshTokens::of_generation(&session, 9), None).await;
    assert!(matches!(ahead, Err(RefreshError::Refused(RefreshRefusal::UnknownGeneration))));
}

#[tokio::test]
async fn a_session_that_was_signed_out_is_told_apart_from_one_that_was_stolen() {
    let identity = Identity::new();
    let signed_in = identity.signs_up(ADA).await.unwrap();
    let other = identity.signs_in(ADA, GOOD).await.unwrap();
    identity.sign_out.with_access_token(signed_in.tokens.session, &client("192.0.2.1")).await.unwrap();
    let answer = identity.refreshes(&signed_in.tokens.refresh.0, None).await;
    assert!(matches!(answer, Err(RefreshError::Refused(RefreshRefusal::Ended(EndReason::SignedOut)))));
    identity.refreshes(&other.tokens.refresh.0, None).await.unwrap();
}

#[tokio::test]
async fn an_access_token_does_not_outlive_its_session() {
    let identity = Identity::new();
    let mut token = identity.signs_up(ADA).await.unwrap().tokens.refresh.0;
    for _ in 0..4 {
        identity.clock.advance(Duration::days(6));
        token = identity.refreshes(&token, None).await.unwrap().refresh.0;
    }
    identity.clock.advance(Duration::days(6) - Duration::minutes(5));
    assert_eq!(identity.refreshes(&token, None).await.unwrap().expires_in, Duration::minutes(5));
}

/// Never notes anything, and never says so.
struct Frozen(MemoryIdentity);

#[async_trait]
impl IdentityStore for Frozen {
    async fn confirm(&self, _: SessionId, _: u32) -> Result<(), StoreError> {
        std::future::pending().await
    }

    async fn begin(&self) -> Result<Box<dyn IdentityTx>, StoreError> {
        self.0.begin().await
    }

    async fn user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        self.0.user(id).await
    }

    async fn account(&self, email: &Email) -> Result<Option<Account>, StoreError> {
        self.0.account(email).await
    }

    async fn account_of(&self, user: UserId) -> Result<Option<Account>, StoreError> {
        self.0.account_of(user).await
    }

    async fn preferences(&self, user: UserId) -> Result<Option<Preferences>, StoreError> {
        self.0.preferences(user).await
    }

    async fn session(&self, id: SessionId) -> Result<Option<Session>, StoreError> {
        self.0.session(id).await
    }

    async fn live_sessions(&self, user: UserId, now: OffsetDateTime, policy: &SessionPolicy) -> Result<Vec<Session>, StoreError> {
        self.0.live_sessions(user, now, policy).await
    }

    async fn count_sessions(
        &self,
        user: UserId,
        now: OffsetDateTime,
        policy: &SessionPolicy,
    ) -> Result<SessionCounts, StoreError> {
        self.0.count_sessions(user, now, policy).await
    }

    async fn ended_within(&self, span: Duration) -> Result<Vec<SessionId>, StoreError> {
        self.0.ended_within(span).await
    }

    async fn prune(&self, before: OffsetDateTime, policy: &SessionPolicy, limit: u64) -> Result<u64, StoreError> {
        self.0.prune(before, policy, limit).await
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_hangs_holds_one_request_up_for_a_moment_and_the_next_not_at_all() {
    let mut identity = Identity::new();
    let first = identity.signs_up(ADA).await.unwrap().tokens;
    let next = identity.refreshes(&first.refresh.0, None).await.unwrap();
    let grant = identity.authenticate.verify(&next.access.0).unwrap();
    let store = Arc::new(Frozen(identity.store.clone()));
    Arc::get_mut(&mut identity.authenticate).unwrap().store = store;
    for expected in [250, 0] {
        let asked = tokio::time::Instant::now();
        identity.authenticate.confirm(&grant).await;
        assert_eq!(asked.elapsed().as_millis(), expected);
    }
}
