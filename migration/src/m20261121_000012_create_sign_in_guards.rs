use sea_orm_migration::prelude::*;

use crate::exact_types::timestamp;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[derive(DeriveIden)]
enum SignInGuards {
    Table,
    Key,
    Failures,
    LastAt,
    DelayedUntil,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table(SignInGuards::Table)
            .col(ColumnDef::new(SignInGuards::Key).text().not_null().primary_key())
            .col(ColumnDef::new(SignInGuards::Failures).big_integer().not_null())
            .col(timestamp(SignInGuards::LastAt))
            .col(timestamp(SignInGuards::DelayedUntil))
            .to_owned();
        manager.create_table(table).await?;
        // Old ones are pruned by it.
        let by_age =
            Index::create().name("sign_in_guards_last_at").table(SignInGuards::Table).col(SignInGuards::LastAt).to_owned();
        manager.create_index(by_age).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(SignInGuards::Table).to_owned()).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
