use std::collections::BTreeMap;

use async_trait::async_trait;
use coinlink_domain::market::{
    Source, Symbol,
    candles::{Interval, Span},
};
use coinlink_ports::{market::HistoryGaps, shared::StoreError};
use sea_orm::{ActiveValue::Set, ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, sea_query::OnConflict};
use time::OffsetDateTime;

use crate::{
    Database,
    entities::candle_gaps::{ActiveModel, Column, Entity},
    exact::Moment,
    write_transaction,
};

/// Rows in one statement: six values each, where SQLite takes 32,766 and PostgreSQL 65,535.
const ROWS: usize = 1_000;

/// Gaps in a table.
#[derive(Clone)]
pub struct SqlHistoryGaps {
    database: Database,
}

impl SqlHistoryGaps {
    /// In this database.
    #[must_use]
    pub fn new(database: Database) -> Self {
        Self { database }
    }
}

fn of(symbol: &Symbol, interval: Interval, source: Source) -> Condition {
    Condition::all()
        .add(Column::Symbol.eq(symbol.as_str()))
        .add(Column::Interval.eq(interval.name()))
        .add(Column::Source.eq(source.name()))
}

#[async_trait]
impl HistoryGaps for SqlHistoryGaps {
    async fn note(
        &self,
        symbol: &Symbol,
        interval: Interval,
        source: Source,
        gaps: &[Span],
        at: OffsetDateTime,
    ) -> Result<(), StoreError> {
        if gaps.is_empty() {
            return Ok(());
        }
        // One statement cannot write a row twice.
        let gaps: BTreeMap<OffsetDateTime, OffsetDateTime> = gaps.iter().map(|gap| (gap.from, gap.to)).collect();
        let rows: Vec<ActiveModel> = gaps
            .into_iter()
            .map(|(from, to)| ActiveModel {
                symbol: Set(symbol.as_str().to_owned()),
                interval: Set(interval.name().to_owned()),
                source: Set(source.name().to_owned()),
                from_at: Set(Moment(from)),
                to_at: Set(Moment(to)),
                noted_at: Set(Moment(at)),
            })
            .collect();
        let written = async {
            let transaction = write_transaction::begin(&self.database.connection, "candle_gaps").await?;
            for chunk in rows.chunks(ROWS) {
                let overwrite = OnConflict::columns([Column::Symbol, Column::Interval, Column::Source, Column::FromAt])
                    .update_columns([Column::ToAt, Column::NotedAt])
                    .to_owned();
                Entity::insert_many(chunk.to_vec()).on_conflict(overwrite).exec_without_returning(&transaction).await?;
            }
            transaction.commit().await
        };
        self.database.within_deadline(written).await
    }

    async fn noted(
        &self,
        symbol: &Symbol,
        interval: Interval,
        source: Source,
        since: OffsetDateTime,
    ) -> Result<Vec<Span>, StoreError> {
        let wanted = Entity::find()
            .filter(of(symbol, interval, source))
            .filter(Column::NotedAt.gte(Moment(since)))
            .order_by_asc(Column::FromAt);
        let rows = self.database.within_deadline(wanted.all(&self.database.connection)).await?;
        Ok(rows.into_iter().map(|row| Span { from: row.from_at.0, to: row.to_at.0 }).collect())
    }

    async fn forget(&self, before: OffsetDateTime) -> Result<u64, StoreError> {
        let delete = Entity::delete_many().filter(Column::NotedAt.lt(Moment(before))).exec(&self.database.connection);
        Ok(self.database.within_deadline(delete).await?.rows_affected)
    }
}
