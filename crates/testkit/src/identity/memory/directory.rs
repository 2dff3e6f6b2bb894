//! What administrators and the audit log's readers look at.

use async_trait::async_trait;
use coinlink_domain::{
    identity::{Role, SessionPolicy, User, UserId},
    shared::audit::{AuditEntry, AuditStatus},
};
use coinlink_ports::{
    identity::{AccountCounts, AccountDirectory, AccountFilter},
    operations::{AuditFilter, AuditPage, AuditReader, LogPlace},
    shared::StoreError,
};
use time::{Duration, OffsetDateTime};

use super::MemoryIdentity;
use crate::shared::memory::micros;

fn admits(filter: &AccountFilter, user: &User) -> bool {
    filter.email.as_ref().is_none_or(|prefix| prefix.begins(&user.email))
        && filter.role.is_none_or(|role| user.role == role)
        && filter.active.is_none_or(|active| user.is_active == active)
        && filter.verified.is_none_or(|verified| user.is_verified == verified)
}

#[async_trait]
impl AccountDirectory for MemoryIdentity {
    async fn accounts(&self, filter: &AccountFilter, below: Option<UserId>, limit: u32) -> Result<Vec<User>, StoreError> {
        self.read(|state| {
            let users = state.accounts.values().rev().map(|account| &account.user);
            let wanted = users.filter(|user| below.is_none_or(|below| user.id < below) && admits(filter, user));
            wanted.take(limit as usize).cloned().collect()
        })
    }

    async fn count(&self, now: OffsetDateTime, policy: &SessionPolicy) -> Result<AccountCounts, StoreError> {
        self.read(|state| {
            let count =
                |wanted: &dyn Fn(&User) -> bool| state.accounts.values().filter(|account| wanted(&account.user)).count() as u64;
            AccountCounts {
                total: count(&|_| true),
                verified: count(&|user| user.is_verified),
                active: count(&|user| user.is_active),
                admins: count(&|user| user.is_active && user.role == Role::Admin),
                new_in_a_day: count(&|user| user.created_at >= micros(now - Duration::DAY)),
                new_in_a_week: count(&|user| user.created_at >= micros(now - Duration::WEEK)),
                with_second_factor: state.factors.confirmed() as u64,
                live_sessions: state.sessions.values().filter(|session| session.is_live(now, policy)).count() as u64,
            }
        })
    }
}

fn place(entry: &AuditEntry) -> LogPlace {
    LogPlace { at: entry.at, id: entry.id }
}

#[async_trait]
impl AuditReader for MemoryIdentity {
    async fn page(&self, filter: &AuditFilter, before: Option<LogPlace>, limit: u32) -> Result<AuditPage, StoreError> {
        let limit = limit as usize;
        self.read(|state| {
            let wanted =
                state.audit.iter().filter(|entry| filter.admits(entry) && before.is_none_or(|before| place(entry) < before));
            let mut entries: Vec<AuditEntry> = wanted.cloned().collect();
            entries.sort_by_key(|entry| std::cmp::Reverse(place(entry)));
            let more = entries.len() > limit;
            entries.truncate(limit);
            let next = entries.last().filter(|_| more).map(place);
            AuditPage { entries, next }
        })
    }

    async fn count(&self, action: &str, status: AuditStatus, since: OffsetDateTime, at_most: u32) -> Result<u64, StoreError> {
        let since = micros(since);
        self.read(|state| {
            let counted = |entry: &&AuditEntry| entry.action == action && entry.status == status && entry.at >= since;
            state.audit.iter().filter(counted).take(at_most as usize).count() as u64
        })
    }
}
