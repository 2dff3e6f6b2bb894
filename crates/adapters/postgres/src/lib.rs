//! Stores on PostgreSQL, and on SQLite for the embedded default: the same code. What differs between the two stands in one
//! module a difference: `pool` (what each connection is told), `write_transaction` (how writers are put in line),
//! `exact` (columns that keep every digit), `migration_lock` (how one node at a time migrates).

mod assistant;
mod database;
mod entities;
mod errors;
mod exact;
mod identity;
mod market;
mod migration_lock;
mod notifications;
mod operations;
mod pool;
mod probe;
mod secret_prints;
mod settings;
mod shared;
mod write_transaction;

pub use assistant::{SqlFeedback, SqlUserConversations};
pub use database::{Database, PoolUse};
pub use errors::{ConnectError, MigrationError};
pub use identity::SqlIdentityStore;
pub use market::{SqlCandles, SqlHistoryGaps, SqlLastKnownPrices};
pub use notifications::{SqlMailQueue, SqlNotificationsStore};
pub use operations::{SqlAuditChain, SqlAuditReader, SqlAuditRetention, SqlMonitorAlerts, audit_rights};
pub use probe::DatabaseProbe;
pub use secret_prints::{SealedCounts, SecretPrint, SqlSecretPrints};
pub use settings::ConnectSettings;
pub use shared::SqlAuditLog;
