//! The store fails between every two statements.

use coinlink_testkit::identity::an_email;

use super::browser;
use crate::support::{ADA, GOOD, Identity, client, password};

const NEW: &str = "Another-horse-8-stable";
const OTHER: &str = "ada@example.com";

#[tokio::test(start_paused = true)]
async fn a_reset_is_whole_or_not_at_all() {
    for verified in [true, false] {
        for calls in 0.. {
            let identity = Identity::new();
            let here = if verified {
                identity.verified(ADA, GOOD).await
            } else {
                identity.signs_up_in(ADA, GOOD, browser(1)).await.unwrap()
            };
            let (new, word, from) = (an_email(OTHER), password(GOOD), client("192.0.2.1"));
            let session = (here.user.id, here.tokens.session);
            identity.links.change_email.ask(session, &new, &word, browser(1), &from).await.unwrap();
            identity.links.ask.forgot_password(&an_email(ADA), browser(2), &from).await.unwrap();
            let opening = identity.letter(ADA, "reset_password").inside(browser(2));
            let before = (identity.store.audit().len(), identity.store.mails().len());
            identity.store.fail_after(calls);
            let done = identity.links.reset_password.execute(&opening, &password(NEW), &client("192.0.2.1")).await.is_ok();
            identity.store.recover();
            let is_new = identity.store.accounts()[0].password == identity.hasher.stored(NEW);
            let over = identity.store.sessions().iter().all(|session| session.ended.is_some());
            let void = identity.store.mail_links().iter().all(|link| link.ended_at.is_some());
            let told = (identity.store.audit().len() - before.0, identity.store.mails().len() - before.1);
            let is_verified = identity.store.users()[0].is_verified;
            let expected = if done { (true, true, true, (1, 1), true) } else { (false, false, false, (0, 0), verified) };
            assert_eq!((is_new, over, void, told, is_verified), expected, "{calls}");
            assert_eq!(identity.is_revoked(&here), done, "told only once it is true: {calls}");
            if done {
                assert!(calls > 8, "{calls}");
                break;
            }
            identity.links.reset_password.execute(&opening, &password(NEW), &client("192.0.2.1")).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_change_of_the_address_and_its_undoing_are_whole_or_not_at_all() {
    for undone in [false, true] {
        for calls in 0.. {
            let identity = Identity::new();
            let here = identity.verified(ADA, GOOD).await;
            let there = identity.signs_in(ADA, GOOD).await.unwrap();
            let session = (here.user.id, here.tokens.session);
            let (new, word, from) = (an_email(OTHER), password(GOOD), client("192.0.2.1"));
            identity.links.change_email.ask(session, &new, &word, browser(1), &from).await.unwrap();
            let confirm = identity.letter(OTHER, "confirm_email_change").inside(browser(1));
            if undone {
                identity.links.change_email.confirm(&confirm, &client("192.0.2.1")).await.unwrap();
            }
            let act = async || {
                if undone {
                    let undo = identity.letter(ADA, "undo_email_change").by_hand();
                    identity.links.undo_email_change.execute(&undo, &client("192.0.2.1")).await.is_ok()
                } else {
                    identity.links.change_email.confirm(&confirm, &client("192.0.2.1")).await.is_ok()
                }
            };
            let state = || {
                let store = &identity.store;
                let links: Vec<_> = store.mail_links().into_iter().map(|link| link.ended_at.is_some()).collect();
                let ended = store.sessions().iter().filter(|session| session.ended.is_some()).count();
                (store.accounts(), links, ended, store.audit().len(), store.mails().len())
            };
            let before = state();
            identity.store.fail_after(calls);
            let done = act().await;
            identity.store.recover();
            if done {
                assert!(calls > 8, "{calls}");
                let user = identity.owner(if undone { ADA } else { OTHER }).unwrap();
                assert!(user.is_verified && identity.is_revoked(&there));
                assert_eq!(identity.is_revoked(&here), undone);
                let after = state();
                assert_eq!((after.3 - before.3, after.4 - before.4), (1, 1));
                break;
            }
            assert_eq!(state(), before, "{calls}");
            assert!(act().await, "it can be repeated: {calls}");
        }
    }
}

#[tokio::test]
async fn verifying_is_whole_or_not_at_all() {
    for by_code in [false, true] {
        for calls in 0.. {
            let identity = Identity::strict();
            let other = identity.signs_up_in(ADA, GOOD, browser(6)).await.unwrap();
            let here = identity.signs_up_in(ADA, GOOD, browser(1)).await.unwrap();
            let letter = identity.letter(ADA, "verify_email");
            let opening = if by_code { letter.by_hand() } else { letter.inside(browser(1)) };
            let verify =
                async || identity.links.verify_email.execute(&opening, Some(&password(NEW)), &client("192.0.2.1")).await.is_ok();
            let (accounts, sessions) = (identity.store.accounts(), identity.store.sessions());
            identity.store.fail_after(calls);
            let done = verify().await;
            identity.store.recover();
            if done {
                assert_eq!(identity.owner(ADA).unwrap().id, here.user.id);
                assert_eq!((identity.is_revoked(&other), identity.is_revoked(&here)), (true, by_code));
                break;
            }
            assert_eq!((identity.store.accounts(), identity.store.sessions()), (accounts, sessions), "{calls}");
            assert!(verify().await, "it can be repeated: {calls}");
        }
    }
}
