use async_trait::async_trait;
use coinlink_domain::{
    assistant::{Exchange, Speaker, Turn},
    shared::user_id::UserId,
};
use coinlink_ports::{assistant::UserConversations, shared::StoreError};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use crate::{
    Database,
    entities::chat_exchanges::{ActiveModel, Column, Entity, Model},
    exact::Moment,
    write_transaction,
};

/// What users said, in a table.
#[derive(Clone)]
pub struct SqlUserConversations {
    database: Database,
}

impl SqlUserConversations {
    /// In this database.
    #[must_use]
    pub fn new(database: Database) -> Self {
        Self { database }
    }
}

#[async_trait]
impl UserConversations for SqlUserConversations {
    async fn append(&self, user: UserId, exchange: &Exchange) -> Result<(), StoreError> {
        let written = async {
            // One after the other, or two at once would each leave one too many.
            let topic = format!("chat_exchanges:{user}");
            let transaction = write_transaction::begin(&self.database.connection, &topic).await?;
            Entity::insert(row(user, exchange)).exec_without_returning(&transaction).await?;
            let of_user = || Entity::find().select_only().column(Column::Id).filter(Column::UserId.eq(user.0));
            let oldest_kept = of_user().order_by_desc(Column::Id).offset(Exchange::KEPT_OF_USER as u64 - 1).limit(1);
            if let Some(oldest) = oldest_kept.into_tuple::<Uuid>().one(&transaction).await? {
                let older = Entity::delete_many().filter(Column::UserId.eq(user.0)).filter(Column::Id.lt(oldest));
                older.exec(&transaction).await?;
            }
            transaction.commit().await
        };
        self.database.within_deadline(written).await
    }

    async fn newest(&self, user: UserId, limit: usize) -> Result<Vec<Exchange>, StoreError> {
        let newest = Entity::find().filter(Column::UserId.eq(user.0)).order_by_desc(Column::Id);
        let newest = newest.limit(limit.min(Exchange::KEPT_OF_USER) as u64);
        let rows = self.database.within_deadline(newest.all(&self.database.connection)).await?;
        Ok(rows.into_iter().rev().map(exchange).collect())
    }

    async fn forget(&self, user: UserId) -> Result<(), StoreError> {
        let all = Entity::delete_many().filter(Column::UserId.eq(user.0));
        self.database.within_deadline(all.exec(&self.database.connection)).await.map(drop)
    }
}

fn row(user: UserId, exchange: &Exchange) -> ActiveModel {
    let Exchange { id, question, answer } = exchange;
    ActiveModel {
        id: Set(*id),
        user_id: Set(user.0),
        question: Set(question.text.to_string()),
        asked_at: Set(Moment(question.at)),
        answer: Set(answer.text.to_string()),
        answered_at: Set(Moment(answer.at)),
    }
}

fn exchange(row: Model) -> Exchange {
    let turn = |speaker, text: String, Moment(at)| Turn { speaker, text: text.into(), at };
    Exchange {
        id: row.id,
        question: turn(Speaker::User, row.question, row.asked_at),
        answer: turn(Speaker::Assistant, row.answer, row.answered_at),
    }
}
