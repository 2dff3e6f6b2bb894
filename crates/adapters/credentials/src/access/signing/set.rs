use coinlink_domain::identity::signing_keys::{KeyPeriod, has_begun, signs};
use coinlink_ports::identity::{AccessGrant, PublicKey};
use time::OffsetDateTime;

use super::key::SigningKey;

/// The keys of one list. It never changes: another list is another set.
pub(in crate::access) struct KeySet {
    pub(super) periods: Vec<KeyPeriod>,
    pub(super) keys: Vec<SigningKey>,
    /// The names of those that were taken away.
    pub(super) revoked: Vec<String>,
    /// What they were read from.
    pub(super) list: Vec<u8>,
}

impl KeySet {
    /// The key that signs this grant, whenever it is asked for.
    pub(in crate::access) fn signing(&self, grant: &AccessGrant) -> Option<&SigningKey> {
        self.keys.get(signs(&self.periods, grant.issued_at, grant.expires_at)?)
    }

    /// Whether the time of any key had come when this grant was issued.
    pub(in crate::access) fn has_begun(&self, grant: &AccessGrant) -> bool {
        has_begun(&self.periods, grant.issued_at)
    }

    /// The key of this name, and whether what it signed has expired.
    pub(in crate::access) fn find(&self, kid: &str, now: OffsetDateTime) -> Option<(&SigningKey, bool)> {
        let at = self.keys.iter().position(|key| key.public.id == kid)?;
        Some((&self.keys[at], self.periods[at].is_retired(now)))
    }

    /// Whether a key of this name was taken away.
    pub(in crate::access) fn is_revoked(&self, kid: &str) -> bool {
        self.revoked.iter().any(|gone| gone == kid)
    }

    pub(super) fn known(&self, now: OffsetDateTime) -> Vec<PublicKey> {
        let believed = self.keys.iter().zip(&self.periods).filter(|(_, period)| !period.is_retired(now));
        believed.map(|(key, _)| key.public.clone()).collect()
    }
}
