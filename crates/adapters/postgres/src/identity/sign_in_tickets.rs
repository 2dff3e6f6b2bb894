//! Tickets between the first factor and the second.

use async_trait::async_trait;
use coinlink_domain::identity::{FirstFactor, SecretDigest, SignInTicket, UserId};
use coinlink_ports::{identity::SignInTickets, shared::StoreError};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, LockBehavior, LockType},
};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{sessions::ago, transaction::SqlTx};
use crate::{
    Database,
    entities::sign_in_tickets::{ActiveModel, Column, Entity, Model},
    exact::Moment,
    write_transaction,
};

/// Rows in one statement.
const ROWS: usize = 500;
/// The most rows that go at once: more would take longer than a call may.
const PRUNED_AT_ONCE: u64 = 5_000;

fn row(ticket: &SignInTicket) -> ActiveModel {
    ActiveModel {
        id: Set(ticket.id),
        digest: Set(ticket.digest.0.to_vec()),
        user_id: Set(ticket.user.0),
        state: Set(ticket.state.0.to_vec()),
        first_factor: Set(ticket.first_factor.name().to_owned()),
        device: Set(ticket.device),
        tries: Set(0),
        created_at: Set(Moment(ticket.created_at)),
    }
}

fn ticket(row: Model) -> Result<SignInTicket, StoreError> {
    let first_factor = FirstFactor::from_name(&row.first_factor);
    let digest =
        |what, bytes: Vec<u8>| bytes.try_into().map(SecretDigest).map_err(|_| StoreError::Corrupt { what, source: None });
    Ok(SignInTicket {
        id: row.id,
        digest: digest("sign_in_tickets.digest", row.digest)?,
        user: UserId(row.user_id),
        state: digest("sign_in_tickets.state", row.state)?,
        first_factor: first_factor.ok_or(StoreError::Corrupt { what: "sign_in_tickets.first_factor", source: None })?,
        device: row.device,
        created_at: row.created_at.0,
    })
}

#[async_trait]
impl SignInTickets for SqlTx {
    async fn add(&mut self, ticket: &SignInTicket) -> Result<(), StoreError> {
        let transaction = self.take()?;
        self.call(Entity::insert(row(ticket)).exec_without_returning(&transaction)).await?;
        self.put_back(transaction);
        Ok(())
    }

    async fn try_once(
        &mut self,
        id: Uuid,
        digest: &SecretDigest,
        now: OffsetDateTime,
    ) -> Result<Option<SignInTicket>, StoreError> {
        let transaction = self.take()?;
        let count = Entity::update_many()
            .col_expr(Column::Tries, Expr::col(Column::Tries).add(1))
            .filter(Column::Id.eq(id))
            .filter(Column::Digest.eq(digest.0.to_vec()))
            .filter(Column::Tries.lt(i64::from(SignInTicket::TRIES)))
            .filter(Column::CreatedAt.gt(ago(SignInTicket::LIFETIME, now)));
        let counted = self.call(count.exec(&transaction)).await?.rows_affected;
        let found = if counted == 1 { self.call(Entity::find_by_id(id).one(&transaction)).await? } else { None };
        self.put_back(transaction);
        found.map(ticket).transpose()
    }

    async fn spend(&mut self, id: Uuid) -> Result<bool, StoreError> {
        let transaction = self.take()?;
        let gone = self.call(Entity::delete_by_id(id).exec(&transaction)).await?.rows_affected;
        self.put_back(transaction);
        Ok(gone == 1)
    }
}

/// Forgets old ones; those that somebody holds are left for the next time.
pub(super) async fn prune(database: &Database, before: OffsetDateTime, limit: u64) -> Result<u64, StoreError> {
    let pruned = async {
        let transaction = write_transaction::begin_with_row_locks(&database.connection).await?;
        let old = Entity::find().select_only().column(Column::Id).filter(Column::CreatedAt.lt(Moment(before)));
        let old = old.order_by_asc(Column::CreatedAt).limit(Ord::min(limit, PRUNED_AT_ONCE));
        let old = old.lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
        let ids: Vec<Uuid> = old.into_tuple().all(&transaction).await?;
        for chunk in ids.chunks(ROWS) {
            Entity::delete_many().filter(Column::Id.is_in(chunk.iter().copied())).exec(&transaction).await?;
        }
        transaction.commit().await?;
        Ok(ids.len() as u64)
    };
    database.within_deadline(pruned).await
}
