//! What every store must do for administrators: [`AccountDirectory`], [`AuditReader`], and forgetting guesses. Run by the fake
//! and by the SQL store on each database.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::{any::Any, collections::BTreeSet, sync::Arc};

use coinlink_domain::{
    identity::{EmailPrefix, GuardKey, GuardPolicies, Role, SessionPolicy, User, UserId},
    shared::audit::{AuditEntry, AuditStatus},
};
use coinlink_ports::{
    identity::{AccountDirectory, AccountFilter, IdentityStore},
    operations::{AuditFilter, AuditReader, LogPlace},
};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::{NOON, a_session, a_user, an_account_of, an_email};

/// An empty store, as administrators use it.
#[derive(Clone)]
pub struct AdministrationUnderTest {
    /// The store.
    pub store: Arc<dyn IdentityStore>,
    /// The same, for looking accounts up.
    pub accounts: Arc<dyn AccountDirectory>,
    /// The same, for reading the audit log.
    pub audit: Arc<dyn AuditReader>,
    /// What has to stay as long as the store is used.
    pub place: Arc<dyn Any + Send + Sync>,
}

impl AdministrationUnderTest {
    async fn add(&self, user: User) -> User {
        let mut tx = self.store.begin().await.unwrap();
        tx.users().add(&an_account_of(user.clone())).await.unwrap();
        tx.commit().await.unwrap();
        user
    }

    async fn record(&self, entries: &[AuditEntry]) {
        let mut tx = self.store.begin().await.unwrap();
        for entry in entries {
            tx.audit().record(entry).await.unwrap();
        }
        tx.commit().await.unwrap();
    }

    async fn found(&self, filter: &AccountFilter) -> Vec<String> {
        let users = self.accounts.accounts(filter, None, 100).await.unwrap();
        users.into_iter().map(|user| user.email.as_str().to_owned()).collect()
    }

    async fn by_email(&self, prefix: &str) -> BTreeSet<String> {
        let email = Some(EmailPrefix::try_new(prefix).unwrap());
        self.found(&AccountFilter { email, ..AccountFilter::default() }).await.into_iter().collect()
    }

    /// Numbers of the entries that `filter` wants, newest first.
    async fn numbers(&self, filter: &AuditFilter) -> Vec<u32> {
        self.audit.page(filter, None, 100).await.unwrap().entries.iter().map(number).collect()
    }
}

/// Entry `n`, `n` seconds after noon.
fn entry(n: u32) -> AuditEntry {
    AuditEntry::new(Uuid::from_u128(u128::from(n)), NOON + Duration::seconds(n.into()), "auth.sign_in", "session")
        .on(n.to_string())
        .detail("n", n.to_string())
}

fn number(entry: &AuditEntry) -> u32 {
    entry.details["n"].parse().unwrap()
}

pub async fn accounts_are_listed_opened_last_first_page_by_page(it: AdministrationUnderTest) {
    let mut opened = Vec::new();
    for n in 0..5 {
        opened.push(it.add(a_user(&format!("person{n}@example.org"))).await);
    }
    opened.reverse();
    let (mut listed, mut below) = (Vec::new(), None);
    loop {
        let page = it.accounts.accounts(&AccountFilter::default(), below, 2).await.unwrap();
        let Some(last) = page.last() else { break };
        below = Some(last.id);
        listed.extend(page);
    }
    assert_eq!(listed, opened);
    assert_eq!(it.accounts.accounts(&AccountFilter::default(), Some(UserId(Uuid::nil())), 2).await.unwrap(), []);
}

pub async fn filters_of_accounts_hold_all_together(it: AdministrationUnderTest) {
    it.add(a_user("plain@example.org")).await;
    it.add(User { role: Role::Admin, is_verified: true, ..a_user("admin@example.org") }).await;
    it.add(User { is_active: false, ..a_user("locked@example.org") }).await;
    it.add(User { role: Role::Admin, is_active: false, ..a_user("retired@example.org") }).await;
    let filter = AccountFilter::default;
    for (wanted, expected) in [
        (filter(), vec!["retired@example.org", "locked@example.org", "admin@example.org", "plain@example.org"]),
        (AccountFilter { role: Some(Role::Admin), ..filter() }, vec!["retired@example.org", "admin@example.org"]),
        (AccountFilter { active: Some(false), ..filter() }, vec!["retired@example.org", "locked@example.org"]),
        (AccountFilter { verified: Some(true), ..filter() }, vec!["admin@example.org"]),
        (
            AccountFilter { role: Some(Role::User), active: Some(true), verified: Some(false), ..filter() },
            vec!["plain@example.org"],
        ),
        (AccountFilter { verified: Some(true), active: Some(false), ..filter() }, vec![]),
    ] {
        assert_eq!(it.found(&wanted).await, expected, "{wanted:?}");
    }
}

pub async fn an_address_is_found_by_its_beginning_whoever_owns_it(it: AdministrationUnderTest) {
    for email in ["ada@example.org", "adam@example.org", "a_a@example.org", "b@example.org", "ada@example.com"] {
        it.add(a_user(email)).await;
    }
    it.add(User { owns_email: false, ..a_user("adalbert@example.org") }).await;
    let set = |emails: &[&str]| emails.iter().map(|email| (*email).to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(
        it.by_email("ADA").await,
        set(&["ada@example.org", "ada@example.com", "adam@example.org", "adalbert@example.org"])
    );
    assert_eq!(it.by_email("ada@example.org").await, set(&["ada@example.org"]));
    assert_eq!(it.by_email("a_").await, set(&["a_a@example.org"]), "it is no pattern");
    assert_eq!(it.by_email("%").await, set(&[]));
    assert_eq!(it.by_email("0").await, set(&[]), "nothing that stands in for an address is one");
    assert_eq!(it.by_email("adalbert").await, set(&["adalbert@example.org"]));
}

pub async fn accounts_and_sessions_are_counted(it: AdministrationUnderTest) {
    let now = NOON + Duration::days(10);
    let policy = SessionPolicy::default();
    assert_eq!(it.accounts.count(now, &policy).await.unwrap(), coinlink_ports::identity::AccountCounts::default());
    let opened = |email: &str, ago: Duration| User { created_at: now - ago, ..a_user(email) };
    let ada = it.add(User { is_verified: true, role: Role::Admin, ..opened("a@example.org", Duration::days(8)) }).await;
    it.add(User { is_active: false, role: Role::Admin, ..opened("b@example.org", Duration::days(7)) }).await;
    it.add(opened("c@example.org", Duration::DAY)).await;
    it.add(opened("d@example.org", Duration::DAY + Duration::MICROSECOND)).await;
    let mut tx = it.store.begin().await.unwrap();
    for (rotated, ended) in [(now, false), (now, true), (NOON, false)] {
        let mut session = a_session(ada.id);
        (session.created_at, session.rotated_at) = (rotated, rotated);
        if ended {
            session.end(coinlink_domain::identity::EndReason::SignedOut, now);
        }
        tx.sessions().add(&session).await.unwrap();
    }
    tx.commit().await.unwrap();
    let counts = it.accounts.count(now, &policy).await.unwrap();
    assert_eq!((counts.total, counts.verified, counts.active, counts.admins), (4, 1, 3, 1));
    assert_eq!((counts.new_in_a_day, counts.new_in_a_week, counts.live_sessions), (1, 3, 1));
    assert_eq!(counts.with_second_factor, 0);
}

pub async fn the_log_is_read_backwards_page_by_page(it: AdministrationUnderTest) {
    // Three at the same moment, told apart by their ids alone.
    let moment = |n| AuditEntry { at: NOON, ..entry(n) };
    it.record(&[entry(4), moment(2), moment(1), entry(5), moment(3)]).await;
    for limit in 1..=5 {
        let (mut read, mut before, mut pages) = (Vec::new(), None, 0);
        loop {
            let page = it.audit.page(&AuditFilter::default(), before, limit).await.unwrap();
            read.extend(page.entries);
            pages += 1;
            match page.next {
                Some(next) => before = Some(next),
                None => break,
            }
        }
        assert_eq!(read, [entry(5), entry(4), moment(3), moment(2), moment(1)], "pages of {limit}");
        assert_eq!(pages, 5_u32.div_ceil(limit), "none of them is empty");
    }
    let nowhere = LogPlace { at: OffsetDateTime::UNIX_EPOCH, id: Uuid::nil() };
    assert_eq!(it.audit.page(&AuditFilter::default(), Some(nowhere), 5).await.unwrap().entries, []);
}

pub async fn filters_of_the_log_hold_all_together(it: AdministrationUnderTest) {
    let (ada, bob) = (Uuid::now_v7(), Uuid::now_v7());
    let user = |n, id: Uuid| AuditEntry { resource_type: "user".into(), ..entry(n) }.on(id.to_string());
    it.record(&[
        entry(1).by(ada),
        entry(2).by(bob).ended(AuditStatus::Failure),
        AuditEntry { action: "auth.sign_out".into(), ..entry(3) }.by(ada),
        user(4, ada).ended(AuditStatus::Denied),
        user(5, bob).by(ada),
    ])
    .await;
    let filter = AuditFilter::default;
    let text = |text: &str| Some(text.to_owned());
    let from = Some(NOON + Duration::seconds(2));
    let to = Some(NOON + Duration::seconds(4));
    for (wanted, expected) in [
        (filter(), vec![5, 4, 3, 2, 1]),
        (AuditFilter { user: Some(ada), ..filter() }, vec![5, 3, 1]),
        (AuditFilter { action: text("auth.sign_out"), ..filter() }, vec![3]),
        (AuditFilter { action: text("no.such"), ..filter() }, vec![]),
        (AuditFilter { status: Some(AuditStatus::Denied), ..filter() }, vec![4]),
        (AuditFilter { resource_type: text("user"), ..filter() }, vec![5, 4]),
        (AuditFilter { resource_type: text("user"), resource_id: text(&bob.to_string()), ..filter() }, vec![5]),
        (AuditFilter { from, to, ..filter() }, vec![3, 2]),
        (AuditFilter { user: Some(ada), action: text("auth.sign_in"), to, ..filter() }, vec![1]),
        (AuditFilter { user: Some(bob), status: Some(AuditStatus::Success), ..filter() }, vec![]),
    ] {
        assert_eq!(it.numbers(&wanted).await, expected, "{wanted:?}");
    }
}

pub async fn outcomes_are_counted_no_further_than_asked(it: AdministrationUnderTest) {
    let failed = |n| entry(n).ended(AuditStatus::Failure);
    it.record(&[failed(1), failed(2), failed(3), entry(4), AuditEntry { action: "auth.refresh".into(), ..failed(5) }]).await;
    let since = NOON + Duration::seconds(2);
    for (status, at_most, expected) in [
        (AuditStatus::Failure, 10, 2),
        (AuditStatus::Failure, 2, 2),
        (AuditStatus::Failure, 1, 1),
        (AuditStatus::Success, 10, 1),
        (AuditStatus::Denied, 10, 0),
    ] {
        assert_eq!(it.audit.count("auth.sign_in", status, since, at_most).await.unwrap(), expected, "{status:?} {at_most}");
    }
}

pub async fn forgotten_guesses_are_free_again_and_others_stay(it: AdministrationUnderTest) {
    let policies = GuardPolicies::default();
    let account = |email: &str| GuardKey::Account(an_email(email));
    let (ada, bob) = (account("ada@example.org"), account("bob@example.org"));
    let mut tx = it.store.begin().await.unwrap();
    tx.guards().reserve(&[ada.clone(), bob.clone()], NOON, &policies).await.unwrap().unwrap();
    tx.commit().await.unwrap();
    let mut tx = it.store.begin().await.unwrap();
    tx.guards().forget(&[ada.clone(), GuardKey::SecondFactor(UserId(Uuid::now_v7()))]).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = it.store.begin().await.unwrap();
    assert_eq!(tx.guards().attempts(&ada).await.unwrap().failures, 0);
    assert_eq!(tx.guards().attempts(&bob).await.unwrap().failures, 1);
}

/// Runs the suite on `$store`, an expression of type [`AdministrationUnderTest`] that is evaluated anew for each case.
#[macro_export]
macro_rules! administration_contract {
    ($($case:ident),+ $(,)? => $store:expr) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $case() {
            $crate::identity::administration_contract::$case($store).await;
        })+
    };
    ($store:expr) => {
        $crate::administration_contract!(
            accounts_are_listed_opened_last_first_page_by_page,
            filters_of_accounts_hold_all_together,
            an_address_is_found_by_its_beginning_whoever_owns_it,
            accounts_and_sessions_are_counted,
            the_log_is_read_backwards_page_by_page,
            filters_of_the_log_hold_all_together,
            outcomes_are_counted_no_further_than_asked,
            forgotten_guesses_are_free_again_and_others_stay,
            => $store
        );
    };
}
