use std::{sync::Arc, time::Duration as StdDuration};

use async_trait::async_trait;
use coinlink_domain::identity::{Password, StoredPassword};
use coinlink_ports::identity::{HashError, PasswordCheck, PasswordHasher};
use secrecy::SecretString;
use subtle::{Choice, ConstantTimeEq as _};
use time::Duration;

mod pepper;
mod pool;
mod queue;
mod stored;

use pepper::Pepper;
use pool::Pool;
use queue::Work;
use stored::Kept;

use crate::CredentialsError;

/// What is kept with a cost beyond these is not computed: it is too quick to guess, or it would hold a thread for minutes.
const COSTS: std::ops::RangeInclusive<u32> = 10..=15;

/// How passwords are hashed, and how many at once.
#[derive(Clone)]
pub struct HashSettings {
    /// Goes into every hash, so that a copy of the database is not enough to try passwords: at least 32 bytes.
    pub pepper: SecretString,
    /// bcrypt's cost of new hashes, 10 to 15; each step takes twice as long.
    pub cost: u32,
    /// Threads that hash; 0 is one for each core.
    pub threads: usize,
    /// Passwords that may wait while all threads hash, at least 1.
    pub queue: usize,
    /// How long each of them may.
    pub deadline: Duration,
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
    /// Starts the threads, which end when it is dropped. `on_hash` is told how long each computation took, on the thread that
    /// did it.
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
}

/// Until the first was measured.
fn usual_time(cost: u32) -> StdDuration {
    StdDuration::from_millis(60) * (1 << cost.saturating_sub(*COSTS.start()))
}

#[async_trait]
impl PasswordHasher for BcryptPool {
    async fn hash(&self, password: &Password) -> Result<StoredPassword, HashError> {
        let mut salt = [0; 16];
        getrandom::fill(&mut salt).map_err(|error| HashError::Failed(error.to_string()))?;
        let work = Work { input: self.pepper.season(password), cost: self.cost, salt };
        Ok(StoredPassword { pepper_id: self.pepper.id().to_owned(), hash: self.pool.compute(work).await? })
    }

    async fn check(&self, password: &Password, stored: Option<&StoredPassword>) -> Result<PasswordCheck, HashError> {
        let readable = stored.and_then(|stored| Kept::read(&stored.hash, &COSTS));
        let known = stored.is_some_and(|stored| stored.pepper_id == self.pepper.id());
        // Where there is nothing that could match, something is computed all the same, and compared.
        let (kept, real) = match readable {
            Some(kept) if known => (kept, 1),
            _ => (Kept::nothing(self.cost), 0),
        };
        let outdated = stored.is_some() && (real == 0 || kept.cost != self.cost);
        let input = self.pepper.season(password);
        let computed = self.pool.compute(Work { input, cost: kept.cost, salt: kept.salt }).await?;
        let equal = computed.as_bytes().ct_eq(kept.hash.as_bytes());
        Ok(PasswordCheck { matches: (equal & Choice::from(real)).into(), outdated })
    }
}
