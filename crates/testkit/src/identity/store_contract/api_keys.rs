//! Keys of programs.

use coinlink_domain::identity::{ApiKey, ApiKeyId, ApiScope, ApiScopes, IpRange, User, UserId};
use coinlink_ports::identity::ApiKeyPlace;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::{
    super::{NOON, a_user, an_account_of, an_api_key},
    IdentityUnderTest, at_once,
};

impl IdentityUnderTest {
    async fn with_key(&self, key: ApiKey) -> ApiKey {
        let mut tx = self.store.begin().await.unwrap();
        tx.api_keys().add(&key).await.unwrap();
        tx.commit().await.unwrap();
        key
    }

    async fn usable(&self, id: ApiKeyId) -> Option<ApiKey> {
        self.keys.usable(id).await.unwrap()
    }

    async fn revoked(&self, user: UserId, id: ApiKeyId) -> bool {
        let mut tx = self.store.begin().await.unwrap();
        let revoked = tx.api_keys().revoke(user, id, NOON).await.unwrap();
        tx.commit().await.unwrap();
        revoked
    }

    async fn all_of(&self, user: UserId) -> Vec<ApiKey> {
        self.keys.keys_of(user, None, u32::MAX).await.unwrap()
    }

    async fn live(&self, user: UserId, now: OffsetDateTime) -> u64 {
        self.store.begin().await.unwrap().api_keys().count_live(user, now).await.unwrap()
    }
}

pub async fn a_key_is_found_as_it_was_added(it: IdentityUnderTest) {
    let user = it.a_user("ada@example.org").await.id;
    let full = ApiKey {
        scopes: ApiScopes::try_new(ApiScope::ALL).unwrap(),
        networks: ["192.0.2.0/24", "2001:db8::/32", "0.0.0.0/0"].map(|text| IpRange::try_new(text).unwrap()).to_vec(),
        created_at: NOON + Duration::MICROSECOND,
        expires_at: Some(NOON + Duration::days(365)),
        last_used_at: Some(NOON + Duration::microseconds(999_999)),
        ..an_api_key(user)
    };
    for key in [an_api_key(user), full] {
        it.with_key(key.clone()).await;
        assert_eq!(it.usable(key.id).await, Some(key));
    }
    assert_eq!(it.usable(ApiKeyId(Uuid::now_v7())).await, None);
}

pub async fn a_key_needs_an_account_and_an_id_of_its_own(it: IdentityUnderTest) {
    let mut tx = it.store.begin().await.unwrap();
    assert!(tx.api_keys().add(&an_api_key(UserId(Uuid::now_v7()))).await.is_err());
    drop(tx);
    let user = it.a_user("ada@example.org").await.id;
    let key = it.with_key(an_api_key(user)).await;
    let mut tx = it.store.begin().await.unwrap();
    assert!(tx.api_keys().add(&key).await.is_err());
}

pub async fn a_revoked_key_is_not_usable_and_is_revoked_once_and_by_its_owner(it: IdentityUnderTest) {
    let (ada, bob) = (it.a_user("ada@example.org").await.id, it.a_user("bob@example.org").await.id);
    let (key, other) = (it.with_key(an_api_key(ada)).await, it.with_key(an_api_key(ada)).await);
    assert!(!it.revoked(bob, key.id).await, "it is not his");
    assert!(it.usable(key.id).await.is_some());
    let revoked = at_once(20, |_| {
        let it = it.clone();
        async move { it.revoked(ada, key.id).await }
    });
    assert_eq!(revoked.await.into_iter().filter(|revoked| *revoked).count(), 1);
    assert_eq!(it.usable(key.id).await, None);
    assert_eq!(it.all_of(ada).await, [other]);
}

pub async fn a_key_of_an_account_that_is_switched_off_is_not_usable(it: IdentityUnderTest) {
    let account = it.added(an_account_of(a_user("ada@example.org"))).await;
    let key = it.with_key(an_api_key(account.user.id)).await;
    for is_active in [false, true] {
        let mut account = account.clone();
        account.user = User { is_active, ..account.user };
        let mut tx = it.store.begin().await.unwrap();
        tx.users().save(&account).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(it.usable(key.id).await.is_some(), is_active);
    }
}

pub async fn purging_revokes_every_key_of_one_account(it: IdentityUnderTest) {
    let (ada, bob) = (it.a_user("ada@example.org").await.id, it.a_user("bob@example.org").await.id);
    let (one, two) = (it.with_key(an_api_key(ada)).await, it.with_key(an_api_key(ada)).await);
    let his = it.with_key(an_api_key(bob)).await;
    it.revoked(ada, one.id).await;
    let mut tx = it.store.begin().await.unwrap();
    assert_eq!(tx.api_keys().purge(ada, NOON).await.unwrap(), 1);
    tx.commit().await.unwrap();
    assert_eq!((it.usable(one.id).await, it.usable(two.id).await), (None, None));
    assert_eq!(it.usable(his.id).await, Some(his));
    let mut tx = it.store.begin().await.unwrap();
    assert_eq!(tx.api_keys().purge(ada, NOON).await.unwrap(), 0);
}

pub async fn keys_are_listed_newest_first_and_counted_until_the_microsecond_they_expire(it: IdentityUnderTest) {
    let (ada, bob) = (it.a_user("ada@example.org").await.id, it.a_user("bob@example.org").await.id);
    let mut keys = Vec::new();
    for (n, expires_at) in [None, Some(NOON + Duration::MICROSECOND), Some(NOON)].into_iter().enumerate() {
        let created_at = NOON - Duration::seconds(i64::try_from(n).unwrap());
        keys.push(it.with_key(ApiKey { created_at, expires_at, ..an_api_key(ada) }).await);
    }
    it.with_key(an_api_key(bob)).await;
    assert_eq!(it.all_of(ada).await, keys, "one that expired is still shown");
    assert_eq!(it.live(ada, NOON).await, 2);
    assert_eq!(it.live(ada, NOON + Duration::MICROSECOND).await, 1);
    it.revoked(ada, keys[0].id).await;
    assert_eq!(it.live(ada, NOON).await, 1);
}

pub async fn a_list_of_keys_goes_on_where_a_page_ended(it: IdentityUnderTest) {
    let (ada, bob) = (it.a_user("ada@example.org").await.id, it.a_user("bob@example.org").await.id);
    // Two that were made together, between one before and one after.
    let mut keys = Vec::new();
    for created_at in [NOON, NOON - Duration::MICROSECOND, NOON - Duration::MICROSECOND, NOON - Duration::DAY] {
        keys.push(it.with_key(ApiKey { created_at, ..an_api_key(ada) }).await);
    }
    keys.sort_by_key(|key| std::cmp::Reverse((key.created_at, key.id)));
    it.with_key(an_api_key(bob)).await;
    let place = |key: &ApiKey| ApiKeyPlace { at: key.created_at, id: key.id };
    for length in 1..=5 {
        let (mut seen, mut before) = (Vec::new(), None);
        loop {
            let page = it.keys.keys_of(ada, before, length).await.unwrap();
            assert!(page.len() <= length as usize);
            let Some(last) = page.last() else { break };
            before = Some(place(last));
            seen.extend(page);
        }
        assert_eq!(seen, keys, "by {length}");
    }
    assert_eq!(it.keys.keys_of(bob, Some(place(&keys[3])), 10).await.unwrap(), []);
}

pub async fn keys_are_counted_from_when_they_were_made_whatever_became_of_them(it: IdentityUnderTest) {
    let (ada, bob) = (it.a_user("ada@example.org").await.id, it.a_user("bob@example.org").await.id);
    let made = |at| ApiKey { created_at: at, ..an_api_key(ada) };
    it.with_key(made(NOON)).await;
    it.with_key(ApiKey { revoked_at: Some(NOON), ..made(NOON + Duration::MICROSECOND) }).await;
    it.with_key(ApiKey { expires_at: Some(NOON), ..made(NOON + Duration::DAY) }).await;
    it.with_key(an_api_key(bob)).await;
    let mut tx = it.store.begin().await.unwrap();
    assert_eq!(tx.api_keys().count_made(ada, NOON - Duration::MICROSECOND).await.unwrap(), 3);
    assert_eq!(tx.api_keys().count_made(ada, NOON).await.unwrap(), 2);
    assert_eq!(tx.api_keys().count_made(ada, NOON + Duration::DAY).await.unwrap(), 0);
}

pub async fn however_many_make_keys_at_once_no_account_has_too_many(it: IdentityUnderTest) {
    let ada = it.a_user("ada@example.org").await.id;
    let made = at_once(30, |_| {
        let it = it.clone();
        async move {
            let mut tx = it.store.begin().await.unwrap();
            tx.users().lock(ada).await.unwrap();
            if tx.api_keys().count_live(ada, NOON).await.unwrap() >= ApiKey::MAX_LIVE {
                return false;
            }
            tx.api_keys().add(&an_api_key(ada)).await.unwrap();
            tx.commit().await.unwrap();
            true
        }
    });
    assert_eq!(made.await.into_iter().filter(|made| *made).count(), 25);
    assert_eq!(it.live(ada, NOON).await, 25);
}

pub async fn a_use_is_noted_once_a_minute(it: IdentityUnderTest) {
    let ada = it.a_user("ada@example.org").await.id;
    let (key, other) = (it.with_key(an_api_key(ada)).await, it.with_key(an_api_key(ada)).await);
    for (at, noted) in [
        (NOON, NOON),
        (NOON + Duration::seconds(59), NOON),
        (NOON - Duration::HOUR, NOON),
        (NOON + Duration::MINUTE, NOON + Duration::MINUTE),
    ] {
        it.keys.note_use(key.id, at).await.unwrap();
        assert_eq!(it.usable(key.id).await.unwrap().last_used_at, Some(noted));
    }
    it.keys.note_use(ApiKeyId(Uuid::now_v7()), NOON).await.unwrap();
    assert_eq!(it.usable(other.id).await, Some(other));
}

pub async fn keys_are_forgotten_some_time_after_they_were_revoked_or_expired(it: IdentityUnderTest) {
    let ada = it.a_user("ada@example.org").await.id;
    let revoked = |at| ApiKey { revoked_at: Some(at), ..an_api_key(ada) };
    for key in [revoked(NOON - Duration::MICROSECOND), revoked(NOON - Duration::DAY), revoked(NOON)] {
        it.with_key(key).await;
    }
    it.with_key(ApiKey { expires_at: Some(NOON - Duration::MICROSECOND), ..an_api_key(ada) }).await;
    it.with_key(ApiKey { expires_at: Some(NOON - Duration::DAY), ..revoked(NOON) }).await;
    let stays = it.with_key(ApiKey { expires_at: Some(NOON), ..an_api_key(ada) }).await;
    it.with_key(ApiKey { expires_at: Some(NOON + Duration::DAY), ..an_api_key(ada) }).await;
    assert_eq!(it.keys.prune_keys(NOON, 0).await.unwrap(), 0);
    assert_eq!(it.keys.prune_keys(NOON, 3).await.unwrap(), 3);
    assert_eq!(it.keys.prune_keys(NOON, 100).await.unwrap(), 1);
    assert_eq!(it.keys.prune_keys(NOON, 100).await.unwrap(), 0);
    assert_eq!(it.usable(stays.id).await, Some(stays));
    assert_eq!(it.keys.prune_keys(NOON + Duration::MICROSECOND, u64::MAX).await.unwrap(), 2);
}
