use std::{sync::Arc, time::Duration as StdDuration};

use async_trait::async_trait;
use coinlink_domain::identity::{Password, StoredPassword};
use coinlink_ports::identity::{HashError, HashPlace, PasswordCheck, PasswordHasher};
use secrecy::SecretString;
use subtle::{Choice, ConstantTimeEq as _};
use time::Duration;

mod pepper;
mod pool;
mod queue;
mod stored;
mod work;

use pepper::Pepper;
use pool::Pool;
use stored::Kept;
use work::{Goal, Work};

use crate::CredentialsError;

/// What is kept with a cost beyond these is not computed: it is too quick to guess, or it would hold a thread for minutes.
const COSTS: std::ops::RangeInclusive<u32> = 10..=15;

/// How passwords are hashed, and how many at once.
#[derive(Clone)]
pub struct HashSettings {
    /// Goes into every hash, so that a copy of the database is not enough to try passwords: at least 32 bytes.
    pub pepper: SecretString,
    /// bcrypt's cost of new hashes, 10 to 15; each step takes twice as long. Raising it does not tell accounts from unknown
    /// addresses by time. Lowering it does, for each account whose password was kept at the higher cost, until its owner signs
    /// in again: such a hash cannot be checked in less time.
    pub cost: u32,
    /// Threads that hash; 0 is one for each core.
    pub threads: usize,
    /// Passwords that may wait while all threads hash, at least 1.
    pub queue: usize,
    /// How long each of them may.
    pub deadline: Duration,
}

/// What stored passwords say of the pepper that they were keyed with: it tells it from others, and not what it is.
pub fn pepper_id(pepper: &SecretString) -> Result<String, CredentialsError> {
    Ok(Pepper::new(pepper)?.id().to_owned())
}

/// Passwords, hashed by a few threads of their own.
///
/// A password is normalised (NFKC), so that it is the same whatever keyboard it was typed on; keyed with the pepper
/// (HMAC-SHA-256), which also brings it to 32 bytes, so that bcrypt, which reads 72, sees all of it; and written in base64,
/// because bcrypt stops at a zero byte.
pub struct BcryptPool {
    cost: u32,
    pepper: Pepper,
    pool: Pool,
}

impl BcryptPool {
    /// Starts the threads, which end when it is dropped. `on_hash` is told how long each call was computed for, once, on the
    /// thread that did it.
    pub fn start(
        settings: HashSettings,
        on_hash: impl Fn(StdDuration) + Send + Sync + 'static,
    ) -> Result<Self, CredentialsError> {
        let HashSettings { pepper, cost, threads, queue, deadline } = settings;
        if !COSTS.contains(&cost) {
            return Err(CredentialsError::Cost(cost));
        }
        let deadline = StdDuration::try_from(deadline).unwrap_or_default();
        if queue == 0 || deadline.is_zero() {
            return Err(CredentialsError::NoQueue);
        }
        let pepper = Pepper::new(&pepper)?;
        let threads = if threads == 0 { std::thread::available_parallelism()?.get() } else { threads };
        let pool = Pool::start(threads, queue, deadline, usual_time(cost), Arc::new(on_hash))?;
        Ok(Self { cost, pepper, pool })
    }

    /// Passwords that wait for a thread.
    pub fn waiting(&self) -> usize {
        self.pool.waiting()
    }

    /// What to compare with, and 1 where it may match. Where there is nothing that could, something is computed all the same,
    /// and compared.
    fn kept(&self, stored: Option<&StoredPassword>) -> (Kept, u8) {
        let readable = stored.and_then(|stored| Kept::read(&stored.hash, &COSTS));
        let known = stored.is_some_and(|stored| stored.pepper_id == self.pepper.id());
        match readable {
            Some(kept) if known => (kept, 1),
            _ => (Kept::nothing(self.cost), 0),
        }
    }

    fn check_work(&self, password: &Password, kept: &Kept) -> Work {
        let goal = Some(Goal { hash: kept.hash.clone(), level: self.cost });
        Work { input: self.pepper.season(password), cost: kept.cost, salt: kept.salt, goal }
    }
}

/// Until the first was measured.
fn usual_time(cost: u32) -> StdDuration {
    StdDuration::from_millis(60) * (1 << cost.saturating_sub(*COSTS.start()))
}

#[async_trait]
impl PasswordHasher for BcryptPool {
    fn place(&self) -> Result<HashPlace, HashError> {
        self.pool.place()
    }

    async fn hash(&self, password: &Password) -> Result<StoredPassword, HashError> {
        let mut salt = [0; 16];
        getrandom::fill(&mut salt).map_err(|error| HashError::Failed(error.to_string()))?;
        let work = Work { input: self.pepper.season(password), cost: self.cost, salt, goal: None };
        Ok(StoredPassword { pepper_id: self.pepper.id().to_owned(), hash: self.pool.compute(work).await? })
    }

    async fn check(&self, password: &Password, stored: Option<&StoredPassword>) -> Result<PasswordCheck, HashError> {
        let (kept, real) = self.kept(stored);
        let outdated = stored.is_some() && (real == 0 || kept.cost != self.cost);
        let computed = self.pool.compute(self.check_work(password, &kept)).await?;
        let equal = computed.as_bytes().ct_eq(kept.hash.as_bytes());
        Ok(PasswordCheck { matches: (equal & Choice::from(real)).into(), outdated })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With costs of 10 and `cost` in one database.
    fn pool(cost: u32) -> BcryptPool {
        let pepper = "a pepper of at least thirty-two bytes".into();
        let settings = HashSettings { pepper, cost, threads: 1, queue: 1, deadline: Duration::seconds(60) };
        BcryptPool::start(settings, |_| {}).unwrap()
    }

    /// Costs of the computations that a check asks for; they are done at the lowest cost there is, so that it is quick.
    fn costs(pool: &BcryptPool, password: &Password, stored: Option<&StoredPassword>) -> Vec<u32> {
        let mut costs = Vec::new();
        let work = pool.check_work(password, &pool.kept(stored).0);
        let quick = |input: &[u8], cost, salt| {
            costs.push(cost);
            bcrypt::non_truncating_hash_with_salt(input, 4, salt).map(|parts| parts.to_string())
        };
        work.compute(quick).unwrap();
        costs
    }

    #[test]
    fn a_raised_cost_does_not_tell_accounts_from_unknown_addresses() {
        let wrong = Password::new("wrong".into());
        for cost in [11, 12] {
            let pool = pool(cost);
            let at = |pepper: &str, cost: u32| {
                let hash = format!("$2b${cost}$L6Bc/AlTQHyd9liGgGEZyOFLPHNgyxeEPfgYfBCVxJ7JIlwxyVU3u");
                Some(StoredPassword { pepper_id: pepper.to_owned(), hash })
            };
            let ours = pool.pepper.id();
            let unreadable = Some(StoredPassword { pepper_id: ours.to_owned(), hash: "-".into() });
            for stored in [None, unreadable, at("another", 10), at("another", cost), at(ours, 10), at(ours, cost)] {
                let costs = costs(&pool, &wrong, stored.as_ref());
                let rounds: u64 = costs.iter().map(|cost| 1_u64 << cost).sum();
                assert_eq!(rounds, 1 << cost, "{stored:?}: {costs:?}");
            }
        }
    }

    #[tokio::test]
    async fn only_a_wrong_password_is_brought_up_to_a_raised_cost() {
        let (low, high) = (pool(10), pool(11));
        let typed = Password::new("right".into());
        let stored = low.hash(&typed).await.unwrap();
        let done = |password: Password| {
            let (mut costs, work) = (Vec::new(), high.check_work(&password, &high.kept(Some(&stored)).0));
            let computed = work.compute(|input, cost, salt| {
                costs.push(cost);
                bcrypt::non_truncating_hash_with_salt(input, cost, salt).map(|parts| parts.to_string())
            });
            (computed.unwrap() == stored.hash, costs)
        };
        assert_eq!(done(typed), (true, vec![10]));
        assert_eq!(done(Password::new("wrong".into())), (false, vec![10, 10]));
    }
}
