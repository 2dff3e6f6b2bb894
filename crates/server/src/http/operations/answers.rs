//! What administrators are told. Nothing here holds a password, a hash or a token.

use std::collections::BTreeMap;

use coinlink_application::{
    identity::{AccountPage, Administered},
    operations::{ClearedCache, Stats},
};
use coinlink_domain::{
    identity::{PersonName, User},
    shared::audit::AuditEntry,
};
use coinlink_ports::operations::AuditPage;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::http::lists::{Cursor as _, PageBody};
use crate::wire::rfc3339;

/// An account, as administrators see it.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct AccountBody {
    /// Its id.
    id: Uuid,
    /// Its address.
    email: String,
    /// Whether it owns the address; else it merely claims it.
    owns_email: bool,
    /// Given name.
    first_name: Option<String>,
    /// Family name.
    last_name: Option<String>,
    /// `user` or `admin`.
    #[schema(pattern = "^(user|admin)$")]
    role: &'static str,
    /// Whether it may sign in.
    is_active: bool,
    /// Whether the address is known to be its owner's.
    is_verified: bool,
    /// RFC 3339.
    #[schema(format = DateTime)]
    created_at: String,
    /// RFC 3339.
    #[schema(format = DateTime)]
    updated_at: String,
    /// RFC 3339.
    #[schema(format = DateTime)]
    last_login_at: Option<String>,
    /// Sign-ins so far.
    logins: u32,
}

impl From<&User> for AccountBody {
    fn from(user: &User) -> Self {
        let name = |name: &Option<PersonName>| name.as_ref().map(|name| name.as_str().to_owned());
        Self {
            id: user.id.0,
            email: user.email.as_str().to_owned(),
            owns_email: user.owns_email,
            first_name: name(&user.first_name),
            last_name: name(&user.last_name),
            role: user.role.name(),
            is_active: user.is_active,
            is_verified: user.is_verified,
            created_at: rfc3339(user.created_at),
            updated_at: rfc3339(user.updated_at),
            last_login_at: user.last_login_at.map(rfc3339),
            logins: user.logins,
        }
    }
}

/// Accounts, opened last first.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct AccountsBody {
    /// The accounts.
    data: Vec<AccountBody>,
    /// Where in the list this is.
    page: PageBody,
}

impl AccountsBody {
    pub(super) fn new(page: &AccountPage, limit: u32) -> Self {
        let data = page.users.iter().map(AccountBody::from).collect();
        Self { data, page: PageBody::new(limit, page.next.map(|next| next.to_text())) }
    }
}

/// What became of an account.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct AdministeredBody {
    /// The account as it is now.
    user: AccountBody,
    /// Whether that is new.
    changed: bool,
    /// Sessions that were ended.
    sessions_ended: usize,
    /// For people.
    message: String,
}

impl AdministeredBody {
    pub(super) fn new(done: &Administered, message: impl Into<String>) -> Self {
        let user = AccountBody::from(&done.user);
        Self { user, changed: done.changed, sessions_ended: done.ended, message: message.into() }
    }
}

/// One entry of the audit log.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct AuditEntryBody {
    /// Its id.
    id: Uuid,
    /// When, RFC 3339.
    #[schema(format = DateTime)]
    timestamp: String,
    /// The account that did it, where one is known.
    user_id: Option<Uuid>,
    /// What was done: `auth.sign_in`.
    action: String,
    /// What it was done to: `user`, `session`.
    resource_type: String,
    /// Which of them.
    resource_id: Option<String>,
    /// From where; of an IPv6 address its first half.
    ip_address: Option<String>,
    /// What the client called itself.
    user_agent: Option<String>,
    /// Anything else.
    details: BTreeMap<String, String>,
    /// `success`, `failure` or `denied`.
    #[schema(pattern = "^(success|failure|denied)$")]
    status: &'static str,
}

impl From<AuditEntry> for AuditEntryBody {
    fn from(entry: AuditEntry) -> Self {
        Self {
            id: entry.id,
            timestamp: rfc3339(entry.at),
            user_id: entry.user,
            action: entry.action.into_owned(),
            resource_type: entry.resource_type.into_owned(),
            resource_id: entry.resource_id,
            ip_address: entry.ip.map(|ip| ip.to_string()),
            user_agent: entry.user_agent,
            details: entry.details.into_iter().map(|(name, value)| (name.into_owned(), value)).collect(),
            status: entry.status.name(),
        }
    }
}

/// Entries, newest first.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct AuditBody {
    /// The entries.
    data: Vec<AuditEntryBody>,
    /// Where in the list this is.
    page: PageBody,
}

impl AuditBody {
    pub(super) fn new(page: AuditPage, limit: u32) -> Self {
        let next = page.next.map(|next| next.to_text());
        Self { data: page.entries.into_iter().map(AuditEntryBody::from).collect(), page: PageBody::new(limit, next) }
    }
}

/// How things are, in numbers.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct AdminStatsBody {
    /// When it was counted, RFC 3339; at most ten seconds ago.
    #[schema(format = DateTime)]
    counted_at: String,
    /// Accounts.
    accounts: AccountCountsBody,
    /// Sessions that go on.
    live_sessions: u64,
    /// Sign-ins of the last 24 hours.
    sign_ins: SignInCountsBody,
    /// Letters.
    mail: MailCountsBody,
}

/// Accounts in numbers.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct AccountCountsBody {
    /// All of them.
    total: u64,
    /// Whose address is known to be theirs.
    verified: u64,
    /// That may sign in.
    active: u64,
    /// That may not.
    locked: u64,
    /// Administrators that may sign in.
    admins: u64,
    /// With a second factor.
    with_second_factor: u64,
    /// Opened in the last 24 hours.
    new_24h: u64,
    /// Opened in the last seven days.
    new_7d: u64,
}

/// Sign-ins of the last 24 hours.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct SignInCountsBody {
    /// That succeeded; 100000 where there were as many or more.
    succeeded_24h: u64,
    /// That failed or were refused; of each 100000 at most. One that waits for its second factor is neither.
    failed_24h: u64,
}

/// Letters in numbers.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct MailCountsBody {
    /// That are to be sent.
    waiting: u64,
    /// That were given up.
    dead: u64,
    /// When the oldest that waits was asked for, RFC 3339.
    #[schema(format = DateTime)]
    oldest_waiting: Option<String>,
}

impl From<Stats> for AdminStatsBody {
    fn from(stats: Stats) -> Self {
        let accounts = stats.accounts;
        Self {
            counted_at: rfc3339(stats.at),
            accounts: AccountCountsBody {
                total: accounts.total,
                verified: accounts.verified,
                active: accounts.active,
                locked: accounts.total.saturating_sub(accounts.active),
                admins: accounts.admins,
                with_second_factor: accounts.with_second_factor,
                new_24h: accounts.new_in_a_day,
                new_7d: accounts.new_in_a_week,
            },
            live_sessions: accounts.live_sessions,
            sign_ins: SignInCountsBody { succeeded_24h: stats.sign_ins, failed_24h: stats.failed_sign_ins },
            mail: MailCountsBody {
                waiting: stats.mail.waiting,
                dead: stats.mail.dead,
                oldest_waiting: stats.mail.oldest.map(rfc3339),
            },
        }
    }
}

/// What was cleared.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct ClearedBody {
    /// One line each.
    cleared: Vec<ClearedCacheBody>,
    /// For people.
    message: &'static str,
}

/// A cache that was cleared.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct ClearedCacheBody {
    /// Its name.
    cache: &'static str,
    /// Entries that went.
    entries: u64,
    /// `all_nodes` where the nodes share it, `this_node` where each has its own.
    #[schema(pattern = "^(all_nodes|this_node)$")]
    scope: &'static str,
}

impl From<Vec<ClearedCache>> for ClearedBody {
    fn from(cleared: Vec<ClearedCache>) -> Self {
        let line = |cache: ClearedCache| ClearedCacheBody {
            cache: cache.name,
            entries: cache.entries,
            scope: if cache.is_shared { "all_nodes" } else { "this_node" },
        };
        Self {
            cleared: cleared.into_iter().map(line).collect(),
            message: "Caches of a node's own were cleared on this node; on the others they live for less than a second.",
        }
    }
}
