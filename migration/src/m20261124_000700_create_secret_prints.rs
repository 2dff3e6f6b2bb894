use sea_orm_migration::prelude::*;

/// By which secrets the database is written: a fingerprint of each, so that a server that was started with another one notices.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[derive(DeriveIden)]
enum SecretPrints {
    Table,
    Name,
    Print,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table(SecretPrints::Table)
            .col(ColumnDef::new(SecretPrints::Name).text().not_null().primary_key())
            .col(ColumnDef::new(SecretPrints::Print).blob().not_null())
            .to_owned();
        manager.create_table(table).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(SecretPrints::Table).to_owned()).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
