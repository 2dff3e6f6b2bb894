use coinlink_application::identity::{ByAddressError, Change, ChangeRoleError, ProfileChange};
use coinlink_domain::identity::{PersonName, Preferences, Role, SessionId, Theme};
use coinlink_testkit::identity::an_email;
use time::Duration;

use crate::support::{ADA, GOOD, Identity, client};

#[tokio::test]
async fn names_are_set_kept_and_emptied_and_nothing_else_changes() {
    let identity = Identity::new();
    let user = identity.signs_up(ADA).await.unwrap().user;
    let name = |text| PersonName::try_new(text).unwrap();
    let set = ProfileChange { first_name: Change::Set(name("Ada")), last_name: Change::Set(name("Lovelace")) };
    identity.account.change_profile(user.id, set, &client("192.0.2.1")).await.unwrap();
    let clear = ProfileChange { first_name: Change::Keep, last_name: Change::Clear };
    let changed = identity.account.change_profile(user.id, clear, &client("192.0.2.1")).await.unwrap().unwrap();
    assert_eq!((changed.first_name, changed.last_name), (Some(name("Ada")), None));
    assert_eq!((changed.role, changed.is_verified, changed.email), (user.role, user.is_verified, user.email));
}

#[tokio::test]
async fn preferences_are_the_defaults_until_they_are_set() {
    let identity = Identity::new();
    let user = identity.signs_up(ADA).await.unwrap().user.id;
    assert_eq!(identity.account.preferences(user).await.unwrap(), Preferences::default());
    let set = Preferences { theme: Theme::Light, sound_enabled: false, ..Preferences::default() };
    assert!(identity.account.save_preferences(user, &set, &client("192.0.2.1")).await.unwrap());
    assert_eq!(identity.account.preferences(user).await.unwrap(), set);
}

#[tokio::test]
async fn figures_are_counted_and_not_made_up() {
    let identity = Identity::new();
    let first = identity.signs_up(ADA).await.unwrap();
    identity.signs_in(ADA, GOOD).await.unwrap();
    identity.sign_out.with_access_token(first.tokens.session, &client("192.0.2.1")).await.unwrap();
    identity.clock.advance(Duration::days(2));
    let stats = identity.account.stats(first.user.id).await.unwrap().unwrap();
    assert_eq!((stats.logins, stats.age_days, stats.live_sessions, stats.total_sessions), (2, 2, 1, 2));
}

#[tokio::test]
async fn an_account_that_is_switched_off_shows_nothing() {
    let identity = Identity::new();
    let user = identity.signs_up(ADA).await.unwrap().user.id;
    let mut account = identity.store.accounts().remove(0);
    account.user.is_active = false;
    identity.store.put_account(&account);
    assert_eq!(identity.account.profile(user).await.unwrap(), None);
    assert_eq!(identity.account.stats(user).await.unwrap(), None);
    assert!(!identity.account.save_preferences(user, &Preferences::default(), &client("192.0.2.1")).await.unwrap());
}

#[tokio::test]
async fn only_ones_own_sessions_can_be_ended() {
    let identity = Identity::new();
    let (ada, eve) = (identity.signs_up(ADA).await.unwrap(), identity.signs_up("eve@example.org").await.unwrap());
    let ends = async |session: SessionId| identity.end_session.execute(eve.user.id, session, &client("192.0.2.1")).await.unwrap();
    assert!(!ends(ada.tokens.session).await);
    assert!(!ends(SessionId(uuid::Uuid::nil())).await);
    assert!(!identity.is_revoked(&ada));
    assert!(ends(eve.tokens.session).await);
    assert!(!ends(eve.tokens.session).await, "it is over already");
    assert!(identity.is_revoked(&eve));
}

#[tokio::test]
async fn which_of_those_who_claim_an_address_is_meant_is_not_guessed() {
    let identity = Identity::strict();
    for (claims, told) in [
        (0, "there is no account with this address"),
        (1, "no account owns this address: 1 account claims it and has not verified it"),
        (2, "no account owns this address: 2 accounts claim it and none of them has verified it"),
    ] {
        if claims > 0 {
            identity.signs_up(ADA).await.unwrap();
        }
        let refused = identity.role.execute(&an_email(ADA), Role::Admin).await.unwrap_err();
        assert_eq!(refused.to_string(), told);
    }
    assert!(identity.store.users().iter().all(|user| user.role == Role::User));
}

#[tokio::test]
async fn the_last_administrator_stays() {
    let identity = Identity::new();
    identity.signs_up(ADA).await.unwrap();
    identity.signs_up("eve@example.org").await.unwrap();
    let (ada, eve) = (an_email(ADA), an_email("eve@example.org"));
    assert!(identity.role.execute(&ada, Role::Admin).await.unwrap().changed);
    assert!(!identity.role.execute(&ada, Role::Admin).await.unwrap().changed, "nothing changes");
    assert!(matches!(identity.role.execute(&ada, Role::User).await, Err(ChangeRoleError::LastAdmin)));
    identity.role.execute(&eve, Role::Admin).await.unwrap();
    assert_eq!(identity.role.execute(&ada, Role::User).await.unwrap().user.role, Role::User);
    let nobody = identity.role.execute(&an_email("no@example.org"), Role::Admin).await;
    assert!(matches!(nobody, Err(ChangeRoleError::Address(ByAddressError::NoAccount))));
    let audited: Vec<_> =
        identity.audited().into_iter().map(|(action, _)| action).filter(|action| action.starts_with("admin")).collect();
    assert_eq!(audited, ["admin.grant", "admin.grant", "admin.revoke"]);
}
