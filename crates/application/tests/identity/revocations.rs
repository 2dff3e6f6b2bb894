use std::sync::Arc;

use coinlink_application::identity::{FollowRevocations, RevokedSessions, Standing};
use coinlink_domain::identity::SessionId;
use coinlink_ports::shared::Clock as _;
use coinlink_testkit::{identity::NOON, shared::StoppedClock};
use time::Duration;

use crate::support::{ADA, Identity, TTL, client};

fn follower(identity: &Identity, list: &Arc<RevokedSessions>) -> FollowRevocations {
    FollowRevocations::new(Arc::new(identity.store.clone()), list.clone(), identity.clock.clone(), TTL + Duration::minutes(1))
}

#[tokio::test]
async fn another_node_finds_in_the_store_what_redis_did_not_take() {
    let identity = Identity::new();
    *identity.gate.down.lock().unwrap() = true;
    let signed_in = identity.signs_up(ADA).await.unwrap();
    let other_node = Arc::new(RevokedSessions::default());
    let mut follower = follower(&identity, &other_node);
    follower.execute().await.unwrap();
    assert!(!other_node.contains(signed_in.tokens.session));
    identity.sign_out.with_access_token(signed_in.tokens.session, &client("192.0.2.1")).await.unwrap();
    assert!(identity.gate.revoked.lock().unwrap().is_empty());
    follower.execute().await.unwrap();
    assert!(other_node.contains(signed_in.tokens.session));
}

#[tokio::test]
async fn a_node_that_starts_knows_whatever_still_matters() {
    let identity = Identity::new();
    let signed_in = identity.signs_up(ADA).await.unwrap();
    identity.sign_out.with_access_token(signed_in.tokens.session, &client("192.0.2.1")).await.unwrap();
    identity.clock.advance(TTL);
    let list = Arc::new(RevokedSessions::default());
    follower(&identity, &list).execute().await.unwrap();
    assert!(list.contains(signed_in.tokens.session));
}

/// Of two nodes one is an hour ahead, or years behind: whichever ends a session, the other finds it at its next look and keeps it
/// as long as it matters.
#[tokio::test]
async fn what_ended_is_found_whatever_the_clocks_of_the_nodes_say() {
    for (ender, reader) in [(0, 60), (60, 0), (0, -60), (-60, 0), (-3, 0)] {
        let identity = Identity::new();
        let signed_in = identity.signs_up(ADA).await.unwrap();
        identity.clock.set(NOON + Duration::minutes(ender));
        let clock = Arc::new(StoppedClock::at(NOON + Duration::minutes(reader)));
        let list = Arc::new(RevokedSessions::default());
        let mut follower = FollowRevocations::new(Arc::new(identity.store.clone()), list.clone(), clock.clone(), TTL);
        follower.execute().await.unwrap();
        identity.sign_out.with_access_token(signed_in.tokens.session, &client("192.0.2.1")).await.unwrap();
        for step in [Duration::ZERO, Duration::SECOND, Duration::minutes(2), TTL - Duration::minutes(2) - Duration::SECOND] {
            clock.advance(step);
            identity.clock.advance(step);
            follower.execute().await.unwrap();
            assert!(list.contains(signed_in.tokens.session), "{ender} {reader} {step}");
        }
        for step in [Duration::minutes(2), TTL] {
            clock.advance(step);
            identity.clock.advance(step);
            follower.execute().await.unwrap();
        }
        assert!(!list.contains(signed_in.tokens.session), "forgotten once no token of it is left");
    }
}

#[tokio::test]
async fn what_no_token_can_outlive_is_forgotten() {
    let identity = Identity::new();
    let signed_in = identity.signs_up(ADA).await.unwrap();
    identity.sign_out.with_access_token(signed_in.tokens.session, &client("192.0.2.1")).await.unwrap();
    let mut follower = follower(&identity, &identity.revoked);
    follower.execute().await.unwrap();
    identity.clock.advance(TTL + Duration::minutes(3));
    follower.execute().await.unwrap();
    assert!(!identity.revoked.contains(signed_in.tokens.session));
}

#[tokio::test]
async fn a_look_that_fails_forgets_nothing_and_the_list_ages() {
    let identity = Identity::new();
    let signed_in = identity.signs_up(ADA).await.unwrap();
    identity.sign_out.with_access_token(signed_in.tokens.session, &client("192.0.2.1")).await.unwrap();
    let mut follower = follower(&identity, &identity.revoked);
    follower.execute().await.unwrap();
    let good = SessionId(uuid::Uuid::nil());
    assert_eq!(identity.authenticate.standing(good, false, true), Standing::Good);
    identity.clock.advance(Duration::seconds(6));
    identity.store.fail_next();
    assert!(follower.execute().await.is_err());
    assert!(!identity.revoked.is_current(identity.clock.monotonic()));
    let standing = |session, by_gate, alone| identity.authenticate.standing(session, by_gate, alone);
    assert_eq!(standing(signed_in.tokens.session, false, false), Standing::Revoked);
    assert_eq!(standing(good, true, false), Standing::Revoked);
    assert_eq!(standing(good, false, false), Standing::Good, "what the nodes share still answers");
    assert_eq!(standing(good, false, true), Standing::Unknown, "nobody does");
}
