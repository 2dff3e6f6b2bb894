//! Accounts that a thief or a squatter had: whose they are in the end, and with what.

use coinlink_application::identity::{ChangeEmailError, LinkError, Opening, SignedIn};
use coinlink_domain::identity::{LinkCode, LinkProof, LinkPurpose, PersonName, Preferences, Role, Theme};
use coinlink_ports::identity::{IdentityStore as _, SecondFactorStore as _};
use coinlink_testkit::identity::an_email;
use time::Duration;

use super::{Letter, browser};
use crate::support::{ADA, GOOD, Identity, client, password};

const EVIL: &str = "eve@example.org";
const NEW: &str = "Another-horse-8-stable";

async fn asks(identity: &Identity, who: &SignedIn, new: &str) {
    let (session, from) = ((who.user.id, who.tokens.session), client("203.0.113.9"));
    identity.links.change_email.ask(session, &an_email(new), &password(GOOD), browser(6), &from).await.unwrap();
}

fn signed_in(letter: &Letter, who: &SignedIn) -> Opening {
    let proof = LinkProof { session: Some(who.tokens.session), account: Some(who.user.id), ..letter.by_hand().proof };
    Opening { proof, ..letter.by_hand() }
}

#[tokio::test]
async fn no_code_moves_somebodys_address_to_a_strangers_account() {
    for identity in [Identity::new(), Identity::strict()] {
        let stranger = identity.signs_up_in(EVIL, GOOD, browser(6)).await.unwrap();
        asks(&identity, &stranger, ADA).await;
        let change = identity.letter(ADA, "confirm_email_change");
        let victim = identity.signs_up_in(ADA, NEW, browser(1)).await.unwrap();
        let before = (identity.store.accounts(), identity.store.mail_links(), identity.store.mails().len());
        for opening in [change.anywhere(), change.by_hand(), change.inside(browser(1)), signed_in(&change, &victim)] {
            let refused = identity.links.change_email.confirm(&opening, &client("192.0.2.1")).await;
            assert!(matches!(refused, Err(LinkError::AskedElsewhere)), "{refused:?}");
        }
        assert_eq!((identity.store.accounts(), identity.store.mail_links(), identity.store.mails().len()), before);
        assert!(!identity.is_revoked(&victim), "nobody who claims the address is switched off");
        let verify = identity.letter(ADA, "verify_email").inside(browser(1));
        identity.links.verify_email.execute(&verify, None, &client("192.0.2.1")).await.unwrap();
        assert_eq!(identity.owner(ADA).unwrap().id, victim.user.id);
    }
}

#[tokio::test]
async fn a_change_is_confirmed_wherever_the_account_that_asked_is_signed_in() {
    let identity = Identity::new();
    let here = identity.verified(EVIL, GOOD).await;
    let there = identity.signs_in(EVIL, GOOD).await.unwrap();
    asks(&identity, &here, ADA).await;
    let letter = identity.letter(ADA, "confirm_email_change");
    identity.links.change_email.confirm(&signed_in(&letter, &there), &client("192.0.2.1")).await.unwrap();
    assert_eq!(identity.owner(ADA).unwrap().id, here.user.id);
}

#[tokio::test(start_paused = true)]
async fn the_owner_gets_back_what_a_thief_changed_and_nothing_the_thief_left_opens_it() {
    let identity = Identity::new();
    let thief = identity.verified(ADA, GOOD).await;
    identity.links_wallet(&thief, "mainnet:before").await;
    identity.makes_a_key(&thief).await;
    asks(&identity, &thief, EVIL).await;
    let confirm = identity.letter(EVIL, "confirm_email_change").inside(browser(6));
    identity.links.change_email.confirm(&confirm, &client("203.0.113.9")).await.unwrap();
    identity.clock.advance(Duration::MINUTE);
    identity.arms(&thief).await;
    let undo = identity.letter(ADA, "undo_email_change").by_hand();
    identity.links.undo_email_change.execute(&undo, &client("192.0.2.1")).await.unwrap();
    identity.is_disarmed(thief.user.id).await;
    let reset = identity.letter(ADA, "email_changed_back").by_hand();
    identity.links.reset_password.execute(&reset, &password(NEW), &client("192.0.2.1")).await.unwrap();
    identity.signs_in(ADA, NEW).await.unwrap();
    assert!(identity.is_revoked(&thief));
}

#[tokio::test(start_paused = true)]
async fn a_factor_of_before_a_change_outlives_its_undoing() {
    let identity = Identity::new();
    let owner = identity.verified(ADA, GOOD).await;
    asks(&identity, &owner, EVIL).await;
    identity.has_factor(owner.user.id).await;
    identity.clock.advance(Duration::MINUTE);
    let confirm = identity.letter(EVIL, "confirm_email_change").inside(browser(6));
    identity.links.change_email.confirm(&confirm, &client("203.0.113.9")).await.unwrap();
    let undo = identity.letter(ADA, "undo_email_change").by_hand();
    identity.links.undo_email_change.execute(&undo, &client("192.0.2.1")).await.unwrap();
    assert!(
        identity.store.second_factor(owner.user.id).await.unwrap().is_some(),
        "whoever has the old mailbox alone is not let in"
    );
}

#[tokio::test(start_paused = true)]
async fn a_reset_keeps_the_factor_of_a_verified_account_and_removes_a_squatters() {
    for verified in [true, false] {
        let identity = Identity::new();
        let here = if verified {
            identity.verified(ADA, GOOD).await
        } else {
            identity.signs_up_in(ADA, GOOD, browser(6)).await.unwrap()
        };
        identity.arms(&here).await;
        identity.links.ask.forgot_password(&an_email(ADA), browser(2), &client("192.0.2.1")).await.unwrap();
        let reset = identity.letter(ADA, "reset_password").inside(browser(2));
        identity.links.reset_password.execute(&reset, &password(NEW), &client("192.0.2.1")).await.unwrap();
        if verified {
            assert!(identity.store.second_factor(here.user.id).await.unwrap().is_some());
        } else {
            identity.is_disarmed(here.user.id).await;
        }
    }
}

#[tokio::test]
async fn nothing_that_a_squatter_wrote_survives() {
    let identity = Identity::new();
    let squatter = identity.signs_up_in(ADA, GOOD, browser(6)).await.unwrap();
    let mut account = identity.store.accounts().remove(0);
    account.user.first_name = Some(PersonName::try_new("Visit evil example").unwrap());
    account.user.last_name.clone_from(&account.user.first_name);
    identity.store.put_account(&account);
    let dark = Preferences { theme: Theme::Dark, ..Preferences::default() };
    let mut tx = identity.store.begin().await.unwrap();
    tx.users().save_preferences(squatter.user.id, &dark).await.unwrap();
    tx.commit().await.unwrap();
    let verify = identity.letter(ADA, "verify_email").by_hand();
    identity.links.verify_email.execute(&verify, Some(&password(NEW)), &client("192.0.2.1")).await.unwrap();
    let user = identity.owner(ADA).unwrap();
    assert_eq!((user.id, user.first_name, user.last_name), (squatter.user.id, None, None));
    assert_eq!(identity.store.preferences(user.id).await.unwrap().unwrap_or_default(), Preferences::default());
}

#[tokio::test(start_paused = true)]
async fn an_address_that_nobody_verified_hears_that_it_is_out_and_gets_no_link() {
    let identity = Identity::new();
    let here = identity.signs_up_in(ADA, GOOD, browser(6)).await.unwrap();
    asks(&identity, &here, EVIL).await;
    let confirm = identity.letter(EVIL, "confirm_email_change").inside(browser(6));
    identity.links.change_email.confirm(&confirm, &client("203.0.113.9")).await.unwrap();
    let told = identity.letters(ADA, "email_changed");
    assert_eq!((told.len(), told[0].fields.get("link"), told[0].fields.get("new_email")), (1, None, None));
    assert!(identity.letters(ADA, "undo_email_change").is_empty());
}

#[tokio::test(start_paused = true)]
async fn no_stranger_keeps_the_owner_from_a_link_that_resets_the_password() {
    let identity = Identity::new();
    identity.verified(ADA, GOOD).await;
    let forgot = async |n, from: &str| {
        identity.links.ask.forgot_password(&an_email(ADA), browser(n), &client(from)).await.unwrap();
        identity.letters(ADA, "reset_password").len()
    };
    assert_eq!(forgot(1, "192.0.2.1").await, 1);
    let owners = identity.letter(ADA, "reset_password");
    for n in 6..20 {
        assert!(forgot(n, "203.0.113.9").await <= 3);
    }
    identity.clock.advance(Duration::minutes(30) - Duration::SECOND);
    assert_eq!(forgot(1, "192.0.2.1").await, 3, "one still does");
    let owners = owners.inside(browser(1));
    let view = identity.links.look.execute(&owners, LinkPurpose::ResetPassword).await.unwrap();
    assert!(view.is_some_and(|view| !view.code_needed), "and the owner's own was not voided");
    identity.clock.advance(Duration::SECOND);
    assert_eq!(forgot(1, "192.0.2.1").await, 4, "none does: there is another");
    let reset = identity.letter(ADA, "reset_password").inside(browser(1));
    identity.links.reset_password.execute(&reset, &password(NEW), &client("192.0.2.1")).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn strangers_who_ask_for_an_address_do_not_use_up_its_owners_letters() {
    let identity = Identity::strict();
    let stranger = identity.verified(EVIL, GOOD).await;
    let owner = identity.verified("bob@example.org", GOOD).await;
    for _ in 0..12 {
        asks(&identity, &stranger, ADA).await;
    }
    assert_eq!(identity.letters(ADA, "confirm_email_change").len(), 3);
    asks(&identity, &owner, ADA).await;
    assert_eq!(identity.letters(ADA, "confirm_email_change").len(), 4);
    for n in 0..20 {
        let other = identity.verified(&format!("eve{n}@example.org"), GOOD).await;
        asks(&identity, &other, ADA).await;
    }
    assert_eq!(identity.letters(ADA, "confirm_email_change").len(), 10, "nor is a mailbox flooded");
}

#[tokio::test(start_paused = true)]
async fn a_strangers_letter_leaves_the_link_of_the_own_browser_and_session_good() {
    for by_code in [false, true] {
        let identity = Identity::new();
        let here = identity.signs_up_in(ADA, GOOD, browser(1)).await.unwrap();
        let own = identity.letter(ADA, "verify_email");
        for _ in 0..3 {
            identity.links.ask.resend(&an_email(ADA), &client("203.0.113.9")).await.unwrap();
        }
        let later = identity.letter(ADA, "verify_email");
        let verify = &identity.links.verify_email;
        let from = client("192.0.2.1");
        if by_code {
            let code = LinkCode::from_text(&own.code);
            verify.by_code((here.user.id, here.tokens.session), code, &from).await.unwrap();
        } else {
            verify.execute(&own.inside(browser(1)), None, &from).await.unwrap();
        }
        identity.arms(&here).await;
        let late = verify.execute(&later.by_hand(), Some(&password(NEW)), &from).await;
        assert!(late.is_err(), "what is verified is not taken over by another link");
        assert!(identity.store.second_factor(here.user.id).await.unwrap().is_some() && !identity.is_revoked(&here));
    }
}

#[tokio::test(start_paused = true)]
async fn who_has_a_second_factor_shows_it_before_the_address_changes() {
    let identity = Identity::new();
    let here = identity.verified(ADA, GOOD).await;
    identity.has_factor(here.user.id).await;
    let (session, from) = ((here.user.id, here.tokens.session), client("203.0.113.9"));
    let refused = identity.links.change_email.ask(session, &an_email(EVIL), &password(GOOD), browser(1), &from).await;
    assert!(matches!(refused, Err(ChangeEmailError::SecondFactorRequired)));
    assert!(identity.letters(EVIL, "confirm_email_change").is_empty());
}

/// The role was given to an address, by somebody who took whoever had it for its owner.
#[tokio::test(start_paused = true)]
async fn a_role_goes_with_an_account_that_never_owned_its_address_and_the_log_says_so() {
    for squats in [true, false] {
        let identity = if squats { Identity::new() } else { Identity::strict() };
        let (other, opening) = if squats {
            let owner = identity.verified(ADA, GOOD).await;
            asks(&identity, &owner, EVIL).await;
            let change = identity.letter(EVIL, "confirm_email_change").inside(browser(6));
            identity.links.change_email.confirm(&change, &client("203.0.113.9")).await.unwrap();
            let undo = identity.letter(ADA, "undo_email_change");
            (identity.signs_up_in(ADA, GOOD, browser(6)).await.unwrap(), undo)
        } else {
            let other = identity.signs_up_in(ADA, GOOD, browser(6)).await.unwrap();
            identity.signs_up_in(ADA, NEW, browser(1)).await.unwrap();
            (other, identity.letter(ADA, "verify_email"))
        };
        let mut account = identity.store.accounts().into_iter().find(|account| account.user.id == other.user.id).unwrap();
        account.user.role = Role::Admin;
        identity.store.put_account(&account);
        if squats {
            identity.links.undo_email_change.execute(&opening.by_hand(), &client("192.0.2.1")).await.unwrap();
        } else {
            identity.links.verify_email.execute(&opening.inside(browser(1)), None, &client("192.0.2.1")).await.unwrap();
        }
        let owner = identity.owner(ADA).unwrap().id;
        let account = identity.store.accounts().into_iter().find(|account| account.user.id == other.user.id).unwrap();
        assert!(owner != other.user.id && !account.user.is_active && account.user.role == Role::User);
        let log = identity.store.audit();
        let told: Vec<_> = log.iter().filter(|entry| entry.action == "admin.revoke").collect();
        assert_eq!(told.len(), 1);
        assert_eq!((told[0].user, told[0].resource_id.as_deref()), (Some(owner.0), Some(&*other.user.id.to_string())));
        assert_eq!(told[0].details["by"], "owner_of_the_address");
    }
}
