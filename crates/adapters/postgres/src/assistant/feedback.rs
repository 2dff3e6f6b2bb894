use async_trait::async_trait;
use coinlink_domain::{
    assistant::{Feedback, Rating, Words},
    shared::user_id::UserId,
};
use coinlink_ports::{assistant::FeedbackStore, shared::StoreError};
use sea_orm::{ActiveValue::Set, ColumnTrait as _, DbErr, EntityTrait, QueryFilter as _, QueryOrder, QuerySelect, Select};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{
    Database,
    entities::feedback::{ActiveModel, Column, Entity, Model},
    errors::corrupt,
    exact::Moment,
};

/// Ids in one statement.
const PRUNED_AT_ONCE: u64 = 1_000;

/// Feedback in a table.
#[derive(Clone)]
pub struct SqlFeedback {
    database: Database,
}

impl SqlFeedback {
    /// In this database.
    #[must_use]
    pub fn new(database: Database) -> Self {
        Self { database }
    }
}

#[async_trait]
impl FeedbackStore for SqlFeedback {
    async fn leave(&self, feedback: &Feedback) -> Result<(), StoreError> {
        let left = Entity::insert(row(feedback)).exec_without_returning(&self.database.connection);
        self.database.within_deadline(left).await.map(drop)
    }

    async fn newest(&self, limit: u32) -> Result<Vec<Feedback>, StoreError> {
        let newest = Entity::find().order_by_desc(Column::CreatedAt).order_by_desc(Column::Id).limit(u64::from(limit));
        let rows = self.database.within_deadline(newest.all(&self.database.connection)).await?;
        rows.into_iter().map(feedback).collect()
    }

    async fn prune(&self, before: OffsetDateTime, most: u64, limit: u64) -> Result<u64, StoreError> {
        let limit = Ord::min(limit, PRUNED_AT_ONCE);
        let pruned = async {
            let old =
                self.remove(ids().filter(Column::CreatedAt.lt(Moment(before))).order_by_asc(Column::CreatedAt).limit(limit));
            let old = old.await?;
            let newest_first = ids().order_by_desc(Column::CreatedAt).order_by_desc(Column::Id);
            Ok(old + self.remove(newest_first.offset(most).limit(limit)).await?)
        };
        self.database.within_deadline(pruned).await
    }
}

impl SqlFeedback {
    /// Whoever prunes at the same time removes the same: each row goes once.
    async fn remove(&self, rows: Select<Entity>) -> Result<u64, DbErr> {
        let ids: Vec<Uuid> = rows.into_tuple().all(&self.database.connection).await?;
        if ids.is_empty() {
            return Ok(0);
        }
        let removed = Entity::delete_many().filter(Column::Id.is_in(ids)).exec(&self.database.connection).await?;
        Ok(removed.rows_affected)
    }
}

fn ids() -> Select<Entity> {
    Entity::find().select_only().column(Column::Id)
}

fn row(feedback: &Feedback) -> ActiveModel {
    ActiveModel {
        id: Set(feedback.id),
        user_id: Set(feedback.user.map(|user| user.0)),
        rating: Set(feedback.rating.stars().into()),
        note: Set(feedback.note.as_ref().map(|note| note.text().to_string())),
        about: Set(feedback.about.as_ref().map(|about| about.text().to_string())),
        created_at: Set(Moment(feedback.created_at)),
    }
}

fn feedback(row: Model) -> Result<Feedback, StoreError> {
    let Moment(created_at) = row.created_at;
    Ok(Feedback {
        id: row.id,
        user: row.user_id.map(UserId),
        rating: Rating::try_new(row.rating.into()).ok_or(StoreError::Corrupt { what: "a rating", source: None })?,
        note: words(row.note, "a note of feedback")?,
        about: words(row.about, "what feedback is about")?,
        created_at,
    })
}

fn words<const MAX: usize>(text: Option<String>, what: &'static str) -> Result<Option<Words<MAX>>, StoreError> {
    text.map_or(Ok(None), |text| Words::try_new(&text).map_err(|error| corrupt(what, error)))
}
