use async_trait::async_trait;
use coinlink_domain::shared::audit::{AuditEntry, AuditStatus};
use time::OffsetDateTime;
use uuid::Uuid;

use super::LogPlace;
use crate::shared::StoreError;

/// Which entries are looked for: those for which all of it holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AuditFilter {
    /// This account did it.
    pub user: Option<Uuid>,
    /// This was done.
    pub action: Option<String>,
    /// It ended so.
    pub status: Option<AuditStatus>,
    /// To a resource of this type.
    pub resource_type: Option<String>,
    /// To the resource with this id; together with its type, or nothing finds it quickly.
    pub resource_id: Option<String>,
    /// Then or later.
    pub from: Option<OffsetDateTime>,
    /// Before then.
    pub to: Option<OffsetDateTime>,
}

impl AuditFilter {
    /// Whether an entry is one of those.
    #[must_use]
    pub fn admits(&self, entry: &AuditEntry) -> bool {
        self.user.is_none_or(|user| entry.user == Some(user))
            && self.action.as_deref().is_none_or(|action| entry.action == action)
            && self.status.is_none_or(|status| entry.status == status)
            && self.resource_type.as_deref().is_none_or(|kind| entry.resource_type == kind)
            && (self.resource_id.is_none() || self.resource_id == entry.resource_id)
            && self.from.is_none_or(|from| entry.at >= from)
            && self.to.is_none_or(|to| entry.at < to)
    }
}

/// A stretch of the log, backwards.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AuditPage {
    /// Newest first. A row that is no entry of ours is left out: finding those is the verification's work.
    pub entries: Vec<AuditEntry>,
    /// Where it ends, when there is more after it.
    pub next: Option<LogPlace>,
}

/// The audit log as an administrator looks at it. Only what is committed is seen.
#[async_trait]
pub trait AuditReader: Send + Sync {
    /// At most `limit` rows as `filter` wants them that come before `before` in the log's order, newest first.
    async fn page(&self, filter: &AuditFilter, before: Option<LogPlace>, limit: u32) -> Result<AuditPage, StoreError>;

    /// How often `action` ended so at `since` or later; `at_most` where it was that often or more.
    async fn count(&self, action: &str, status: AuditStatus, since: OffsetDateTime, at_most: u32) -> Result<u64, StoreError>;
}
