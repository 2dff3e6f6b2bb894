//! The store fails between every two statements: what was promised is there, what was not is not.

use coinlink_domain::identity::guard_keys;
use coinlink_ports::identity::IdentityStore as _;
use coinlink_testkit::identity::an_email;

use crate::support::{ADA, GOOD, Identity, client, password};

const NEW: &str = "Another-horse-8-stable";

#[tokio::test]
async fn a_password_change_is_whole_or_not_at_all() {
    let mut changed = false;
    for calls in 0.. {
        let identity = Identity::new();
        let here = identity.signs_up(ADA).await.unwrap();
        let there = identity.signs_in(ADA, GOOD).await.unwrap();
        let before = identity.store.audit().len();
        identity.store.fail_after(calls);
        let who = (here.user.id, here.tokens.session);
        let done =
            identity.change_password.execute(who, &password(GOOD), &password(NEW), false, &client("192.0.2.1")).await.is_ok();
        identity.store.recover();
        let is_new = identity.store.accounts()[0].password == identity.hasher.stored(NEW);
        let over = identity.store.sessions().iter().filter(|session| session.ended.is_some()).count();
        assert_eq!(
            (is_new, over, identity.store.audit().len() - before),
            if done { (true, 1, 1) } else { (false, 0, 0) },
            "{calls}"
        );
        assert_eq!(identity.is_revoked(&there), done, "told only once it is true: {calls}");
        if done {
            changed = true;
            break;
        }
    }
    assert!(changed);
}

#[tokio::test]
async fn a_sign_up_that_fails_anywhere_can_be_repeated() {
    for calls in 0.. {
        let identity = Identity::new();
        identity.store.fail_after(calls);
        let done = identity.signs_up(ADA).await.is_ok();
        identity.store.recover();
        let there = (identity.store.users().len(), identity.store.sessions().len(), identity.store.audit().len());
        assert_eq!(there, if done { (1, 1, 1) } else { (0, 0, 0) }, "{calls}");
        if done {
            break;
        }
        identity.signs_up(ADA).await.unwrap();
    }
}

#[tokio::test]
async fn a_refresh_that_fails_anywhere_leaves_the_token_good() {
    for calls in 0.. {
        let identity = Identity::new();
        let token = identity.signs_up(ADA).await.unwrap().tokens.refresh.0;
        identity.store.fail_after(calls);
        let done = identity.refreshes(&token, None).await.is_ok();
        identity.store.recover();
        assert_eq!(identity.store.sessions()[0].generation, if done { 2 } else { 1 }, "{calls}");
        if done {
            break;
        }
        identity.refreshes(&token, None).await.unwrap();
    }
}

#[tokio::test]
async fn a_sign_in_that_fails_anywhere_opens_nothing() {
    for calls in 0.. {
        let identity = Identity::new();
        identity.signs_up(ADA).await.unwrap();
        identity.store.fail_after(calls);
        let done = identity.signs_in(ADA, GOOD).await.is_ok();
        identity.store.recover();
        assert_eq!(identity.store.sessions().len(), if done { 2 } else { 1 }, "{calls}");
        // The password was right: what is left of the attempt is given back once the store answers.
        identity.sign_in.settle().await.unwrap();
        let mut tx = identity.store.begin().await.unwrap();
        for key in guard_keys(&an_email(ADA), Some("192.0.2.1".parse().unwrap()), None) {
            assert_eq!(tx.guards().attempts(&key).await.unwrap().failures, 0, "{calls} {key:?}");
        }
        if done {
            break;
        }
    }
}
