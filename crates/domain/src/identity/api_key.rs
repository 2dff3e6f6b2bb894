//! Keys that programs use in place of a sign-in.

use std::{fmt, net::IpAddr};

use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::{IpRange, SecretDigest, UserId};

/// A key; its text names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ApiKeyId(pub Uuid);

impl fmt::Display for ApiKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a program may use in place of its owner's sign-in, as far as its scopes go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Its id.
    pub id: ApiKeyId,
    /// Whose account it is for.
    pub user: UserId,
    /// What its owner calls it.
    pub name: ApiKeyName,
    /// What is kept of its secret.
    pub digest: SecretDigest,
    /// What it may do.
    pub scopes: ApiScopes,
    /// Where it may be used from; anywhere, where none is named.
    pub networks: Vec<IpRange>,
    /// When it was made.
    pub created_at: OffsetDateTime,
    /// From when on it is good for nothing.
    pub expires_at: Option<OffsetDateTime>,
    /// When it was last used, to within [`ApiKey::NOTED_EVERY`].
    pub last_used_at: Option<OffsetDateTime>,
    /// When it was revoked.
    pub revoked_at: Option<OffsetDateTime>,
}

impl ApiKey {
    /// Keys an account may have that are neither revoked nor expired.
    pub const MAX_LIVE: u64 = 25;
    /// Keys that are made for an account within [`ApiKey::DAY`], whatever becomes of them: the owner gets a letter about each.
    pub const MAX_A_DAY: u64 = 25;
    /// See [`ApiKey::MAX_A_DAY`].
    pub const DAY: Duration = Duration::DAY;
    /// Networks a key may be bound to.
    pub const MAX_NETWORKS: usize = 20;
    /// How often its use is noted at most.
    pub const NOTED_EVERY: Duration = Duration::MINUTE;

    /// Whether it is neither revoked nor expired.
    #[must_use]
    pub fn is_live(&self, now: OffsetDateTime) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }

    /// Whether it may be used from `ip`, the whole address, at `now`.
    #[must_use]
    pub fn admits(&self, ip: IpAddr, now: OffsetDateTime) -> bool {
        self.is_live(now) && (self.networks.is_empty() || self.networks.iter().any(|network| network.contains(ip)))
    }
}

/// What a key may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ApiScope {
    /// Read prices.
    MarketRead,
    /// Read the profile, the preferences and the figures of the account.
    AccountRead,
    /// Change the profile and the preferences of the account.
    AccountWrite,
    /// Talk with the assistant as the account's owner, read and clear what was said, and leave feedback.
    ChatWrite,
    /// Read the account's alert rules, and which came true.
    AlertsRead,
    /// Make, change and delete the account's alert rules.
    AlertsWrite,
    /// Look at the monitor, as long as the account is an administrator's.
    MonitoringRead,
}

impl ApiScope {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::MarketRead,
        Self::AccountRead,
        Self::AccountWrite,
        Self::ChatWrite,
        Self::AlertsRead,
        Self::AlertsWrite,
        Self::MonitoringRead,
    ];

    /// As stored and told.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::MarketRead => "market:read",
            Self::AccountRead => "account:read",
            Self::AccountWrite => "account:write",
            Self::ChatWrite => "chat:write",
            Self::AlertsRead => "alerts:read",
            Self::AlertsWrite => "alerts:write",
            Self::MonitoringRead => "monitoring:read",
        }
    }

    /// The scope of this [`ApiScope::name`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.name() == name)
    }

    const fn bit(self) -> u32 {
        1 << self as u32
    }
}

/// One scope or more. None includes another.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ApiScopes(u32);

/// A key without scopes is good for nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("name at least one scope")]
pub struct NoScopes;

impl ApiScopes {
    /// These, each of which may be named more than once.
    pub fn try_new(scopes: impl IntoIterator<Item = ApiScope>) -> Result<Self, NoScopes> {
        let bits = scopes.into_iter().fold(0, |bits, scope| bits | scope.bit());
        if bits == 0 { Err(NoScopes) } else { Ok(Self(bits)) }
    }

    /// Whether this one is among them.
    #[must_use]
    pub const fn include(self, scope: ApiScope) -> bool {
        self.0 & scope.bit() != 0
    }

    /// Each of them, in the order of [`ApiScope::ALL`].
    pub fn iter(self) -> impl Iterator<Item = ApiScope> {
        ApiScope::ALL.into_iter().filter(move |scope| self.include(*scope))
    }
}

impl fmt::Debug for ApiScopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(ApiScope::name)).finish()
    }
}

/// What its owner calls a key: 1 to 100 characters without control characters, kept as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKeyName(String);

/// The text names no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a name is 1 to 100 characters, not all of them spaces, without control characters")]
pub struct ApiKeyNameError;

impl ApiKeyName {
    /// The longest name, in characters (Unicode code points).
    pub const MAX_CHARS: usize = 100;

    /// Takes `raw` as it is, or not at all.
    pub fn try_new(raw: &str) -> Result<Self, ApiKeyNameError> {
        let fits = raw.chars().count() <= Self::MAX_CHARS && !raw.chars().any(char::is_control) && !raw.trim().is_empty();
        if fits { Ok(Self(raw.to_owned())) } else { Err(ApiKeyNameError) }
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    const NOON: OffsetDateTime = datetime!(2026-01-01 12:00 UTC);

    fn a_key() -> ApiKey {
        ApiKey {
            id: ApiKeyId(Uuid::nil()),
            user: UserId(Uuid::nil()),
            name: ApiKeyName::try_new("bot").unwrap(),
            digest: SecretDigest::of("api key", b"secret"),
            scopes: ApiScopes::try_new([ApiScope::MarketRead]).unwrap(),
            networks: vec![],
            created_at: NOON,
            expires_at: None,
            last_used_at: None,
            revoked_at: None,
        }
    }

    fn from(ip: &str) -> IpAddr {
        ip.parse().unwrap()
    }

    #[test]
    fn a_key_is_good_until_the_moment_it_expires_and_not_once_it_is_revoked() {
        let expiring = ApiKey { expires_at: Some(NOON + Duration::SECOND), ..a_key() };
        assert!(expiring.admits(from("192.0.2.1"), NOON));
        assert!(!expiring.admits(from("192.0.2.1"), NOON + Duration::SECOND));
        let revoked = ApiKey { revoked_at: Some(NOON), ..a_key() };
        assert!(!revoked.admits(from("192.0.2.1"), NOON) && !revoked.is_live(NOON));
        assert!(a_key().admits(from("2001:db8::1"), NOON + Duration::days(10_000)));
    }

    #[test]
    fn a_key_that_names_networks_is_good_in_any_of_them_and_nowhere_else() {
        let networks = ["192.0.2.0/24", "2001:db8::/48"].map(|text| IpRange::try_new(text).unwrap()).to_vec();
        let key = ApiKey { networks, ..a_key() };
        assert!(key.admits(from("192.0.2.200"), NOON) && key.admits(from("2001:db8::ff"), NOON));
        assert!(!key.admits(from("198.51.100.1"), NOON) && !key.admits(from("2001:db9::"), NOON));
    }

    #[test]
    fn scopes_are_found_by_name_and_none_includes_another() {
        for scope in ApiScope::ALL {
            assert_eq!(ApiScope::from_name(scope.name()), Some(scope));
            let only = ApiScopes::try_new([scope, scope]).unwrap();
            assert_eq!(only.iter().collect::<Vec<_>>(), [scope]);
        }
        assert_eq!(ApiScope::from_name("account:*"), None);
        assert_eq!(ApiScopes::try_new([]), Err(NoScopes));
        let all = ApiScopes::try_new(ApiScope::ALL).unwrap();
        assert_eq!(
            format!("{all:?}"),
            r#"{"market:read", "account:read", "account:write", "chat:write", "alerts:read", "alerts:write", "monitoring:read"}"#
        );
    }

    #[test]
    fn a_key_has_a_name_that_fits_on_a_line() {
        for name in ["", "  ", "a\nb", &"x".repeat(101)] {
            assert_eq!(ApiKeyName::try_new(name), Err(ApiKeyNameError), "{name:?}");
        }
        assert_eq!(ApiKeyName::try_new(" Bot №1 ").unwrap().as_str(), " Bot №1 ");
    }
}
