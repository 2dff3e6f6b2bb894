use coinlink_application::identity::{
    AdminRefusal, AdministerError, Administrator, NewAccount, RefreshError, SignInError, SignUpError,
};
use coinlink_domain::{
    identity::{EndReason, GuardKey, GuardPolicies, RefreshRefusal, Role, SecondFactor, Session, SessionId, User, UserId},
    shared::{audit::AuditStatus, reason::Reason, sealed::Sealed},
};
use coinlink_ports::identity::{AccountFilter, IdentityStore as _};
use coinlink_testkit::identity::{NOON, a_session, a_user, an_account_of, an_email};
use futures_util::future::join_all;
use time::Duration;
use uuid::Uuid;

use crate::support::{ADA, GOOD, Identity, client, password};

const WHERE: &str = "/api/v2/admin/users";

fn why() -> Reason {
    Reason::try_new("ticket 4711").unwrap()
}

/// An administrator of this name with a session in which the second factor was just shown.
async fn an_admin(identity: &Identity, email: &str) -> (Administrator, SessionId) {
    let user = User { role: Role::Admin, ..a_user(email) };
    identity.store.put_account(&an_account_of(user.clone()));
    with_factor(identity, user.id).await;
    let session = Session { second_factor_at: Some(NOON), ..a_session(user.id) };
    identity.store.put_session(&session);
    (Administrator { user: user.id }, session.id)
}

async fn with_factor(identity: &Identity, user: UserId) {
    let secret = Sealed { key_id: "1".into(), bytes: vec![1] };
    let mut tx = identity.store.begin().await.unwrap();
    tx.second_factors().set_up(&SecondFactor::new(user, secret, NOON)).await.unwrap();
    tx.second_factors().confirm(user, 1, NOON).await.unwrap();
    tx.commit().await.unwrap();
}

/// What somebody hears, and with which reason it was written down.
async fn refused(identity: &Identity, who: (UserId, SessionId)) -> (AdminRefusal, Option<String>) {
    let before = identity.store.audit().len();
    let refusal = identity.administration.authorize.execute(who, WHERE, &client("192.0.2.1")).await.unwrap_err();
    let audit = identity.store.audit();
    let reason = audit[before..].last().map(|entry| {
        assert_eq!((&*entry.action, entry.status, entry.user), ("admin.access", AuditStatus::Denied, Some(who.0.0)));
        assert_eq!(entry.details["route"], WHERE);
        entry.details["reason"].clone()
    });
    (refusal, reason)
}

#[tokio::test]
async fn who_may_administer_is_what_the_store_says_now() {
    let identity = Identity::new();
    let (admin, session) = an_admin(&identity, "root@example.org").await;
    let who = (admin.user, session);
    let asked = identity.administration.authorize.execute(who, WHERE, &client("192.0.2.1")).await.unwrap();
    assert_eq!(asked, admin);
    assert!(identity.store.audit().is_empty(), "who may is written down by what is done");

    let account = identity.store.accounts().remove(0);
    identity.store.put_account(&an_account_of(User { role: Role::User, ..account.user.clone() }));
    let (refusal, reason) = refused(&identity, who).await;
    assert!(matches!(refusal, AdminRefusal::NotAdmin) && reason.as_deref() == Some("not_admin"), "{refusal:?}");

    identity.store.put_account(&an_account_of(User { is_active: false, ..account.user.clone() }));
    assert!(matches!(refused(&identity, who).await, (AdminRefusal::SessionOver, None)));
    identity.store.put_account(&account);
    let (other, _) = an_admin(&identity, "other@example.org").await;
    assert!(matches!(refused(&identity, (other.user, session)).await, (AdminRefusal::SessionOver, None)), "it is not theirs");
}

#[tokio::test]
async fn a_second_factor_has_to_be_set_up_and_shown_within_five_minutes() {
    let identity = Identity::new();
    let (admin, session) = an_admin(&identity, "root@example.org").await;
    let who = (admin.user, session);
    identity.clock.advance(Duration::minutes(5) - Duration::MICROSECOND);
    assert!(identity.administration.authorize.execute(who, WHERE, &client("192.0.2.1")).await.is_ok());
    identity.clock.advance(Duration::MICROSECOND);
    let (refusal, reason) = refused(&identity, who).await;
    assert!(matches!(refusal, AdminRefusal::FactorNotFresh) && reason.as_deref() == Some("second_factor_not_fresh"));

    let bare = User { role: Role::Admin, ..a_user("bare@example.org") };
    identity.store.put_account(&an_account_of(bare.clone()));
    let session = Session { second_factor_at: Some(NOON + Duration::minutes(5)), ..a_session(bare.id) };
    identity.store.put_session(&session);
    let (refusal, reason) = refused(&identity, (bare.id, session.id)).await;
    assert!(matches!(refusal, AdminRefusal::FactorNotSetUp) && reason.as_deref() == Some("second_factor_not_set_up"));
}

#[tokio::test]
async fn a_locked_account_signs_in_nowhere_and_its_sessions_are_over() {
    let identity = Identity::new();
    let (admin, _) = an_admin(&identity, "root@example.org").await;
    let ada = identity.signs_up(ADA).await.unwrap();
    let accounts = &identity.administration.accounts;
    let locked = accounts.lock(admin, ada.user.id, &why(), &client("192.0.2.9")).await.unwrap();
    assert!(locked.changed && locked.ended == 1 && !locked.user.is_active);
    assert!(identity.is_revoked(&ada));
    assert_eq!(*identity.gate.revoked.lock().unwrap(), [ada.tokens.session.0], "other nodes are told at once");
    assert!(matches!(identity.signs_in(ADA, GOOD).await, Err(SignInError::InvalidCredentials)));
    let refreshed = identity.refreshes(&ada.tokens.refresh.0, None).await;
    assert!(matches!(refreshed, Err(RefreshError::Refused(RefreshRefusal::Ended(EndReason::Administered)))), "{refreshed:?}");

    let again = accounts.lock(admin, ada.user.id, &why(), &client("192.0.2.9")).await.unwrap();
    assert!(!again.changed && again.ended == 0);
    let unlocked = accounts.unlock(admin, ada.user.id, &why(), &client("192.0.2.9")).await.unwrap();
    assert!(unlocked.changed && unlocked.user.is_active);
    assert!(!accounts.unlock(admin, ada.user.id, &why(), &client("192.0.2.9")).await.unwrap().changed);
    identity.signs_in(ADA, GOOD).await.unwrap();

    let told: Vec<_> = identity.store.mails().into_iter().filter(|mail| mail.template.starts_with("account_")).collect();
    let templates: Vec<_> = told.iter().map(|mail| &*mail.template).collect();
    assert_eq!(templates, ["account_locked", "account_unlocked"], "once each");
    assert!(told.iter().all(|mail| mail.to == ADA) && told[0].fields["reason"] == "ticket 4711");
    let audit = identity.store.audit();
    let acts: Vec<_> = audit.iter().filter(|entry| entry.action.starts_with("admin.")).collect();
    assert_eq!(acts.len(), 4);
    for act in acts {
        assert_eq!((act.user, act.resource_id.as_deref()), (Some(admin.user.0), Some(ada.user.id.to_string().as_str())));
        assert_eq!((&*act.details["reason"], act.ip.map(|ip| ip.to_string())), ("ticket 4711", Some("192.0.2.9".to_owned())));
    }
}

#[tokio::test]
async fn unlocking_forgets_the_guesses_at_the_account() {
    let identity = Identity::new();
    let (admin, _) = an_admin(&identity, "root@example.org").await;
    let ada = identity.signs_up(ADA).await.unwrap().user.id;
    let keys = [GuardKey::Account(an_email(ADA)), GuardKey::SecondFactor(ada)];
    let mut tx = identity.store.begin().await.unwrap();
    tx.guards().reserve(&keys, NOON, &GuardPolicies::default()).await.unwrap().unwrap();
    tx.commit().await.unwrap();
    identity.administration.accounts.unlock(admin, ada, &why(), &client("192.0.2.9")).await.unwrap();
    let mut tx = identity.store.begin().await.unwrap();
    for key in keys {
        assert_eq!(tx.guards().attempts(&key).await.unwrap().failures, 0);
    }
}

#[tokio::test]
async fn sessions_are_ended_and_the_account_may_sign_in_again() {
    let identity = Identity::new();
    let (admin, _) = an_admin(&identity, "root@example.org").await;
    let ada = identity.signs_up(ADA).await.unwrap();
    identity.signs_in(ADA, GOOD).await.unwrap();
    let revoked =
        identity.administration.accounts.revoke_sessions(admin, ada.user.id, &why(), &client("192.0.2.9")).await.unwrap();
    assert!(revoked.ended == 2 && revoked.user.is_active && identity.is_revoked(&ada));
    identity.signs_in(ADA, GOOD).await.unwrap();
}

#[tokio::test]
async fn nobody_locks_the_last_administrator_the_own_account_or_one_that_is_not_there() {
    let identity = Identity::new();
    let (admin, _) = an_admin(&identity, "root@example.org").await;
    let accounts = &identity.administration.accounts;
    let lock = async |admin, target| accounts.lock(admin, target, &why(), &client("192.0.2.9")).await;
    assert!(matches!(lock(admin, admin.user).await, Err(AdministerError::LastAdmin)));
    let (other, _) = an_admin(&identity, "other@example.org").await;
    assert!(matches!(lock(admin, admin.user).await, Err(AdministerError::OwnAccount)));
    assert!(matches!(lock(admin, UserId(Uuid::now_v7())).await, Err(AdministerError::NoAccount)));
    assert!(lock(admin, other.user).await.unwrap().changed);
    assert!(matches!(lock(other, admin.user).await, Err(AdministerError::NotAdmin)), "it was locked since it was let in");
    let refused: Vec<_> = identity.store.audit().iter().filter_map(|entry| entry.details.get("refused").cloned()).collect();
    assert_eq!(refused, ["last_admin", "own_account", "no_account", "not_admin"], "each is written down");
}

#[tokio::test]
async fn two_administrators_who_lock_each_other_at_once_do_not_both_succeed() {
    for _ in 0..50 {
        let identity = Identity::new();
        let (one, _) = an_admin(&identity, "one@example.org").await;
        let (two, _) = an_admin(&identity, "two@example.org").await;
        let accounts = &identity.administration.accounts;
        let (why, client) = (why(), client("192.0.2.9"));
        let both = tokio::join!(accounts.lock(one, two.user, &why, &client), accounts.lock(two, one.user, &why, &client));
        assert_eq!([both.0.is_ok(), both.1.is_ok()].into_iter().filter(|done| *done).count(), 1);
        assert_eq!(identity.store.users().iter().filter(|user| user.is_active).count(), 1);
    }
}

#[tokio::test]
async fn a_lock_is_whole_or_not_at_all() {
    for calls in 0..11 {
        let identity = Identity::new();
        let (admin, _) = an_admin(&identity, "root@example.org").await;
        let ada = identity.signs_up(ADA).await.unwrap();
        let (audited, mailed) = (identity.store.audit().len(), identity.store.mails().len());
        identity.store.fail_after(calls);
        let locked = identity.administration.accounts.lock(admin, ada.user.id, &why(), &client("192.0.2.9")).await;
        identity.store.recover();
        let user = identity.store.user(ada.user.id).await.unwrap().unwrap();
        let done = locked.is_ok();
        assert_eq!((user.is_active, identity.is_revoked(&ada)), (!done, done), "after {calls} calls");
        assert_eq!(identity.store.audit().len() - audited, usize::from(done));
        assert_eq!(identity.store.mails().len() - mailed, usize::from(done));
        assert_eq!(done, calls >= 10, "after {calls} calls");
    }
}

#[tokio::test]
async fn a_look_at_accounts_is_written_down_without_an_address() {
    let identity = Identity::new();
    let (admin, _) = an_admin(&identity, "root@example.org").await;
    identity.signs_up(ADA).await.unwrap();
    let email = Some(coinlink_domain::identity::EmailPrefix::try_new("ada@").unwrap());
    let filter = AccountFilter { email, active: Some(true), ..AccountFilter::default() };
    let page = identity.administration.directory.execute(admin, &filter, None, 20, &client("192.0.2.9")).await.unwrap();
    assert_eq!((page.users.len(), page.next), (1, None));
    let look = identity.store.audit().pop().unwrap();
    assert_eq!((&*look.action, look.user), ("admin.read_users", Some(admin.user.0)));
    assert!(look.details["active"] == "true" && !format!("{look:?}").contains("ada"), "{look:?}");
    identity.store.fail_next();
    assert!(identity.administration.directory.execute(admin, &filter, None, 20, &client("192.0.2.9")).await.is_err());
}

#[tokio::test]
async fn a_role_that_is_taken_away_ends_the_sessions_it_was_used_in() {
    let identity = Identity::new();
    let (admin, session) = an_admin(&identity, "root@example.org").await;
    an_admin(&identity, "other@example.org").await;
    identity.role.execute(&an_email("root@example.org"), Role::User).await.unwrap();
    let kept = identity.store.session(session).await.unwrap().unwrap();
    assert_eq!(kept.ended.map(|ending| ending.reason), Some(EndReason::Administered));
    let ada = identity.signs_up(ADA).await.unwrap();
    identity.role.execute(&an_email(ADA), Role::Admin).await.unwrap();
    assert!(!identity.is_revoked(&ada), "one that is given ends none");
    assert!(matches!(refused(&identity, (admin.user, session)).await.0, AdminRefusal::NotAdmin));
}

/// A thousand times, an account is locked while it signs in from four places; how far they got by then differs.
#[tokio::test]
async fn a_sign_in_that_meets_a_lock_leaves_no_session() {
    let (mut came_first, mut came_late) = (0, 0);
    for round in 0..1_000 {
        let identity = Identity::new();
        let (admin, _) = an_admin(&identity, "root@example.org").await;
        let mut account = an_account_of(a_user(ADA));
        account.password = identity.hasher.stored(GOOD);
        identity.store.put_account(&account);
        let (why, client) = (why(), client("192.0.2.9"));
        let lock = async {
            for _ in 0..round % 20 {
                tokio::task::yield_now().await;
            }
            identity.administration.accounts.lock(admin, account.user.id, &why, &client).await.unwrap()
        };
        let sign_ins = (0..4).map(|n| {
            let identity = &identity;
            async move {
                for _ in 0..n * (round / 20) % 7 {
                    tokio::task::yield_now().await;
                }
                identity.signs_in(ADA, GOOD).await
            }
        });
        let (outcomes, _) = tokio::join!(join_all(sign_ins), lock);
        for outcome in outcomes {
            match outcome {
                Ok(signed_in) => {
                    came_first += 1;
                    assert!(identity.is_revoked(&signed_in), "round {round}");
                }
                Err(refused) => {
                    came_late += 1;
                    assert!(matches!(refused, SignInError::InvalidCredentials), "round {round}: {refused:?}");
                }
            }
        }
        let sessions = identity.store.sessions();
        let live = sessions.iter().filter(|session| session.user == account.user.id && session.ended.is_none());
        assert_eq!(live.count(), 0, "round {round}");
    }
    assert!(came_first > 100 && came_late > 100, "{came_first} came before the lock and {came_late} after it");
}

#[tokio::test]
async fn a_sign_up_with_a_password_that_does_not_do_is_written_down_without_it() {
    let identity = Identity::new();
    let new = NewAccount { email: an_email(ADA), password: password("hunter2"), first_name: None, last_name: None };
    let refused = identity.sign_up.execute(new, client("192.0.2.1")).await;
    assert!(matches!(refused, Err(SignUpError::WeakPassword(_))));
    let entry = identity.store.audit().pop().unwrap();
    assert_eq!(
        (&*entry.action, entry.status, &*entry.details["reason"]),
        ("auth.sign_up", AuditStatus::Failure, "weak_password")
    );
    assert!(!format!("{entry:?}").contains("hunter2") && !format!("{entry:?}").contains(ADA), "{entry:?}");
}
