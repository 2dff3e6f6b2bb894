//! Entries of the audit log as rows, and back.

use std::{borrow::Cow, collections::BTreeMap};

use async_trait::async_trait;
use coinlink_domain::shared::audit::{AuditEntry, AuditStatus};
use coinlink_ports::shared::{AuditLog, StoreError};
use sea_orm::{ActiveValue::Set, ConnectionTrait, DbBackend, DbErr, EntityTrait};

use crate::{
    Database,
    entities::audit_log::{ActiveModel, Entity, Model},
    exact::Moment,
};

/// The audit log for what is no act on a store: each entry is a transaction of its own.
#[derive(Clone)]
pub struct SqlAuditLog {
    database: Database,
}

impl SqlAuditLog {
    /// In this database.
    #[must_use]
    pub fn new(database: Database) -> Self {
        Self { database }
    }
}

#[async_trait]
impl AuditLog for SqlAuditLog {
    async fn record(&mut self, entry: &AuditEntry) -> Result<(), StoreError> {
        self.database.within_deadline(insert(&self.database.connection, entry)).await
    }
}

/// Adds one entry, in whatever transaction `connection` is. A NUL, which PostgreSQL keeps in no text, is written as its
/// picture `␀`: an act must not fail because of what a client calls itself.
pub(crate) async fn insert(connection: &impl ConnectionTrait, entry: &AuditEntry) -> Result<(), DbErr> {
    Entity::insert(row(entry)?).exec_without_returning(connection).await.map(drop)
}

fn row(entry: &AuditEntry) -> Result<ActiveModel, DbErr> {
    let details: BTreeMap<String, String> = entry.details.iter().map(|(name, value)| (text(name), text(value))).collect();
    Ok(ActiveModel {
        id: Set(entry.id),
        timestamp: Set(Moment(entry.at)),
        user_id: Set(entry.user),
        action: Set(text(&entry.action)),
        resource_type: Set(text(&entry.resource_type)),
        resource_id: Set(entry.resource_id.as_deref().map(text)),
        ip_address: Set(entry.ip.map(|ip| ip.to_string())),
        user_agent: Set(entry.user_agent.as_deref().map(text)),
        details: Set(serde_json::to_string(&details).map_err(|e| DbErr::Custom(format!("audit_log.details: {e}")))?),
        status: Set(entry.status.name().to_owned()),
    })
}

fn text(text: &str) -> String {
    text.replace('\0', "\u{2400}")
}

/// The entry in a row; `None` where the row is not one that [`insert`] writes.
pub(crate) fn entry(row: Model, backend: DbBackend) -> Option<AuditEntry> {
    let details: BTreeMap<String, String> = serde_json::from_str(&row.details).ok()?;
    // Text can say a name twice, which `jsonb` cannot.
    if backend == DbBackend::Sqlite && serde_json::to_string(&details).ok()? != row.details {
        return None;
    }
    let ip = match row.ip_address {
        // Only as it is written: else two texts would be the same entry.
        Some(written) => Some(written.parse().ok().filter(|ip: &std::net::IpAddr| ip.to_string() == written)?),
        None => None,
    };
    Some(AuditEntry {
        id: row.id,
        at: row.timestamp.0,
        user: row.user_id,
        action: row.action.into(),
        resource_type: row.resource_type.into(),
        resource_id: row.resource_id,
        ip,
        user_agent: row.user_agent,
        details: details.into_iter().map(|(name, value)| (Cow::Owned(name), value)).collect(),
        status: AuditStatus::from_name(&row.status)?,
    })
}
