//! What is kept for ever of who did what.

use std::{borrow::Cow, collections::BTreeMap, net::IpAddr};

use time::OffsetDateTime;
use uuid::Uuid;

/// One line of the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// Version 7.
    pub id: Uuid,
    /// When, to the microsecond: what every store keeps of it.
    pub at: OffsetDateTime,
    /// The account that did it, where one is known.
    pub user: Option<Uuid>,
    /// What was done, `context.verb`: `auth.sign_in`.
    pub action: Cow<'static, str>,
    /// What it was done to: `user`, `session`.
    pub resource_type: Cow<'static, str>,
    /// Which of them.
    pub resource_id: Option<String>,
    /// From where (IPv6: its /64).
    pub ip: Option<IpAddr>,
    /// What the client calls itself.
    pub user_agent: Option<String>,
    /// Anything else worth knowing; never a secret.
    pub details: BTreeMap<Cow<'static, str>, String>,
    /// How it ended.
    pub status: AuditStatus,
}

/// How an act ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditStatus {
    /// It was done.
    Success,
    /// It could not be done: a wrong password, an expired token.
    Failure,
    /// It was refused whoever tried: a right that is missing, a delay that is not over.
    Denied,
}

impl AuditStatus {
    /// As stored and told.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Denied => "denied",
        }
    }

    /// The status of this [`AuditStatus::name`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Success, Self::Failure, Self::Denied].into_iter().find(|status| status.name() == name)
    }
}

impl AuditEntry {
    /// An act on one resource, that succeeded, by nobody known from nowhere known; the rest is added.
    #[must_use]
    pub fn new(id: Uuid, at: OffsetDateTime, action: &'static str, resource_type: &'static str) -> Self {
        // What is stored is microseconds: an entry is the same before and after.
        let at = at.replace_microsecond(at.microsecond()).unwrap_or(at);
        Self {
            id,
            at,
            user: None,
            action: action.into(),
            resource_type: resource_type.into(),
            resource_id: None,
            ip: None,
            user_agent: None,
            details: BTreeMap::new(),
            status: AuditStatus::Success,
        }
    }

    /// Who did it.
    #[must_use]
    pub fn by(mut self, user: Uuid) -> Self {
        self.user = Some(user);
        self
    }

    /// Which resource.
    #[must_use]
    pub fn on(mut self, resource_id: impl Into<String>) -> Self {
        self.resource_id = Some(resource_id.into());
        self
    }

    /// From where, with what.
    #[must_use]
    pub fn from(mut self, ip: Option<IpAddr>, user_agent: Option<&str>) -> Self {
        self.ip = ip;
        self.user_agent = user_agent.map(str::to_owned);
        self
    }

    /// One more thing worth knowing.
    #[must_use]
    pub fn detail(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.details.insert(name.into(), value.into());
        self
    }

    /// How it ended.
    #[must_use]
    pub fn ended(mut self, status: AuditStatus) -> Self {
        self.status = status;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn nanoseconds_that_no_store_keeps_are_dropped_at_once() {
        let entry = AuditEntry::new(Uuid::nil(), datetime!(2026-01-01 0:00:00.123456789 UTC), "auth.sign_in", "session");
        assert_eq!(entry.at, datetime!(2026-01-01 0:00:00.123456 UTC));
    }

    #[test]
    fn a_status_is_found_by_its_name() {
        for status in [AuditStatus::Success, AuditStatus::Failure, AuditStatus::Denied] {
            assert_eq!(AuditStatus::from_name(status.name()), Some(status));
        }
    }
}
