//! Codes that are shown by many at once, through the use cases, on both databases.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{sync::Arc, time::Duration as StdDuration};

use crate::http_support::gated::Behind;
use coinlink_application::identity::{
    FactorProof, IdentityAdapters, IdentityUseCases, NewAccount, SecondFactorError, SignInOutcome,
};
use coinlink_credentials::{BoxKey, KeyRing};
use coinlink_domain::identity::{
    ClientInfo, Email, GuardKey, OneTimeSecret, Password, RecoveryCode, SecondFactor, SessionId, TotpCode, UserId,
};
use coinlink_migration::{Migrator, MigratorTrait as _};
use coinlink_ports::{
    identity::SecondFactorStore,
    shared::{Clock as _, SecretBox},
};
use coinlink_postgres::{ConnectSettings, Database, SqlIdentityStore};
use coinlink_testkit::{
    identity::{CountingAuthenticators, PlainAuthenticators},
    servers::fresh_database,
};
use futures_util::future::join_all;
use time::Duration;

const GOOD: &str = "Correct-horse-9-battery";
const STEP: Duration = Duration::seconds(30);
const ADA: &str = "ada@example.org";

/// An account with an authenticator app in a real database.
struct Protected {
    behind: Behind,
    store: SqlIdentityStore,
    adapters: IdentityAdapters,
    authenticators: Arc<CountingAuthenticators>,
    use_cases: IdentityUseCases,
    user: UserId,
    session: SessionId,
    secret: Vec<u8>,
    codes: Vec<RecoveryCode>,
}

fn client() -> ClientInfo {
    ClientInfo::new(Some("192.0.2.1".parse().unwrap()), Some("test"))
}

fn password() -> Password {
    Password::new(GOOD.to_owned())
}

fn ring(newest: u8, earlier: &[u8]) -> Arc<KeyRing> {
    let key = |byte: u8| BoxKey::new([byte; 32]);
    Arc::new(KeyRing::new(&key(newest), &earlier.iter().map(|byte| key(*byte)).collect::<Vec<_>>()))
}

impl Protected {
    async fn on(url: &str) -> Self {
        let timeouts = StdDuration::from_secs(20);
        let settings = ConnectSettings { acquire_timeout: timeouts, statement_timeout: timeouts, ..ConnectSettings::new(url) };
        let database = Database::connect(&settings).await.unwrap();
        database.with_migration_lock(async |connection| Migrator::up(connection, None).await).await.unwrap();
        let (behind, secrets, authenticators) = (Behind::default(), ring(1, &[]), Arc::<CountingAuthenticators>::default());
        let store = SqlIdentityStore::new(database, Arc::clone(&secrets) as _);
        let adapters = IdentityAdapters {
            store: Arc::new(store.clone()),
            factors: Arc::new(store.clone()),
            secrets: Arc::clone(&secrets) as _,
            authenticators: Arc::clone(&authenticators) as _,
            // Ids of a database that other tests have used, too.
            entropy: Arc::new(coinlink_embedded::SystemEntropy),
            ..behind.adapters()
        };
        let use_cases = IdentityUseCases::new(&adapters, Arc::default());
        let new = NewAccount { email: Email::try_new(ADA).unwrap(), password: password(), first_name: None, last_name: None };
        let signed_in = use_cases.sign_up.execute(new, client()).await.unwrap();
        let at = (signed_in.user.id, signed_in.tokens.session);
        use_cases.second_factor.set_up.execute(at, &password(), &client()).await.unwrap();
        let factor = store.second_factor(at.0).await.unwrap().unwrap();
        let secret = secrets.open(&SecondFactor::context(at.0), &factor.secret).unwrap();
        let code = PlainAuthenticators::code(&secret, behind.clock.now());
        let codes = use_cases.second_factor.confirm.execute(at, code, &client()).await.unwrap();
        behind.clock.advance(Duration::seconds(30));
        Self { behind, store, adapters, authenticators, use_cases, user: at.0, session: at.1, secret, codes }
    }

    fn code(&self) -> FactorProof {
        FactorProof::Code(PlainAuthenticators::code(&self.secret, self.behind.clock.now()))
    }

    async fn ticket(&self) -> OneTimeSecret {
        let email = Email::try_new(ADA).unwrap();
        let word = password();
        let outcome = self.use_cases.sign_in.execute(&email, &word, None, client(), std::future::pending()).await;
        match outcome.unwrap() {
            SignInOutcome::SecondFactorRequired(ticket) => ticket.secret,
            SignInOutcome::SignedIn(_) => panic!("signed in without the second factor"),
        }
    }

    async fn steps_up(&self, proof: FactorProof) -> Result<(), SecondFactorError> {
        let step_up = &self.use_cases.second_factor.step_up;
        step_up.execute((self.user, self.session), proof, &client()).await.map(drop)
    }
}

/// How many of `count` that run at once succeed.
async fn winners<F: Future<Output = bool> + Send + 'static>(count: usize, task: impl Fn() -> F) -> usize {
    let tasks: Vec<_> = (0..count).map(|_| tokio::spawn(task())).collect();
    join_all(tasks).await.into_iter().filter(|won| *won.as_ref().unwrap()).count()
}

async fn one_of_fifty_is_taken(it: Protected) {
    let it = Arc::new(it);
    for proof in [it.code(), FactorProof::Recovery(it.codes[0])] {
        let taken = winners(50, || {
            let it = Arc::clone(&it);
            async move { it.steps_up(proof).await.is_ok() }
        });
        assert_eq!(taken.await, 1, "{proof:?}");
        let mut tx = it.adapters.store.begin().await.unwrap();
        let left = tx.guards().attempts(&GuardKey::SessionFactor(it.session)).await.unwrap();
        assert_eq!((left.failures, left.delayed_until), (0, None), "nobody guessed: {proof:?}");
    }
    assert_eq!(it.store.recovery_codes_left(it.user).await.unwrap(), 9);
}

async fn one_of_fifty_sessions_is_opened(it: Protected) {
    let it = Arc::new(it);
    let (ticket, proof) = (it.ticket().await, it.code());
    let opened = winners(50, || {
        let it = Arc::clone(&it);
        let complete = Arc::clone(&it.use_cases.second_factor.complete_sign_in);
        async move { complete.execute(&ticket, proof, None, client()).await.is_ok() }
    });
    assert_eq!(opened.await, 1);
}

async fn parallel_tickets_share_one_budget(it: Protected) {
    let it = Arc::new(it);
    let mut tickets = Vec::new();
    for _ in 0..20 {
        tickets.push(it.ticket().await);
    }
    let before = it.authenticators.compared();
    let guesses = tickets.into_iter().map(|ticket| {
        let it = Arc::clone(&it);
        tokio::spawn(async move { it.completes(ticket, it.wrong()).await.is_err() })
    });
    assert!(join_all(guesses).await.into_iter().all(|refused| refused.unwrap()));
    assert_eq!(it.authenticators.compared() - before, 10);
    let refused = it.completes(it.ticket().await, it.code()).await;
    assert!(matches!(refused, Err(SecondFactorError::InvalidCode)), "the eleventh is delayed");
    it.steps_up(it.code()).await.unwrap();
    it.behind.clock.advance(Duration::minutes(15));
    it.completes(it.ticket().await, it.code()).await.unwrap();
}

/// Sealed anew by two nodes while codes are shown: nobody notices, and the earlier key may go.
async fn codes_are_good_while_secrets_are_sealed_anew(it: Protected) {
    for round in 2_u8..6 {
        let (old, new) = (round - 1, round);
        let adapters = IdentityAdapters { secrets: ring(new, &[old]), ..it.adapters.clone() };
        let node = IdentityUseCases::new(&adapters, Arc::default());
        let reseal = || node.second_factor.reseal.execute(None);
        let at = (it.user, it.session);
        let (code, from) = (it.code(), client());
        let step_up = node.second_factor.step_up.execute(at, code, &from);
        let (one, two, shown) = tokio::join!(reseal(), reseal(), step_up);
        assert!(one.is_ok() && two.is_ok());
        shown.unwrap();
        let kept = it.store.second_factor(it.user).await.unwrap().unwrap();
        assert_eq!(ring(new, &[]).open(&SecondFactor::context(it.user), &kept.secret).unwrap(), it.secret);
        assert_eq!(kept.secret.key_id, ring(new, &[]).newest_key());
        it.behind.clock.advance(Duration::seconds(30));
    }
}

impl Protected {
    /// A code that is good in none of the steps around.
    fn wrong(&self) -> FactorProof {
        let now = self.behind.clock.now();
        let good: Vec<_> = (-2..=2).map(|steps| PlainAuthenticators::code(&self.secret, now + STEP * steps)).collect();
        let wrong = (0..1_000_000).filter_map(TotpCode::new).find(|code| !good.contains(code));
        FactorProof::Code(wrong.unwrap())
    }

    async fn completes(&self, ticket: OneTimeSecret, proof: FactorProof) -> Result<(), SecondFactorError> {
        self.use_cases.second_factor.complete_sign_in.execute(&ticket, proof, None, client()).await.map(drop)
    }
}

macro_rules! on_both {
    ($($case:ident),+ $(,)?) => {
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                let place = super::fresh_database().await;
                super::$case(super::Protected::on(&place.url).await).await;
            })+
        }
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                let place = tempfile::tempdir().unwrap();
                let url = format!("sqlite:{}", place.path().join("coinlink.db").display());
                super::$case(super::Protected::on(&url).await).await;
            })+
        }
    };
}

on_both!(
    one_of_fifty_is_taken,
    one_of_fifty_sessions_is_opened,
    parallel_tickets_share_one_budget,
    codes_are_good_while_secrets_are_sealed_anew,
);
