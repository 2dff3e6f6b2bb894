//! What of second factors, recovery codes and tickets may be used once is used once, however many come at once.

use coinlink_domain::{
    identity::{FirstFactor, OneTimeSecret, RecoveryCode, SecondFactor, SecretDigest, SignInTicket, UserId},
    shared::sealed::Sealed,
};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::{super::NOON, IdentityUnderTest, at_once};

/// Commits what one call did.
macro_rules! done {
    ($on:expr, $tx:ident => $call:expr) => {{
        let mut $tx = $on.0.store.begin().await.unwrap();
        let done = $call.await.unwrap();
        $tx.commit().await.unwrap();
        done
    }};
}

#[derive(Clone)]
struct On(IdentityUnderTest);

fn sealed(key: &str, byte: u8) -> Sealed {
    Sealed { key_id: key.to_owned(), bytes: vec![byte, 0, 0xff] }
}

fn digests(codes: std::ops::Range<u8>) -> Vec<SecretDigest> {
    codes.map(|n| RecoveryCode([n; 16]).digest()).collect()
}

fn a_ticket(user: UserId, at: OffsetDateTime) -> SignInTicket {
    let id = Uuid::now_v7();
    SignInTicket {
        id,
        digest: SignInTicket::digest_of(&OneTimeSecret { id, secret: [7; 32] }),
        user,
        state: SecretDigest([9; 32]),
        first_factor: FirstFactor::Password,
        device: Some(Uuid::now_v7()),
        created_at: at,
    }
}

impl On {
    async fn a_user(&self) -> UserId {
        self.0.a_user(&format!("u{}@example.org", Uuid::now_v7().simple())).await.id
    }

    async fn set_up(&self, factor: &SecondFactor) -> bool {
        done!(self, tx => tx.second_factors().set_up(factor))
    }

    async fn confirmed(&self) -> SecondFactor {
        let user = self.a_user().await;
        assert!(self.set_up(&SecondFactor::new(user, sealed("00000001", 1), NOON)).await);
        assert!(done!(self, tx => tx.second_factors().confirm(user, 100, NOON)));
        self.kept(user).await
    }

    async fn kept(&self, user: UserId) -> SecondFactor {
        self.0.factors.second_factor(user).await.unwrap().unwrap()
    }

    async fn claim(&self, user: UserId, step: u64) -> bool {
        done!(self, tx => tx.second_factors().claim_step(user, step))
    }

    async fn spend(&self, user: UserId, code: &SecretDigest) -> bool {
        done!(self, tx => tx.second_factors().spend_code(user, code))
    }

    async fn replace(&self, user: UserId, codes: &[SecretDigest]) {
        done!(self, tx => tx.second_factors().replace_codes(user, codes));
    }

    async fn ticket(&self, at: OffsetDateTime) -> SignInTicket {
        let ticket = a_ticket(self.a_user().await, at);
        done!(self, tx => tx.tickets().add(&ticket));
        ticket
    }

    async fn tried(&self, ticket: &SignInTicket, now: OffsetDateTime) -> Option<SignInTicket> {
        done!(self, tx => tx.tickets().try_once(ticket.id, &ticket.digest, now))
    }
}

pub async fn a_factor_is_found_as_it_was_set_up_and_the_next_takes_its_place(it: IdentityUnderTest) {
    let on = On(it);
    let user = on.a_user().await;
    assert_eq!(on.0.factors.second_factor(user).await.unwrap(), None);
    let first = SecondFactor::new(user, sealed("00000001", 1), NOON);
    let second = SecondFactor::new(user, sealed("00000002", 2), NOON + Duration::MICROSECOND);
    for factor in [first, second] {
        assert!(on.set_up(&factor).await);
        assert_eq!(on.kept(user).await, factor);
        assert_eq!(done!(on, tx => tx.second_factors().lock(user)), Some(factor));
    }
}

pub async fn a_factor_that_is_confirmed_stays_until_it_is_removed(it: IdentityUnderTest) {
    let on = On(it);
    let factor = on.confirmed().await;
    assert_eq!((factor.confirmed_at, factor.last_step), (Some(NOON), Some(100)));
    let user = factor.user;
    assert!(!on.set_up(&SecondFactor::new(user, sealed("00000002", 2), NOON)).await);
    assert!(!done!(on, tx => tx.second_factors().confirm(user, 200, NOON)));
    assert_eq!(on.kept(user).await, factor);
    on.replace(user, &digests(0..3)).await;
    assert!(done!(on, tx => tx.second_factors().remove(user)));
    assert!(!done!(on, tx => tx.second_factors().remove(user)));
    assert_eq!(on.0.factors.second_factor(user).await.unwrap(), None);
    assert_eq!(on.0.factors.recovery_codes_left(user).await.unwrap(), 0);
}

pub async fn a_step_is_claimed_once_and_never_after_a_newer_one(it: IdentityUnderTest) {
    let on = On(it);
    let user = on.confirmed().await.user;
    let claims: Vec<bool> = [on.claim(user, 100).await, on.claim(user, 102).await, on.claim(user, 102).await].into();
    assert_eq!(claims, [false, true, false]);
    assert!(!on.claim(user, 101).await, "older than the newest");
    assert!(!on.claim(on.a_user().await, 500).await, "who has no factor has no steps");
    let claimed = at_once(50, |_| {
        let on = on.clone();
        async move { on.claim(user, 103).await }
    });
    assert_eq!(claimed.await.into_iter().filter(|claimed| *claimed).count(), 1);
    assert_eq!(on.kept(user).await.last_step, Some(103));
}

pub async fn a_claim_that_is_rolled_back_never_was(it: IdentityUnderTest) {
    let on = On(it);
    let user = on.confirmed().await.user;
    on.replace(user, &digests(0..1)).await;
    let mut tx = on.0.store.begin().await.unwrap();
    assert!(tx.second_factors().claim_step(user, 101).await.unwrap());
    assert!(tx.second_factors().spend_code(user, &digests(0..1)[0]).await.unwrap());
    drop(tx);
    assert!(on.claim(user, 101).await && on.spend(user, &digests(0..1)[0]).await);
}

pub async fn a_recovery_code_is_spent_once_by_its_own_account(it: IdentityUnderTest) {
    let on = On(it);
    let (user, other) = (on.confirmed().await.user, on.confirmed().await.user);
    let codes = digests(0..10);
    on.replace(user, &codes).await;
    assert_eq!(on.0.factors.recovery_codes_left(user).await.unwrap(), 10);
    assert!(!on.spend(other, &codes[0]).await);
    let spent = at_once(50, |_| {
        let (on, code) = (on.clone(), codes[0]);
        async move { on.spend(user, &code).await }
    });
    assert_eq!(spent.await.into_iter().filter(|spent| *spent).count(), 1);
    assert_eq!(done!(on, tx => tx.second_factors().codes_left(user)), 9);
}

pub async fn new_recovery_codes_void_the_earlier_ones(it: IdentityUnderTest) {
    let on = On(it);
    let user = on.confirmed().await.user;
    on.replace(user, &digests(0..10)).await;
    on.replace(user, &digests(5..15)).await;
    assert_eq!(on.0.factors.recovery_codes_left(user).await.unwrap(), 10);
    assert!(!on.spend(user, &digests(0..1)[0]).await && on.spend(user, &digests(14..15)[0]).await);
    on.replace(user, &[]).await;
    assert_eq!(on.0.factors.recovery_codes_left(user).await.unwrap(), 0);
}

pub async fn a_secret_is_sealed_anew_only_where_it_is_still_the_same(it: IdentityUnderTest) {
    let on = On(it);
    let factor = on.confirmed().await;
    let (user, anew) = (factor.user, sealed("00000002", 2));
    let reseal = async |from: &Sealed| done!(on, tx => tx.second_factors().reseal(user, from, &anew));
    assert!(!reseal(&sealed("00000001", 9)).await && !reseal(&sealed("00000009", 1)).await);
    assert!(reseal(&factor.secret).await);
    assert!(!reseal(&factor.secret).await);
    assert_eq!(on.kept(user).await, SecondFactor { secret: anew, ..factor });
}

pub async fn secrets_of_earlier_keys_are_told_by_account(it: IdentityUnderTest) {
    let on = On(it);
    let mut users = Vec::new();
    for key in ["00000001", "00000002", "00000001", "00000003", "00000001"] {
        let user = on.a_user().await;
        assert!(on.set_up(&SecondFactor::new(user, sealed(key, 1), NOON)).await);
        users.push(user);
    }
    let told = async |after, limit| {
        let old = on.0.factors.sealed_before("00000001", after, limit).await.unwrap();
        old.into_iter().map(|(user, sealed)| (user, sealed.key_id)).collect::<Vec<_>>()
    };
    let all = [(users[1], "00000002".to_owned()), (users[3], "00000003".to_owned())];
    assert_eq!(told(None, 10).await, all);
    assert_eq!(told(None, 1).await, all[..1]);
    assert_eq!(told(Some(users[1]), 10).await, all[1..]);
}

pub async fn a_ticket_is_tried_five_times_within_its_time_and_by_its_secret_only(it: IdentityUnderTest) {
    let on = On(it);
    let ticket = on.ticket(NOON).await;
    let stranger = SignInTicket { digest: SecretDigest([0; 32]), ..ticket.clone() };
    assert_eq!(on.tried(&stranger, NOON).await, None);
    assert_eq!(on.tried(&ticket, ticket.expires_at()).await, None);
    assert_eq!(on.tried(&ticket, ticket.expires_at() - Duration::MICROSECOND).await, Some(ticket.clone()));
    let tried = at_once(20, |_| {
        let (on, ticket) = (on.clone(), ticket.clone());
        async move { on.tried(&ticket, NOON).await.is_some() }
    });
    assert_eq!(tried.await.into_iter().filter(|tried| *tried).count(), 4);
    assert_eq!(on.tried(&ticket, NOON).await, None);
}

pub async fn a_ticket_is_spent_once(it: IdentityUnderTest) {
    let on = On(it);
    let ticket = on.ticket(NOON).await;
    let mut tx = on.0.store.begin().await.unwrap();
    assert!(tx.tickets().spend(ticket.id).await.unwrap());
    drop(tx);
    let spent = at_once(20, |_| {
        let (on, id) = (on.clone(), ticket.id);
        async move { done!(on, tx => tx.tickets().spend(id)) }
    });
    assert_eq!(spent.await.into_iter().filter(|spent| *spent).count(), 1);
    assert_eq!(on.tried(&ticket, NOON).await, None);
}

pub async fn old_tickets_are_forgotten_and_no_more_than_asked(it: IdentityUnderTest) {
    let on = On(it);
    let kept = on.ticket(NOON).await;
    for n in 1..=3 {
        on.ticket(NOON - Duration::seconds(n)).await;
    }
    assert_eq!(on.0.factors.prune_tickets(NOON, 2).await.unwrap(), 2);
    assert_eq!(on.0.factors.prune_tickets(NOON, 2).await.unwrap(), 1);
    assert_eq!(on.0.factors.prune_tickets(NOON, 2).await.unwrap(), 0);
    assert!(on.tried(&kept, NOON).await.is_some());
}
