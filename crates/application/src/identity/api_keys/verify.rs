use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use coinlink_domain::identity::{ApiKey, ApiKeyId, ApiScopes, UserId};
use coinlink_ports::{
    identity::{ApiKeyCodec, ApiKeyReads, PresentedApiKey},
    shared::{Clock, StoreError},
};
use time::Duration;

use super::{super::turns::Turns, KeyUses, KnownKeys, bad_keys::BadKeys, known_keys::Remembered};

/// Who presents a key that is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VerifiedKey {
    /// The key.
    pub key: ApiKeyId,
    /// Whose account it is for.
    pub user: UserId,
    /// What it may do.
    pub scopes: ApiScopes,
}

/// A key is not taken.
#[derive(Debug, thiserror::Error)]
pub enum KeyRefusal {
    /// It has no key's form, or is none of ours, or is over, or is for elsewhere.
    #[error("the key is not valid")]
    Invalid,
    /// Too many keys came from this address that nobody knows: the store is not asked for another one.
    #[error("too many keys that nobody knows")]
    TooMany {
        /// Until it is asked again.
        retry_after: Duration,
    },
    /// The store is not there. What was true a while ago does not count.
    #[error("{error}")]
    Store {
        /// What is wrong with it.
        error: StoreError,
        /// The key, where its secret was the right one when it was last read.
        proven: Option<ApiKeyId>,
    },
}

/// Finds out who presents a key.
pub struct VerifyApiKey {
    keys: Arc<dyn ApiKeyReads>,
    codec: Arc<dyn ApiKeyCodec>,
    known: Arc<KnownKeys>,
    uses: Arc<KeyUses>,
    clock: Arc<dyn Clock>,
    bad: BadKeys,
    turns: Turns<ApiKeyId>,
    /// When the store last did not answer, in milliseconds of the monotonic clock.
    failed_at: AtomicI64,
}

impl VerifyApiKey {
    /// Reads texts with `codec` and keys from `keys`; what it read goes to `known`, and uses to `uses`.
    pub fn new(
        keys: Arc<dyn ApiKeyReads>,
        codec: Arc<dyn ApiKeyCodec>,
        known: Arc<KnownKeys>,
        uses: Arc<KeyUses>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            keys,
            codec,
            known,
            uses,
            clock,
            bad: BadKeys::default(),
            turns: Turns::default(),
            failed_at: AtomicI64::new(i64::MIN),
        }
    }

    /// Whose key this is. `ip` is the whole address it comes from, `client` the one by which clients are counted.
    ///
    /// What has no key's form is refused at once. A key that was read within the last half second is not read again, so that one
    /// that is revoked is refused within a second on every node; one that is nobody's is not looked for again for five seconds, and a
    /// wrong secret is refused without a read wherever the right one was known.
    #[tracing::instrument(level = "debug", name = "identity.verify_api_key", skip_all)]
    pub async fn execute(&self, presented: &str, ip: IpAddr, client: IpAddr) -> Result<VerifiedKey, KeyRefusal> {
        let claimed = self.codec.open(presented).ok_or(KeyRefusal::Invalid)?;
        let key = match self.remembered(&claimed)? {
            Some(key) => key,
            None => self.read(&claimed, client).await?,
        };
        let now = self.clock.now();
        if !key.admits(ip, now) {
            return Err(KeyRefusal::Invalid);
        }
        self.uses.add(&key, now);
        Ok(VerifiedKey { key: key.id, user: key.user, scopes: key.scopes })
    }

    /// The key as it is known, where that is fresh.
    fn remembered(&self, claimed: &PresentedApiKey) -> Result<Option<Arc<ApiKey>>, KeyRefusal> {
        match self.known.look(claimed.id, self.clock.monotonic()) {
            Remembered::Nobodys => Err(KeyRefusal::Invalid),
            Remembered::Once(key) | Remembered::Fresh(key) if !self.codec.proves(claimed, &key.digest) => {
                Err(KeyRefusal::Invalid)
            }
            Remembered::Nothing | Remembered::Once(_) => Ok(None),
            Remembered::Fresh(key) => Ok(Some(key)),
        }
    }

    /// The key as the store knows it. Requests with one key ask for it one after the other, and those that waited find what the
    /// first one read.
    async fn read(&self, claimed: &PresentedApiKey, client: IpAddr) -> Result<Arc<ApiKey>, KeyRefusal> {
        let arrived = self.clock.monotonic();
        let _turn = self.turns.of(claimed.id).await;
        if let Some(key) = self.remembered(claimed)? {
            return Ok(key);
        }
        let read_at = self.clock.monotonic();
        // Its secret is the right one: another was refused above.
        let is_known = matches!(self.known.look(claimed.id, read_at), Remembered::Once(_));
        let proven = is_known.then_some(claimed.id);
        if self.failed_at.load(Ordering::Acquire) > millis(arrived) {
            let error = StoreError::Unavailable("the store did not answer a moment ago".into());
            return Err(KeyRefusal::Store { error, proven });
        }
        if !is_known {
            self.bad.reserve(client, read_at).map_err(|retry_after| KeyRefusal::TooMany { retry_after })?;
        }
        let found = self.keys.usable(claimed.id).await.map_err(|error| {
            self.failed_at.store(millis(self.clock.monotonic()), Ordering::Release);
            KeyRefusal::Store { error, proven }
        });
        let Some(key) = found? else {
            self.known.remember_nobodys(claimed.id, read_at);
            return Err(KeyRefusal::Invalid);
        };
        let key = Arc::new(key);
        self.known.remember(Arc::clone(&key), read_at);
        if !self.codec.proves(claimed, &key.digest) {
            return Err(KeyRefusal::Invalid);
        }
        if !is_known {
            self.bad.give_back(client);
        }
        Ok(key)
    }
}

fn millis(moment: Duration) -> i64 {
    i64::try_from(moment.whole_milliseconds()).unwrap_or(i64::MAX)
}
