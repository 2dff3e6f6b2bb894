use std::sync::Arc;

use async_trait::async_trait;
use coinlink_ports::{
    notifications::{ClaimedMail, EndedBefore, MailCounts, MailQueue},
    shared::{SecretBox, StoreError},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect, UpdateMany, sea_query::Expr};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::queue;
use crate::{
    Database,
    entities::outbox_mails::{Column, Entity, Model},
    errors::corrupt,
    exact::Moment,
    shared::outbox::{DEAD, WAITING, letter},
    write_transaction,
};

/// The outbox, read by whoever delivers it.
#[derive(Clone)]
pub struct SqlMailQueue {
    database: Database,
    secrets: Arc<dyn SecretBox>,
}

impl SqlMailQueue {
    /// In this database; what letters say is opened with `secrets`.
    #[must_use]
    pub fn new(database: Database, secrets: Arc<dyn SecretBox>) -> Self {
        Self { database, secrets }
    }

    async fn change(&self, change: UpdateMany<Entity>) -> Result<bool, StoreError> {
        let changed = self.database.within_deadline(change.exec(&self.database.connection)).await?;
        Ok(changed.rows_affected > 0)
    }

    fn claimed(&self, row: Model) -> ClaimedMail {
        let attempt = queue::attempt(row.attempts);
        ClaimedMail { id: row.id, template: row.template.clone().into(), attempt, mail: letter(row, &*self.secrets) }
    }
}

/// The letter ended: what it says is erased.
fn erased(ended: UpdateMany<Entity>) -> UpdateMany<Entity> {
    let unnamed = ended.col_expr(Column::KeyId, Expr::value(None::<String>));
    unnamed.col_expr(Column::Fields, Expr::value(None::<Vec<u8>>))
}

#[async_trait]
impl MailQueue for SqlMailQueue {
    async fn claim(&self, now: OffsetDateTime, lease: Duration, limit: u32) -> Result<Vec<ClaimedMail>, StoreError> {
        let claim = async {
            let connection = &self.database.connection;
            if queue::is_empty(connection, queue::due::<Entity>(now)).await? {
                return Ok(Vec::new());
            }
            let transaction = write_transaction::begin_with_row_locks(connection).await?;
            let ids = queue::first(&transaction, queue::due::<Entity>(now), limit).await?;
            let rows = queue::take::<Entity>(&transaction, &ids, now + lease).await?;
            transaction.commit().await?;
            Ok(rows)
        };
        let rows = self.database.within_deadline(claim).await?;
        Ok(rows.into_iter().map(|row| self.claimed(row)).collect())
    }

    async fn sent(&self, id: Uuid, now: OffsetDateTime) -> Result<(), StoreError> {
        self.change(erased(queue::sent(id, now))).await.map(drop)
    }

    async fn postpone(&self, id: Uuid, attempt: u32, due: OffsetDateTime, why: &str) -> Result<bool, StoreError> {
        self.change(queue::postponed(id, attempt, due, why)).await
    }

    async fn give_up(&self, id: Uuid, attempt: u32, now: OffsetDateTime, why: &str) -> Result<bool, StoreError> {
        self.change(erased(queue::dead(id, attempt, now, why))).await
    }

    async fn counts(&self) -> Result<MailCounts, StoreError> {
        let counts = Entity::find()
            .select_only()
            .column(Column::State)
            .column_as(Column::Id.count(), "letters")
            .column_as(Column::CreatedAt.min(), "oldest")
            .filter(Column::State.is_in([WAITING, DEAD]))
            .group_by(Column::State);
        let counted = self.database.within_deadline(counts.into_tuple().all(&self.database.connection)).await?;
        let counted: Vec<(String, i64, Option<Moment>)> = counted;
        let mut counts = MailCounts::default();
        for (state, letters, oldest) in counted {
            let letters = u64::try_from(letters).map_err(|e| corrupt("a count of letters", e))?;
            if state == WAITING {
                (counts.waiting, counts.oldest) = (letters, oldest.map(|Moment(at)| at));
            } else {
                counts.dead = letters;
            }
        }
        Ok(counts)
    }

    async fn prune(&self, before: EndedBefore, limit: u64) -> Result<u64, StoreError> {
        queue::prune::<Entity>(&self.database, before, limit).await
    }
}
