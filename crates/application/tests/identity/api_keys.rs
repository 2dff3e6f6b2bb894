//! Keys of programs: who may make them, what they are good for, and what it costs to present one.

use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use coinlink_application::identity::{
    Actor, Administrator, CreateApiKeyError, KeyRefusal, NewApiKey, ProfileChange, SignedIn, VerifyApiKey,
};
use coinlink_domain::{
    identity::{ApiKey, ApiKeyId, ApiKeyName, ApiScope, ApiScopes, IpRange, Role, SecondFactor, Session, User, UserId},
    shared::{audit::AuditStatus, reason::Reason, sealed::Sealed},
};
use coinlink_ports::{
    identity::{Account, ApiKeyCodec as _, ApiKeyPlace, ApiKeyReads, IdentityStore as _},
    shared::{Clock as _, StoreError},
};
use coinlink_testkit::identity::{NOON, PlainApiKeys, a_user, an_account_of, an_api_key};
use futures_util::future::join_all;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::support::{ADA, GOOD, Identity, client, password};

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn a_new_key() -> NewApiKey {
    NewApiKey {
        name: ApiKeyName::try_new("bot").unwrap(),
        scopes: ApiScopes::try_new([ApiScope::MarketRead]).unwrap(),
        networks: vec![],
        expires_at: None,
    }
}

impl Identity {
    async fn makes_key(&self, by: &SignedIn, new: NewApiKey) -> Result<(ApiKey, String), CreateApiKeyError> {
        self.makes_key_by(by, GOOD, new).await
    }

    async fn makes_key_by(&self, by: &SignedIn, word: &str, new: NewApiKey) -> Result<(ApiKey, String), CreateApiKeyError> {
        let (caller, from) = ((by.user.id, by.tokens.session), client("192.0.2.1"));
        let (key, text) = self.api_keys.create.execute(caller, &password(word), new, &from).await?;
        Ok((key, text.0))
    }

    /// The keys of an account, as they are shown.
    async fn keys_of(&self, user: UserId) -> Vec<ApiKey> {
        self.api_keys.list.execute(user, None, 100).await.unwrap().keys
    }

    /// What a node says that was started a moment ago.
    async fn takes_key(&self, text: &str) -> bool {
        verifies(&self.another_node(), text).await
    }

    fn another_node(&self) -> VerifyApiKey {
        let (keys, clock) = (Arc::new(self.store.clone()), self.clock.clone());
        VerifyApiKey::new(keys, Arc::new(PlainApiKeys), Arc::default(), Arc::default(), clock)
    }

    fn put_user(&self, change: impl FnOnce(&mut User)) {
        let Account { mut user, password } = self.store.accounts().remove(0);
        change(&mut user);
        self.store.put_account(&Account { user, password });
    }
}

async fn verifies(node: &VerifyApiKey, text: &str) -> bool {
    match node.execute(text, ip("192.0.2.1"), ip("192.0.2.1")).await {
        Ok(_) => true,
        Err(KeyRefusal::Invalid) => false,
        Err(other) => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_key_is_told_once_and_good_for_its_owner_and_scopes() {
    let it = Identity::new();
    let ada = it.signs_up(ADA).await.unwrap();
    it.put_user(|user| user.is_verified = true);
    let (key, text) = it.makes_key(&ada, a_new_key()).await.unwrap();
    let verified = it.api_keys.verify.execute(&text, ip("192.0.2.1"), ip("192.0.2.1")).await.unwrap();
    assert_eq!((verified.user, verified.key, verified.scopes), (ada.user.id, key.id, key.scopes));
    assert_eq!(it.keys_of(ada.user.id).await, [ApiKey { last_used_at: None, ..key.clone() }]);

    let entry = it.store.audit().pop().unwrap();
    assert_eq!(
        (&*entry.action, entry.user, entry.resource_id),
        ("api_key.create", Some(ada.user.id.0), Some(key.id.to_string()))
    );
    let letter = it.store.mails().pop().unwrap();
    assert_eq!((letter.to.as_str(), &*letter.template, letter.fields["name"].as_str()), (ADA, "api_key_created", "bot"));
    let secret = text.rsplit(':').next().unwrap();
    let everything = format!("{:?} {:?} {:?}", it.store.audit(), it.store.api_keys(), letter.fields);
    assert!(!everything.contains(secret), "{everything}");
}

#[tokio::test]
async fn an_account_has_so_many_keys_and_room_again_once_one_is_revoked_or_over() {
    let it = Identity::new();
    let ada = it.signs_up(ADA).await.unwrap();
    let later = NOON + Duration::days(2);
    it.makes_key(&ada, NewApiKey { expires_at: Some(later), ..a_new_key() }).await.unwrap();
    let mut last = None;
    for _ in 1..25 {
        last = Some(it.makes_key(&ada, a_new_key()).await.unwrap().0);
    }
    it.clock.advance(Duration::DAY);
    assert!(matches!(it.makes_key(&ada, a_new_key()).await, Err(CreateApiKeyError::TooMany)));
    let entry = it.store.audit().pop().unwrap();
    assert_eq!((entry.status, entry.details["reason"].as_str()), (AuditStatus::Failure, "too_many_keys"));
    assert!(it.api_keys.revoke.execute(ada.user.id, last.unwrap().id, &client("192.0.2.1")).await.unwrap());
    it.makes_key(&ada, a_new_key()).await.unwrap();
    assert!(matches!(it.makes_key(&ada, a_new_key()).await, Err(CreateApiKeyError::TooMany)));
    it.clock.advance(Duration::DAY);
    it.makes_key(&ada, a_new_key()).await.unwrap();
}

#[tokio::test]
async fn no_more_than_so_many_keys_are_made_in_a_day_whatever_becomes_of_them() {
    let it = Identity::new();
    let (ada, bob) = (it.signs_up(ADA).await.unwrap(), it.signs_up("bob@example.org").await.unwrap());
    for n in 0..25 {
        let expires_at = (n % 2 == 0).then_some(it.clock.now() + Duration::SECOND);
        let (key, _) = it.makes_key(&ada, NewApiKey { expires_at, ..a_new_key() }).await.unwrap();
        if expires_at.is_none() {
            assert!(it.api_keys.revoke.execute(ada.user.id, key.id, &client("192.0.2.1")).await.unwrap());
        }
        it.clock.advance(Duration::MINUTE);
    }
    assert!(matches!(it.makes_key(&ada, a_new_key()).await, Err(CreateApiKeyError::TooManyToday)));
    let entry = it.store.audit().pop().unwrap();
    assert_eq!((entry.status, entry.details["reason"].as_str()), (AuditStatus::Failure, "too_many_keys_today"));
    it.makes_key(&bob, a_new_key()).await.unwrap();
    it.clock.advance(Duration::DAY - Duration::minutes(25));
    it.makes_key(&ada, a_new_key()).await.unwrap();
    assert!(matches!(it.makes_key(&ada, a_new_key()).await, Err(CreateApiKeyError::TooManyToday)), "one at a time");
    let letters = it.store.mails().into_iter().filter(|mail| mail.template == "api_key_created" && mail.to == ADA).count();
    assert!(letters <= 20, "{letters}");
}

#[tokio::test]
async fn a_key_takes_the_password_and_guesses_at_it_are_counted() {
    let it = Identity::new();
    let ada = it.signs_up(ADA).await.unwrap();
    for _ in 0..30 {
        assert!(matches!(it.makes_key_by(&ada, "wrong", a_new_key()).await, Err(CreateApiKeyError::WrongPassword)));
    }
    let entry = it.store.audit().pop().unwrap();
    assert_eq!((&*entry.action, entry.details["reason"].as_str()), ("api_key.create", "wrong_password"));
    let delayed = it.makes_key(&ada, a_new_key()).await;
    assert!(matches!(delayed, Err(CreateApiKeyError::WrongPassword)), "the right one is not told from others for a while");
    assert!(it.store.api_keys().is_empty());
}

#[tokio::test]
async fn a_letter_holds_the_name_of_a_key_once_the_address_is_verified_and_no_sooner() {
    let it = Identity::new();
    let ada = it.signs_up(ADA).await.unwrap();
    let mut named = Vec::new();
    for verified in [false, true] {
        it.put_user(|user| user.is_verified = verified);
        it.makes_key(&ada, a_new_key()).await.unwrap();
        named.push(it.store.mails().pop().unwrap().fields["name"].clone());
    }
    assert_eq!(named, ["", "bot"]);
}

#[tokio::test]
async fn another_password_and_signing_out_everywhere_revoke_keys_where_that_is_asked_for() {
    let it = Identity::new();
    let ada = it.signs_up(ADA).await.unwrap();
    let who = (ada.user.id, ada.tokens.session);
    let (from, another) = (client("192.0.2.1"), password("Another-horse-9-battery"));
    let (_, text) = it.makes_key(&ada, a_new_key()).await.unwrap();
    it.change_password.execute(who, &password(GOOD), &another, false, &from).await.unwrap();
    assert!(it.takes_key(&text).await);
    it.change_password.execute(who, &another, &password(GOOD), true, &from).await.unwrap();
    assert!(!it.takes_key(&text).await);
    assert_eq!(it.store.audit().pop().unwrap().details["api_keys_revoked"], "1");

    let (_, text) = it.makes_key(&ada, a_new_key()).await.unwrap();
    it.everywhere.execute(ada.user.id, false, &from).await.unwrap();
    assert!(it.takes_key(&text).await);
    it.everywhere.execute(ada.user.id, true, &from).await.unwrap();
    assert!(!it.takes_key(&text).await);
    assert_eq!(it.store.audit().pop().unwrap().details["api_keys_revoked"], "1");
}

#[tokio::test]
async fn keys_are_listed_by_the_page() {
    let it = Identity::new();
    let ada = it.signs_up(ADA).await.unwrap();
    for _ in 0..5 {
        it.makes_key(&ada, a_new_key()).await.unwrap();
        it.clock.advance(Duration::SECOND);
    }
    let (mut seen, mut before, mut lengths) = (Vec::new(), None, Vec::new());
    loop {
        let page = it.api_keys.list.execute(ada.user.id, before, 2).await.unwrap();
        lengths.push(page.keys.len());
        seen.extend(page.keys);
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    assert_eq!((lengths, seen), (vec![2, 2, 1], it.keys_of(ada.user.id).await));
}

#[tokio::test]
async fn a_session_that_is_over_or_an_account_that_is_switched_off_makes_no_key() {
    let it = Identity::new();
    let ada = it.signs_up(ADA).await.unwrap();
    it.sign_out.with_access_token(ada.tokens.session, &client("192.0.2.1")).await.unwrap();
    assert!(matches!(it.makes_key(&ada, a_new_key()).await, Err(CreateApiKeyError::NoAccount)));
    let again = it.signs_in(ADA, GOOD).await.unwrap();
    it.put_user(|user| user.is_active = false);
    assert!(matches!(it.makes_key(&again, a_new_key()).await, Err(CreateApiKeyError::NoAccount)));
    assert!(it.store.api_keys().is_empty());
}

#[tokio::test]
async fn a_key_that_would_be_over_from_the_start_is_not_made() {
    let it = Identity::new();
    let ada = it.signs_up(ADA).await.unwrap();
    let over = NewApiKey { expires_at: Some(NOON), ..a_new_key() };
    assert!(matches!(it.makes_key(&ada, over).await, Err(CreateApiKeyError::Expired)));
}

#[tokio::test]
async fn where_addresses_have_to_be_verified_an_account_without_has_no_keys() {
    let it = Identity::strict();
    let ada = it.signs_up(ADA).await.unwrap();
    let refused = it.makes_key(&ada, a_new_key()).await;
    assert!(matches!(refused, Err(CreateApiKeyError::EmailNotVerified)));
    assert_eq!(it.audited().pop(), Some(("api_key.create".to_owned(), AuditStatus::Denied)));
    it.put_user(|user| user.is_verified = true);
    it.makes_key(&ada, a_new_key()).await.unwrap();
}

#[tokio::test]
async fn who_has_a_second_factor_shows_it_before_a_key_is_made() {
    let it = Identity::new();
    let ada = it.signs_up(ADA).await.unwrap();
    let mut tx = it.store.begin().await.unwrap();
    let sealed = Sealed { key_id: "1".to_owned(), bytes: vec![1] };
    tx.second_factors().set_up(&SecondFactor::new(ada.user.id, sealed, NOON)).await.unwrap();
    tx.second_factors().confirm(ada.user.id, 1, NOON).await.unwrap();
    tx.commit().await.unwrap();
    assert!(matches!(it.makes_key(&ada, a_new_key()).await, Err(CreateApiKeyError::FactorMissing)));
    assert_eq!(it.audited().pop(), Some(("api_key.create".to_owned(), AuditStatus::Denied)));
    let session = it.store.sessions().remove(0);
    it.store.put_session(&Session { second_factor_at: Some(NOON), ..session });
    it.makes_key(&ada, a_new_key()).await.unwrap();
}

#[tokio::test]
async fn a_revoked_key_is_refused_at_once_here_and_within_half_a_second_elsewhere() {
    let it = Identity::new();
    let ada = it.signs_up(ADA).await.unwrap();
    let (key, text) = it.makes_key(&ada, a_new_key()).await.unwrap();
    let elsewhere = it.another_node();
    assert!(verifies(&it.api_keys.verify, &text).await && verifies(&elsewhere, &text).await);
    assert!(it.api_keys.revoke.execute(ada.user.id, key.id, &client("192.0.2.1")).await.unwrap());
    assert!(!verifies(&it.api_keys.verify, &text).await);
    it.clock.advance(Duration::milliseconds(499));
    assert!(verifies(&elsewhere, &text).await, "what was read is taken for true for half a second");
    it.clock.advance(Duration::milliseconds(1));
    assert!(!verifies(&elsewhere, &text).await);
    assert!(!it.api_keys.revoke.execute(ada.user.id, key.id, &client("192.0.2.1")).await.unwrap(), "once");
    let revoked = it.audited().into_iter().filter(|(action, _)| action == "api_key.revoke").count();
    assert_eq!(revoked, 1);
}

#[tokio::test]
async fn an_account_that_is_locked_loses_its_keys_for_good() {
    let it = Identity::new();
    let ada = it.signs_up(ADA).await.unwrap();
    let (_, text) = it.makes_key(&ada, a_new_key()).await.unwrap();
    let root = User { role: Role::Admin, ..a_user("root@example.org") };
    it.store.put_account(&an_account_of(root.clone()));
    let (admin, why) = (Administrator { user: root.id }, Reason::try_new("ticket 4711").unwrap());
    it.administration.accounts.lock(admin, ada.user.id, &why, &client("192.0.2.9")).await.unwrap();
    assert!(!it.takes_key(&text).await);
    it.administration.accounts.unlock(admin, ada.user.id, &why, &client("192.0.2.9")).await.unwrap();
    assert!(!it.takes_key(&text).await && it.keys_of(ada.user.id).await.is_empty());
}

#[tokio::test]
async fn nobody_revokes_the_key_of_another() {
    let it = Identity::new();
    let ada = it.signs_up(ADA).await.unwrap();
    let bob = it.signs_up("bob@example.org").await.unwrap();
    let (key, text) = it.makes_key(&ada, a_new_key()).await.unwrap();
    assert!(!it.api_keys.revoke.execute(bob.user.id, key.id, &client("192.0.2.1")).await.unwrap());
    assert!(it.takes_key(&text).await && it.keys_of(bob.user.id).await.is_empty());
}

#[tokio::test]
async fn a_key_is_refused_outside_its_networks_after_its_time_and_while_its_account_is_switched_off() {
    let it = Identity::new();
    let ada = it.signs_up(ADA).await.unwrap();
    let networks = ["192.0.2.0/24", "2001:db8::7/128"].map(|text| IpRange::try_new(text).unwrap()).to_vec();
    let new = NewApiKey { networks, expires_at: Some(NOON + Duration::HOUR), ..a_new_key() };
    let (_, text) = it.makes_key(&ada, new).await.unwrap();
    let verify = &it.api_keys.verify;
    for (from, good) in [("192.0.2.9", true), ("192.0.3.9", false), ("2001:db8::7", true), ("2001:db8::8", false)] {
        // Counted by its /64, judged by the whole of it.
        let outcome = verify.execute(&text, ip(from), ip("2001:db8::")).await;
        assert_eq!(outcome.is_ok(), good, "{from}");
    }
    it.put_user(|user| user.is_active = false);
    it.clock.advance(Duration::milliseconds(500));
    assert!(!verifies(verify, &text).await);
    it.put_user(|user| user.is_active = true);
    it.clock.advance(Duration::seconds(5));
    assert!(verifies(verify, &text).await);
    it.clock.advance(Duration::HOUR);
    assert!(!verifies(verify, &text).await);
}

#[tokio::test]
async fn while_the_store_is_away_nothing_stale_is_taken_for_true() {
    let it = Identity::new();
    let ada = it.signs_up(ADA).await.unwrap();
    let (key, text) = it.makes_key(&ada, a_new_key()).await.unwrap();
    let verify = &it.api_keys.verify;
    assert!(verifies(verify, &text).await);
    it.store.fail_after(0);
    assert!(verifies(verify, &text).await, "it was read a moment ago");
    it.clock.advance(Duration::milliseconds(500));
    let from = ip("192.0.2.1");
    let refused = verify.execute(&text, from, from).await.unwrap_err();
    assert!(matches!(refused, KeyRefusal::Store { proven: Some(proven), .. } if proven == key.id), "{refused}");
    let cold = it.another_node().execute(&text, from, from).await.unwrap_err();
    assert!(matches!(cold, KeyRefusal::Store { proven: None, .. }), "{cold}");
    it.store.recover();
    assert!(verifies(verify, &text).await);
}

#[tokio::test]
async fn ten_thousand_keys_that_nobody_knows_cost_few_reads_and_keep_nobody_out_who_was_known() {
    let it = Identity::new();
    let ada = it.signs_up(ADA).await.unwrap();
    let (key, text) = it.makes_key(&ada, a_new_key()).await.unwrap();
    let (verify, from) = (&it.api_keys.verify, ip("192.0.2.1"));
    assert!(verifies(verify, &text).await);
    let before = it.store.calls();
    let mut secret = [0; 32];
    for n in 0..10_000_u128 {
        secret[..16].copy_from_slice(&n.to_be_bytes());
        let (unknown, _) = PlainApiKeys.mint(ApiKeyId(Uuid::from_u128(n)), &secret);
        assert!(verify.execute(&unknown.0, from, from).await.is_err());
    }
    let reads = it.store.calls() - before;
    assert!((1..=60).contains(&reads), "{reads}");
    let refused = verify.execute(&PlainApiKeys.mint(ApiKeyId(Uuid::max()), &secret).0.0, from, from).await.unwrap_err();
    assert!(matches!(refused, KeyRefusal::TooMany { retry_after } if retry_after <= Duration::MINUTE), "{refused}");

    it.clock.advance(Duration::SECOND);
    assert!(verifies(verify, &text).await, "whoever was known is read again");
    let before = it.store.calls();
    it.clock.advance(Duration::SECOND);
    for _ in 0..1_000 {
        let (wrong, _) = PlainApiKeys.mint(key.id, &secret);
        assert!(matches!(verify.execute(&wrong.0, from, from).await, Err(KeyRefusal::Invalid)));
        assert!(matches!(verify.execute("ck_", from, from).await, Err(KeyRefusal::Invalid)));
    }
    assert_eq!(it.store.calls(), before, "neither a wrong secret of a known key nor a text without its form is looked for");
}

#[tokio::test]
async fn a_client_that_goes_on_with_a_revoked_key_hears_so_and_costs_a_read_now_and_then() {
    let it = Identity::new();
    let ada = it.signs_up(ADA).await.unwrap();
    let (key, text) = it.makes_key(&ada, a_new_key()).await.unwrap();
    it.store.put_api_key(&ApiKey { revoked_at: Some(NOON), ..key });
    let before = it.store.calls();
    for _ in 0..1_000 {
        assert!(!verifies(&it.api_keys.verify, &text).await);
        it.clock.advance(Duration::milliseconds(50));
    }
    assert_eq!(it.store.calls() - before, 10, "once in five seconds");
}

#[tokio::test]
async fn two_hundred_requests_with_one_key_cost_one_read_and_count_as_no_guess() {
    let it = Identity::new();
    let ada = it.signs_up(ADA).await.unwrap();
    let (_, text) = it.makes_key(&ada, a_new_key()).await.unwrap();
    let before = it.store.calls();
    let verified = join_all((0..200).map(|_| verifies(&it.api_keys.verify, &text))).await;
    assert!(verified.into_iter().all(|good| good));
    assert_eq!(it.store.calls() - before, 1);
}

/// A store that answers after two seconds of this clock, and then that it is away.
struct Frozen {
    reads: AtomicUsize,
    clock: Arc<coinlink_testkit::shared::StoppedClock>,
}

#[async_trait]
impl ApiKeyReads for Frozen {
    async fn usable(&self, _: ApiKeyId) -> Result<Option<ApiKey>, StoreError> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(std::time::Duration::from_secs(2)).await;
        self.clock.advance(Duration::seconds(2));
        Err(StoreError::Unavailable("frozen".into()))
    }
    async fn keys_of(&self, _: UserId, _: Option<ApiKeyPlace>, _: u32) -> Result<Vec<ApiKey>, StoreError> {
        Ok(vec![])
    }
    async fn note_use(&self, _: ApiKeyId, _: OffsetDateTime) -> Result<(), StoreError> {
        Ok(())
    }
    async fn prune_keys(&self, _: OffsetDateTime, _: u64) -> Result<u64, StoreError> {
        Ok(0)
    }
}

#[tokio::test(start_paused = true)]
async fn requests_that_wait_for_a_store_that_does_not_answer_give_up_together() {
    let it = Identity::new();
    let frozen = Arc::new(Frozen { reads: AtomicUsize::new(0), clock: it.clock.clone() });
    let verify = VerifyApiKey::new(frozen.clone(), Arc::new(PlainApiKeys), Arc::default(), Arc::default(), it.clock.clone());
    let (text, _) = PlainApiKeys.mint(ApiKeyId(Uuid::nil()), &[1; 32]);
    let (started, from) = (tokio::time::Instant::now(), ip("192.0.2.1"));
    let refused = join_all((0..50).map(|_| verify.execute(&text.0, from, from))).await;
    assert!(refused.iter().all(|refused| matches!(refused, Err(KeyRefusal::Store { .. }))));
    assert_eq!((frozen.reads.load(Ordering::SeqCst), started.elapsed().as_secs()), (1, 2));
}

#[tokio::test]
async fn a_use_is_noted_once_a_minute_and_not_by_the_request() {
    let it = Identity::new();
    let ada = it.signs_up(ADA).await.unwrap();
    let (_, text) = it.makes_key(&ada, a_new_key()).await.unwrap();
    let used = || it.store.api_keys()[0].last_used_at;
    assert!(verifies(&it.api_keys.verify, &text).await);
    assert_eq!(used(), None);
    it.api_keys.note_uses.execute().await.unwrap();
    assert_eq!(used(), Some(NOON));
    for seconds in [30, 29, 1] {
        it.clock.advance(Duration::seconds(seconds));
        assert!(verifies(&it.api_keys.verify, &text).await);
        it.api_keys.note_uses.execute().await.unwrap();
    }
    assert_eq!(used(), Some(NOON + Duration::MINUTE));
    let before = it.store.calls();
    it.api_keys.note_uses.execute().await.unwrap();
    assert_eq!(it.store.calls(), before, "nothing waits");
}

#[tokio::test]
async fn what_a_key_changes_is_written_down_as_its_doing() {
    let it = Identity::new();
    let ada = it.signs_up(ADA).await.unwrap();
    let (key, _) = it.makes_key(&ada, a_new_key()).await.unwrap();
    let actor = Actor { user: ada.user.id, key: Some(key.id) };
    it.account.change_profile(actor, ProfileChange::default(), &client("192.0.2.1")).await.unwrap();
    let entry = it.store.audit().pop().unwrap();
    assert_eq!((entry.user, entry.details["api_key"].clone()), (Some(ada.user.id.0), key.id.to_string()));
}

#[tokio::test]
async fn keys_are_forgotten_ninety_days_after_they_were_revoked_or_expired() {
    let it = Identity::new();
    let ada = it.signs_up(ADA).await.unwrap();
    let revoked = ApiKey { revoked_at: Some(NOON), ..an_api_key(ada.user.id) };
    let expired = ApiKey { expires_at: Some(NOON), ..an_api_key(ada.user.id) };
    it.store.put_api_key(&revoked);
    it.store.put_api_key(&expired);
    it.clock.advance(Duration::days(90));
    it.prune.execute().await.unwrap();
    assert_eq!(it.store.api_keys(), [revoked, expired]);
    it.clock.advance(Duration::SECOND);
    it.prune.execute().await.unwrap();
    assert!(it.store.api_keys().is_empty());
}
