use sea_orm_migration::prelude::*;

use crate::exact_types::timestamp;

/// Times of which a provider said that it has no candles.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[derive(DeriveIden)]
enum CandleGaps {
    Table,
    Symbol,
    Interval,
    Source,
    FromAt,
    ToAt,
    NotedAt,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let place = Index::create()
            .col(CandleGaps::Symbol)
            .col(CandleGaps::Interval)
            .col(CandleGaps::Source)
            .col(CandleGaps::FromAt)
            .to_owned();
        let table = Table::create()
            .table(CandleGaps::Table)
            .col(ColumnDef::new(CandleGaps::Symbol).text().not_null())
            .col(ColumnDef::new(CandleGaps::Interval).text().not_null())
            .col(ColumnDef::new(CandleGaps::Source).text().not_null())
            .col(timestamp(CandleGaps::FromAt).not_null())
            .col(timestamp(CandleGaps::ToAt).not_null())
            .col(timestamp(CandleGaps::NotedAt).not_null())
            .primary_key(&mut place.clone())
            .to_owned();
        manager.create_table(table).await?;
        // Old ones are forgotten in this order.
        let by_age = Index::create().name("candle_gaps_noted_at").table(CandleGaps::Table).col(CandleGaps::NotedAt).to_owned();
        manager.create_index(by_age).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(CandleGaps::Table).to_owned()).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
