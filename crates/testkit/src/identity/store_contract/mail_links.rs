//! Links in mail, and who claims an address.

use coinlink_domain::{
    identity::{BrowserMark, Email, LinkCode, LinkPurpose, MailLink, OneTimeSecret, SessionId, SessionPolicy, User, UserId},
    shared::{mail::OutgoingMail, sealed::Sealed},
};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::{
    super::{NOON, a_user, an_account_of, an_email},
    IdentityUnderTest,
};

fn a_link(user: UserId, purpose: LinkPurpose, now: OffsetDateTime) -> MailLink {
    let secret = OneTimeSecret { id: Uuid::now_v7(), secret: [7; 32] };
    MailLink::new(&secret, &LinkCode::new([1; 8]), (user, an_email("ada@example.org")), purpose, now)
}

async fn sent(it: &IdentityUnderTest, link: MailLink) -> MailLink {
    let mut tx = it.store.begin().await.unwrap();
    tx.mail_links().add(&link).await.unwrap();
    tx.commit().await.unwrap();
    link
}

async fn kept(it: &IdentityUnderTest, link: &MailLink) -> Option<MailLink> {
    it.store.begin().await.unwrap().mail_links().lock(link.id).await.unwrap()
}

async fn is_over(it: &IdentityUnderTest, link: &MailLink) -> bool {
    kept(it, link).await.unwrap().ended_at.is_some()
}

pub async fn a_link_is_found_as_it_was_sent(it: IdentityUnderTest) {
    let user = it.a_user("ada@example.org").await.id;
    for purpose in LinkPurpose::ALL {
        let bare = a_link(user, purpose, NOON + Duration::microseconds(7));
        let full = MailLink {
            other_email: Some(an_email("new@example.org")),
            browser: Some(BrowserMark::new([3; 32]).digest()),
            session: Some(SessionId(Uuid::now_v7())),
            failures: 2,
            kept: Some(Sealed { key_id: "0123abcd".to_owned(), bytes: vec![1, 2, 3] }),
            paused_until: Some(NOON + Duration::MICROSECOND),
            ..a_link(user, purpose, NOON + Duration::MICROSECOND)
        };
        for link in [bare, full] {
            let link = sent(&it, link).await;
            assert_eq!(kept(&it, &link).await, Some(link));
        }
    }
    assert_eq!(kept(&it, &a_link(user, LinkPurpose::VerifyEmail, NOON)).await, None);
}

pub async fn a_link_needs_an_account(it: IdentityUnderTest) {
    let mut tx = it.store.begin().await.unwrap();
    let nobodys = a_link(UserId(Uuid::now_v7()), LinkPurpose::VerifyEmail, NOON);
    assert!(tx.mail_links().add(&nobodys).await.is_err());
}

pub async fn what_of_a_link_may_change_is_saved(it: IdentityUnderTest) {
    let user = it.a_user("ada@example.org").await.id;
    let link = sent(&it, a_link(user, LinkPurpose::ResetPassword, NOON)).await;
    let changed = MailLink {
        failures: 3,
        ended_at: Some(NOON + Duration::MICROSECOND),
        paused_until: Some(NOON + Duration::HOUR),
        ..link.clone()
    };
    let mut tx = it.store.begin().await.unwrap();
    let elsewhere = MailLink { email: an_email("eve@example.org"), purpose: LinkPurpose::VerifyEmail, ..changed.clone() };
    tx.mail_links().save(&elsewhere).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(kept(&it, &link).await, Some(changed));
}

pub async fn a_new_link_voids_the_older_ones_of_its_asker_and_purpose(it: IdentityUnderTest) {
    let (user, other) = (it.a_user("ada@example.org").await.id, it.a_user("bob@example.org").await.id);
    for purpose in LinkPurpose::ALL {
        let older = sent(&it, a_link(user, purpose, NOON)).await;
        let others = sent(&it, a_link(other, purpose, NOON)).await;
        let newer = sent(&it, a_link(user, purpose, NOON)).await;
        let takes_back = purpose == LinkPurpose::UndoEmailChange;
        assert_eq!(is_over(&it, &older).await, !takes_back, "{purpose:?}");
        assert!(!is_over(&it, &newer).await && !is_over(&it, &others).await, "{purpose:?}");
    }
}

pub async fn a_new_link_voids_no_one_elses(it: IdentityUnderTest) {
    let user = it.a_user("ada@example.org").await.id;
    let (here, there) = (SessionId(Uuid::now_v7()), SessionId(Uuid::now_v7()));
    let asked = |purpose, browser: Option<u8>, session| MailLink {
        browser: browser.map(|n| BrowserMark::new([n; 32]).digest()),
        session,
        ..a_link(user, purpose, NOON)
    };
    for purpose in [LinkPurpose::VerifyEmail, LinkPurpose::ResetPassword] {
        let by_browser = sent(&it, asked(purpose, Some(1), None)).await;
        let by_session = sent(&it, asked(purpose, None, Some(here))).await;
        let by_both = sent(&it, asked(purpose, Some(2), Some(there))).await;
        let by_nobody = sent(&it, asked(purpose, None, None)).await;
        for link in [&by_browser, &by_session, &by_both, &by_nobody] {
            assert!(!is_over(&it, link).await, "{link:?}");
        }
        sent(&it, asked(purpose, None, None)).await;
        assert!(is_over(&it, &by_nobody).await && !is_over(&it, &by_session).await && !is_over(&it, &by_browser).await);
        sent(&it, asked(purpose, Some(1), Some(there))).await;
        assert!(is_over(&it, &by_browser).await && is_over(&it, &by_both).await && !is_over(&it, &by_session).await);
    }
    let change = sent(&it, asked(LinkPurpose::ChangeEmail, Some(1), Some(here))).await;
    sent(&it, asked(LinkPurpose::ChangeEmail, Some(2), Some(there))).await;
    assert!(is_over(&it, &change).await, "an account asks for one address at a time");
}

pub async fn a_link_is_held_by_one_at_a_time(it: IdentityUnderTest) {
    let user = it.a_user("ada@example.org").await.id;
    let link = sent(&it, a_link(user, LinkPurpose::ResetPassword, NOON)).await;
    let guess = async || {
        let mut tx = it.store.begin().await.unwrap();
        let mut held = tx.mail_links().lock(link.id).await.unwrap().unwrap();
        held.failures += 1;
        tokio::task::yield_now().await;
        tx.mail_links().save(&held).await.unwrap();
        tx.commit().await.unwrap();
    };
    tokio::join!(guess(), guess(), guess(), guess(), guess(), guess(), guess(), guess());
    assert_eq!(kept(&it, &link).await.unwrap().failures, 8, "no guess is lost");
}

pub async fn the_link_of_a_session_that_goes_on_is_found(it: IdentityUnderTest) {
    let (user, other) = (it.a_user("ada@example.org").await.id, it.a_user("bob@example.org").await.id);
    let session = SessionId(Uuid::now_v7());
    let of = async |user| it.links.open_link(user, session, LinkPurpose::VerifyEmail).await.unwrap();
    let own = |purpose| MailLink { session: Some(session), ..a_link(user, purpose, NOON) };
    assert_eq!(of(user).await, None);
    sent(&it, own(LinkPurpose::VerifyEmail)).await;
    sent(&it, own(LinkPurpose::ResetPassword)).await;
    let newer = sent(&it, own(LinkPurpose::VerifyEmail)).await;
    sent(&it, a_link(user, LinkPurpose::VerifyEmail, NOON)).await;
    sent(&it, MailLink { session: Some(SessionId(Uuid::now_v7())), ..a_link(user, LinkPurpose::VerifyEmail, NOON) }).await;
    assert_eq!(of(user).await, Some(newer.clone()));
    assert_eq!(of(other).await, None);
    let mut tx = it.store.begin().await.unwrap();
    tx.mail_links().save(&MailLink { ended_at: Some(NOON), ..newer }).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(of(user).await, None);
}

pub async fn letters_are_counted_by_address_template_and_time(it: IdentityUnderTest) {
    let letter = |to: &str, template: &'static str, at| OutgoingMail::new(Uuid::now_v7(), to, template, at);
    let mut tx = it.store.begin().await.unwrap();
    for mail in [
        letter("ada@example.org", "new_device", NOON - Duration::MICROSECOND),
        letter("ada@example.org", "new_device", NOON),
        letter("ada@example.org", "wallet_linked", NOON),
        letter("bob@example.org", "new_device", NOON),
    ] {
        tx.mail().post(&mail).await.unwrap();
    }
    tx.commit().await.unwrap();
    let mut tx = it.store.begin().await.unwrap();
    let mut count = async |to, since, until| tx.mail().posted_within(to, "new_device", since, until).await.unwrap();
    let before = NOON - Duration::MICROSECOND;
    assert_eq!(count("ada@example.org", NOON, NOON).await, 1);
    assert_eq!(count("ada@example.org", before, NOON + Duration::HOUR).await, 2);
    assert_eq!(count("ada@example.org", before, before).await, 1);
    assert_eq!(count("eve@example.org", NOON - Duration::HOUR, NOON + Duration::HOUR).await, 0);
}

pub async fn voiding_spares_what_took_a_change_back_before(it: IdentityUnderTest) {
    let (user, other) = (it.a_user("ada@example.org").await.id, it.a_user("bob@example.org").await.id);
    let early = sent(&it, a_link(user, LinkPurpose::UndoEmailChange, NOON - Duration::MICROSECOND)).await;
    let late = sent(&it, a_link(user, LinkPurpose::UndoEmailChange, NOON)).await;
    let reset = sent(&it, a_link(user, LinkPurpose::ResetPassword, NOON - Duration::HOUR)).await;
    let others = sent(&it, a_link(other, LinkPurpose::ResetPassword, NOON)).await;
    let mut tx = it.store.begin().await.unwrap();
    tx.mail_links().void(user, NOON, NOON).await.unwrap();
    tx.commit().await.unwrap();
    assert!(!is_over(&it, &early).await && !is_over(&it, &others).await);
    assert!(is_over(&it, &late).await && is_over(&it, &reset).await);
}

pub async fn links_are_counted_by_address_purpose_and_time(it: IdentityUnderTest) {
    let user = it.a_user("ada@example.org").await.id;
    for ago in [Duration::MICROSECOND, Duration::ZERO] {
        sent(&it, a_link(user, LinkPurpose::ResetPassword, NOON - ago)).await;
    }
    sent(&it, a_link(user, LinkPurpose::VerifyEmail, NOON)).await;
    let mut tx = it.store.begin().await.unwrap();
    let mut count =
        async |email: Email, since| tx.mail_links().sent_since(&email, LinkPurpose::ResetPassword, since).await.unwrap().len();
    assert_eq!(count(an_email("ada@example.org"), NOON).await, 1);
    assert_eq!(count(an_email("ada@example.org"), NOON - Duration::MICROSECOND).await, 2, "over or not");
    assert_eq!(count(an_email("bob@example.org"), NOON - Duration::HOUR).await, 0);
}

pub async fn old_links_are_pruned(it: IdentityUnderTest) {
    let user = it.a_user("ada@example.org").await.id;
    let old = sent(&it, a_link(user, LinkPurpose::UndoEmailChange, NOON - Duration::MICROSECOND)).await;
    let new = sent(&it, a_link(user, LinkPurpose::UndoEmailChange, NOON)).await;
    assert_eq!(it.store.prune(NOON, &SessionPolicy::default(), 0).await.unwrap(), 0);
    assert_eq!(it.store.prune(NOON, &SessionPolicy::default(), 10).await.unwrap(), 1);
    assert!(kept(&it, &old).await.is_none() && kept(&it, &new).await.is_some());
}

pub async fn those_who_claim_an_address_are_found_a_few_at_a_time(it: IdentityUnderTest) {
    let claims = |email: &str| User { owns_email: false, ..a_user(email) };
    it.a_user("ada@example.org").await;
    it.added(an_account_of(claims("bob@example.org"))).await;
    it.added(an_account_of(User { is_active: false, ..claims("ada@example.org") })).await;
    let mut claimants =
        vec![it.added(an_account_of(claims("ada@example.org"))).await, it.added(an_account_of(claims("ada@example.org"))).await];
    claimants.sort_by_key(|account| account.user.id);
    let mut tx = it.store.begin().await.unwrap();
    let ada = an_email("ada@example.org");
    assert_eq!(tx.users().lock_claimants(&ada, 10).await.unwrap(), claimants);
    assert_eq!(tx.users().lock_claimants(&ada, 1).await.unwrap(), claimants[..1]);
}
