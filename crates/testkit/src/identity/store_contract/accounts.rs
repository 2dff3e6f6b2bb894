//! Accounts, their preferences, and the administrators among them.

use coinlink_domain::identity::{PersonName, Preferences, Role, StoredPassword, Theme, User, UserId};
use coinlink_ports::{identity::Account, shared::StoreError};
use time::Duration;
use uuid::Uuid;

use super::{
    super::{NOON, a_user, an_account, an_account_of, an_email},
    IdentityUnderTest, at_once,
};

fn name(text: &str) -> PersonName {
    PersonName::try_new(text).unwrap()
}

/// With everything that an account may have.
fn a_full_account(email: &str) -> Account {
    let user = User {
        first_name: Some(name("María-José")),
        last_name: Some(name("O'Brien; DROP TABLE users --")),
        role: Role::Admin,
        is_active: false,
        is_verified: true,
        created_at: NOON + Duration::MICROSECOND,
        updated_at: NOON + Duration::microseconds(999_999),
        last_login_at: Some(NOON + Duration::milliseconds(500)),
        logins: u32::MAX,
        secured_at: Some(NOON + Duration::microseconds(7)),
        ..a_user(email)
    };
    let password = StoredPassword { pepper_id: "2026-11".to_owned(), hash: "$2b$12$abcdefghijklmnopqrstuv".to_owned() };
    Account { user, password }
}

pub async fn what_was_never_added_is_not_there(it: IdentityUnderTest) {
    let (id, email) = (UserId(Uuid::now_v7()), an_email("ada@example.org"));
    assert_eq!(it.store.user(id).await.unwrap(), None);
    assert_eq!(it.store.account(&email).await.unwrap(), None);
    assert_eq!(it.store.preferences(id).await.unwrap(), None);
    let mut tx = it.store.begin().await.unwrap();
    assert_eq!(tx.users().lock(id).await.unwrap(), None);
    assert_eq!(tx.users().lock_by_email(&email).await.unwrap(), None);
    assert_eq!(tx.users().lock_active_admins().await.unwrap(), []);
}

pub async fn an_account_is_found_as_it_was_added(it: IdentityUnderTest) {
    for account in [an_account("bare@example.org"), a_full_account("full@example.org")] {
        it.added(account.clone()).await;
        assert_eq!(it.store.user(account.user.id).await.unwrap(), Some(account.user.clone()));
        assert_eq!(it.store.account(&account.user.email).await.unwrap(), Some(account.clone()));
        let mut tx = it.store.begin().await.unwrap();
        assert_eq!(tx.users().lock(account.user.id).await.unwrap(), Some(account.clone()));
        assert_eq!(tx.users().lock_by_email(&account.user.email).await.unwrap(), Some(account));
    }
}

pub async fn saving_an_account_changes_all_but_its_id_and_creation(it: IdentityUnderTest) {
    let before = it.added(an_account("ada@example.org")).await;
    let other = it.added(an_account("bob@example.org")).await;
    let full = a_full_account("elsewhere@example.org");
    let changed = Account { user: User { id: before.user.id, ..full.user.clone() }, password: full.password };
    let mut tx = it.store.begin().await.unwrap();
    tx.users().save(&changed).await.unwrap();
    tx.commit().await.unwrap();
    let kept = User { created_at: before.user.created_at, ..changed.user };
    let kept = Account { user: kept, password: changed.password };
    assert_eq!(it.store.account(&kept.user.email).await.unwrap(), Some(kept.clone()));
    assert_eq!(it.store.account_of(kept.user.id).await.unwrap(), Some(kept));
    assert_eq!(it.store.account(&other.user.email).await.unwrap(), Some(other));
    assert_eq!(it.store.account(&before.user.email).await.unwrap(), None);
}

pub async fn an_address_may_be_claimed_by_many_and_owned_by_one(it: IdentityUnderTest) {
    let claiming = |owns_email| an_account_of(User { owns_email, ..a_user("ada@example.org") });
    let (one, two) = (it.added(claiming(false)).await, it.added(claiming(false)).await);
    assert_eq!(it.store.account(&one.user.email).await.unwrap(), None, "nobody owns it yet");
    assert_eq!(it.store.account_of(one.user.id).await.unwrap(), Some(one.clone()));

    let owner = Account { user: User { owns_email: true, ..two.user }, password: two.password };
    let mut tx = it.store.begin().await.unwrap();
    tx.users().save(&owner).await.unwrap();
    assert_eq!(tx.users().lock_by_email(&owner.user.email).await.unwrap(), Some(owner.clone()));
    tx.commit().await.unwrap();

    let late = Account { user: User { owns_email: true, ..one.user.clone() }, password: one.password.clone() };
    let mut tx = it.store.begin().await.unwrap();
    let refused = tx.users().save(&late).await;
    assert!(matches!(refused, Err(StoreError::Conflict { .. })), "{refused:?}");
    drop(tx);
    assert_eq!(it.store.account(&owner.user.email).await.unwrap(), Some(owner.clone()));
    it.added(claiming(false)).await;
    assert_eq!(it.store.account(&owner.user.email).await.unwrap(), Some(owner));
}

pub async fn an_account_that_is_not_there_cannot_be_saved(it: IdentityUnderTest) {
    let mut tx = it.store.begin().await.unwrap();
    assert!(tx.users().save(&an_account("ada@example.org")).await.is_err());
    drop(tx);
    let mut tx = it.store.begin().await.unwrap();
    let nobody = UserId(Uuid::now_v7());
    assert!(tx.users().save_preferences(nobody, &Preferences::default()).await.is_err());
}

pub async fn names_of_all_kinds_survive(it: IdentityUnderTest) {
    let names = ["Robert'); DROP TABLE users;--", "\\'\"`", "李 🚀", "%_$1 ?", "\u{202e}e\u{301}", "{\"a\":null}", " van Dyk "];
    for (n, text) in names.into_iter().enumerate() {
        let user = User { first_name: Some(name(text)), last_name: Some(name(text)), ..a_user(&format!("n{n}@example.org")) };
        it.added(an_account_of(user.clone())).await;
        assert_eq!(it.store.user(user.id).await.unwrap(), Some(user));
    }
}

pub async fn an_address_is_taken_once(it: IdentityUnderTest) {
    let first = it.added(an_account("ada@example.org")).await;
    let mut tx = it.store.begin().await.unwrap();
    let refused = tx.users().add(&an_account("ADA@example.org")).await;
    assert!(matches!(refused, Err(StoreError::Conflict { .. })), "{refused:?}");
    drop(tx);
    assert_eq!(it.store.account(&first.user.email).await.unwrap(), Some(first));
}

pub async fn of_many_who_want_one_address_at_once_one_gets_it(it: IdentityUnderTest) {
    let answers = at_once(20, |_| {
        let it = it.clone();
        async move {
            let mut tx = it.store.begin().await.unwrap();
            match tx.users().add(&an_account("ada@example.org")).await {
                Ok(()) => tx.commit().await.map(|()| true),
                Err(StoreError::Conflict { .. }) => Ok(false),
                Err(other) => Err(other),
            }
        }
    });
    let added = answers.await.into_iter().filter(|answer| *answer.as_ref().unwrap()).count();
    assert_eq!(added, 1);
}

pub async fn preferences_are_replaced_whole(it: IdentityUnderTest) {
    let (ada, bob) = (it.a_user("ada@example.org").await.id, it.a_user("bob@example.org").await.id);
    let set = Preferences {
        theme: Theme::System,
        language: "zh-Hant-TW".to_owned(),
        currency: "USDT".to_owned(),
        notifications_enabled: false,
        email_alerts: true,
        price_alerts: false,
        news_notifications: true,
        sound_enabled: false,
    };
    for preferences in [Preferences::default(), set.clone(), Preferences { theme: Theme::Light, price_alerts: true, ..set }] {
        let mut tx = it.store.begin().await.unwrap();
        tx.users().save_preferences(ada, &preferences).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(it.store.preferences(ada).await.unwrap(), Some(preferences));
    }
    assert_eq!(it.store.preferences(bob).await.unwrap(), None);
}

async fn an_admin(it: &IdentityUnderTest, email: &str) -> UserId {
    it.added(an_account_of(User { role: Role::Admin, ..a_user(email) })).await.user.id
}

pub async fn only_active_admins_are_held_in_the_order_of_their_ids(it: IdentityUnderTest) {
    let low = UserId(Uuid::from_u128(1));
    let late = an_admin(&it, "late@example.org").await;
    it.added(an_account_of(User { id: low, role: Role::Admin, ..a_user("low@example.org") })).await;
    it.added(an_account_of(User { role: Role::Admin, is_active: false, ..a_user("gone@example.org") })).await;
    it.a_user("ada@example.org").await;
    let mut tx = it.store.begin().await.unwrap();
    assert_eq!(tx.users().lock_active_admins().await.unwrap(), [low, late]);
}

pub async fn two_admins_who_remove_each_other_at_once_do_not_both_succeed(it: IdentityUnderTest) {
    for round in 0..10 {
        let one = an_admin(&it, &format!("one{round}@example.org")).await;
        let other = an_admin(&it, &format!("other{round}@example.org")).await;
        let removed = at_once(2, |n| {
            let (it, whom) = (it.clone(), [one, other][n]);
            async move {
                let mut tx = it.store.begin().await.unwrap();
                if tx.users().lock_active_admins().await.unwrap().len() < 2 {
                    return false;
                }
                let mut account = tx.users().lock(whom).await.unwrap().unwrap();
                account.user.role = Role::User;
                tx.users().save(&account).await.unwrap();
                tx.commit().await.unwrap();
                true
            }
        });
        assert_eq!(removed.await.into_iter().filter(|removed| *removed).count(), 1);
        let mut tx = it.store.begin().await.unwrap();
        let last = tx.users().lock_active_admins().await.unwrap();
        assert_eq!(last.len(), 1);
        let mut account = tx.users().lock(last[0]).await.unwrap().unwrap();
        account.user.is_active = false;
        tx.users().save(&account).await.unwrap();
        tx.commit().await.unwrap();
    }
}

pub async fn no_sign_in_is_lost_when_many_save_one_account_at_once(it: IdentityUnderTest) {
    let user = it.a_user("ada@example.org").await;
    at_once(40, |n| {
        let (it, user) = (it.clone(), user.clone());
        async move {
            let mut tx = it.store.begin().await.unwrap();
            let found = if n % 2 == 0 { tx.users().lock(user.id).await } else { tx.users().lock_by_email(&user.email).await };
            let mut account = found.unwrap().unwrap();
            account.user.signed_in(NOON);
            tx.users().save(&account).await.unwrap();
            tx.commit().await.unwrap();
        }
    })
    .await;
    assert_eq!(it.store.user(user.id).await.unwrap().unwrap().logins, 40);
}
