use sea_orm_migration::prelude::*;

use crate::exact_types::{numeric, timestamp};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[derive(DeriveIden)]
enum LastKnownPrices {
    Table,
    Symbol,
    Name,
    Rank,
    Price,
    #[sea_orm(iden = "change_24h")]
    Change24h,
    #[sea_orm(iden = "high_24h")]
    High24h,
    #[sea_orm(iden = "low_24h")]
    Low24h,
    #[sea_orm(iden = "volume_24h")]
    Volume24h,
    MarketCap,
    Source,
    AsOf,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table(LastKnownPrices::Table)
            .col(ColumnDef::new(LastKnownPrices::Symbol).text().not_null().primary_key())
            .col(ColumnDef::new(LastKnownPrices::Name).text())
            .col(ColumnDef::new(LastKnownPrices::Rank).integer())
            .col(numeric(LastKnownPrices::Price).not_null())
            .col(numeric(LastKnownPrices::Change24h))
            .col(numeric(LastKnownPrices::High24h))
            .col(numeric(LastKnownPrices::Low24h))
            .col(numeric(LastKnownPrices::Volume24h))
            .col(numeric(LastKnownPrices::MarketCap))
            .col(ColumnDef::new(LastKnownPrices::Source).text().not_null())
            .col(timestamp(LastKnownPrices::AsOf).not_null())
            .to_owned();
        manager.create_table(table).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(LastKnownPrices::Table).to_owned()).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
