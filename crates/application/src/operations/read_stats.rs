//! How things are, in numbers, for an administrator.

use std::sync::Arc;

use coinlink_domain::{
    identity::{ClientInfo, SessionPolicy, UserId},
    shared::audit::AuditStatus,
};
use coinlink_ports::{
    identity::{AccountCounts, AccountDirectory, IdentityStore},
    notifications::{MailCounts, MailQueue},
    operations::AuditReader,
    shared::{Clock, Entropy, StoreError},
};
use futures_util::lock::Mutex;
use time::{Duration, OffsetDateTime};

use super::looked;

/// However many ask, it is counted once in this time.
const SHARED_FOR: Duration = Duration::seconds(10);
/// Entries that are counted at most; a store must not be kept busy by a day of guessing.
const COUNTED: u32 = 100_000;
const SIGN_IN: &str = "auth.sign_in";

/// All of it in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stats {
    /// When it was counted.
    pub at: OffsetDateTime,
    /// Accounts and sessions.
    pub accounts: AccountCounts,
    /// Sign-ins in the last 24 hours, 100,000 where there were more.
    pub sign_ins: u64,
    /// Sign-ins that failed or were refused in the last 24 hours, at most 100,000 of each.
    pub failed_sign_ins: u64,
    /// Letters that wait or were given up.
    pub mail: MailCounts,
}

struct Shared {
    counted_at: Duration,
    stats: Stats,
}

/// What an administrator reads numbers from.
pub struct StatsParts {
    /// Accounts and sessions.
    pub accounts: Arc<dyn AccountDirectory>,
    /// The audit log.
    pub audit: Arc<dyn AuditReader>,
    /// Letters.
    pub mail: Arc<dyn MailQueue>,
    /// Where it is written down that somebody looked.
    pub store: Arc<dyn IdentityStore>,
    /// How long sessions live.
    pub policy: SessionPolicy,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Ids of audit entries.
    pub entropy: Arc<dyn Entropy>,
}

/// Counts; the answer is shared for ten seconds.
pub struct ReadStats {
    parts: StatsParts,
    shared: Mutex<Option<Shared>>,
}

impl ReadStats {
    /// Counts what is in these.
    pub fn new(parts: StatsParts) -> Self {
        Self { parts, shared: Mutex::new(None) }
    }

    /// The numbers, at most ten seconds old. That somebody looks is written down first.
    #[tracing::instrument(name = "operations.read_stats", skip_all)]
    pub async fn execute(&self, admin: UserId, client: &ClientInfo) -> Result<Stats, StoreError> {
        let Self { parts, .. } = self;
        let entry = looked::by(admin, &*parts.entropy, parts.clock.now(), (looked::READ_STATS, "stats"), client);
        looked::record_alone(&*parts.store, &entry).await?;
        // Held while it is counted, for as long as the store's statements may take: those who ask meanwhile get the same answer.
        let mut shared = self.shared.lock().await;
        let asked_at = parts.clock.monotonic();
        if let Some(known) = shared.as_ref().filter(|known| asked_at - known.counted_at < SHARED_FOR) {
            return Ok(known.stats);
        }
        let stats = self.count().await?;
        *shared = Some(Shared { counted_at: asked_at, stats });
        Ok(stats)
    }

    async fn count(&self) -> Result<Stats, StoreError> {
        let StatsParts { accounts, audit, mail, policy, clock, .. } = &self.parts;
        let now = clock.now();
        let accounts = accounts.count(now, policy).await?;
        let since = now - Duration::DAY;
        let sign_ins = audit.count(SIGN_IN, AuditStatus::Success, since, COUNTED).await?;
        let failed = audit.count(SIGN_IN, AuditStatus::Failure, since, COUNTED).await?;
        let denied = audit.count(SIGN_IN, AuditStatus::Denied, since, COUNTED).await?;
        let mail = mail.counts().await?;
        Ok(Stats { at: now, accounts, sign_ins, failed_sign_ins: failed + denied, mail })
    }
}
