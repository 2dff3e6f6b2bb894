use std::sync::Arc;

use async_trait::async_trait;
use coinlink_domain::shared::{audit::AuditEntry, mail::OutgoingMail};
use coinlink_ports::{
    identity::{ApiKeys, IdentityTx, MailLinks, SecondFactors, Sessions, SignInGuards, SignInTickets, Users, Wallets},
    shared::{AuditLog, MailOutbox, SecretBox, StoreError},
};
use sea_orm::{DatabaseTransaction, DbErr};
use time::OffsetDateTime;

use crate::{
    Database,
    shared::{audit_log, outbox},
    write_transaction,
};

/// One transaction. A call that failed, took too long or was given up rolls it back at once, and nothing can be done in it
/// after that: PostgreSQL would refuse the rest and answer the commit as if it had been done.
pub(super) struct SqlTx {
    database: Database,
    secrets: Arc<dyn SecretBox>,
    open: Option<DatabaseTransaction>,
}

/// Something failed before.
#[derive(Debug, thiserror::Error)]
#[error("the transaction has failed")]
struct Failed;

impl SqlTx {
    pub(super) async fn begin(database: &Database, secrets: &Arc<dyn SecretBox>) -> Result<Self, StoreError> {
        let begun = database.within_deadline(write_transaction::begin_with_row_locks(&database.connection)).await?;
        Ok(Self { database: database.clone(), secrets: Arc::clone(secrets), open: Some(begun) })
    }

    /// The transaction, for one call; [`SqlTx::put_back`] follows where it succeeded.
    pub(super) fn take(&mut self) -> Result<DatabaseTransaction, StoreError> {
        self.open.take().ok_or_else(|| StoreError::Unavailable(Box::new(Failed)))
    }

    /// Carries out one call in the transaction that was taken.
    pub(super) async fn call<T>(&self, call: impl Future<Output = Result<T, DbErr>>) -> Result<T, StoreError> {
        self.database.within_deadline(call).await
    }

    /// The call succeeded: there may be another.
    pub(super) fn put_back(&mut self, transaction: DatabaseTransaction) {
        self.open = Some(transaction);
    }
}

#[async_trait]
impl IdentityTx for SqlTx {
    fn users(&mut self) -> &mut dyn Users {
        self
    }

    fn sessions(&mut self) -> &mut dyn Sessions {
        self
    }

    fn guards(&mut self) -> &mut dyn SignInGuards {
        self
    }

    fn api_keys(&mut self) -> &mut dyn ApiKeys {
        self
    }

    fn audit(&mut self) -> &mut dyn AuditLog {
        self
    }

    fn mail(&mut self) -> &mut dyn MailOutbox {
        self
    }

    fn second_factors(&mut self) -> &mut dyn SecondFactors {
        self
    }

    fn tickets(&mut self) -> &mut dyn SignInTickets {
        self
    }

    fn mail_links(&mut self) -> &mut dyn MailLinks {
        self
    }

    fn wallets(&mut self) -> &mut dyn Wallets {
        self
    }

    async fn commit(mut self: Box<Self>) -> Result<(), StoreError> {
        let transaction = self.take()?;
        self.call(transaction.commit()).await
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

    async fn posted_since(&mut self, to: &str, template: &str, since: OffsetDateTime) -> Result<u64, StoreError> {
        let transaction = self.take()?;
        let posted = self.call(outbox::posted_since(&transaction, to, template, since)).await?;
        self.put_back(transaction);
        Ok(posted)
    }
}
