//! A transaction of whatever context; each implements its own port on it.

use std::sync::Arc;

use async_trait::async_trait;
use coinlink_domain::shared::{audit::AuditEntry, mail::OutgoingMail};
use coinlink_ports::shared::{AuditLog, MailOutbox, SecretBox, StoreError};
use sea_orm::{DatabaseTransaction, DbErr};
use time::OffsetDateTime;

use super::{audit_log, outbox};
use crate::{Database, write_transaction};

/// One transaction. A call that failed, took too long or was given up rolls it back at once, and nothing can be done in it
/// after that: PostgreSQL would refuse the rest and answer the commit as if it had been done.
pub(crate) struct SqlTx {
    database: Database,
    secrets: Arc<dyn SecretBox>,
    open: Option<DatabaseTransaction>,
}

/// Something failed before.
#[derive(Debug, thiserror::Error)]
#[error("the transaction has failed")]
struct Failed;

impl SqlTx {
    pub(crate) async fn begin(database: &Database, secrets: &Arc<dyn SecretBox>) -> Result<Self, StoreError> {
        let begun = database.within_deadline(write_transaction::begin_with_row_locks(&database.connection)).await?;
        Ok(Self { database: database.clone(), secrets: Arc::clone(secrets), open: Some(begun) })
    }

    /// The transaction, for one call; [`SqlTx::put_back`] follows where it succeeded.
    pub(crate) fn take(&mut self) -> Result<DatabaseTransaction, StoreError> {
        self.open.take().ok_or_else(|| StoreError::Unavailable(Box::new(Failed)))
    }

    /// Carries out one call in the transaction that was taken.
    pub(crate) async fn call<T>(&self, call: impl Future<Output = Result<T, DbErr>>) -> Result<T, StoreError> {
        self.database.within_deadline(call).await
    }

    /// Makes all of it true at once.
    pub(crate) async fn end(&mut self) -> Result<(), StoreError> {
        let transaction = self.take()?;
        self.call(transaction.commit()).await
    }

    /// The call succeeded: there may be another.
    pub(crate) fn put_back(&mut self, transaction: DatabaseTransaction) {
        self.open = Some(transaction);
    }
}

#[async_trait]
impl AuditLog for SqlTx {
    async fn record(&mut self, entry: &AuditEntry) -> Result<(), StoreError> {
        let transaction = self.take()?;
        self.call(audit_log::insert(&transaction, entry)).await?;
        self.put_back(transaction);
        Ok(())
    }
}

#[async_trait]
impl MailOutbox for SqlTx {
    async fn post(&mut self, mail: &OutgoingMail) -> Result<(), StoreError> {
        let transaction = self.take()?;
        let row = outbox::row(mail, &*self.secrets)?;
        self.call(outbox::insert(&transaction, row)).await?;
        self.put_back(transaction);
        Ok(())
    }

    async fn posted_within(
        &mut self,
        to: &str,
        template: &str,
        since: OffsetDateTime,
        until: OffsetDateTime,
    ) -> Result<u64, StoreError> {
        let transaction = self.take()?;
        let posted = self.call(outbox::posted_within(&transaction, to, template, (since, until))).await?;
        self.put_back(transaction);
        Ok(posted)
    }
}
