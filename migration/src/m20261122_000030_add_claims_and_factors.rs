use sea_orm_migration::prelude::*;

use crate::exact_types::timestamp;

/// Addresses that accounts claim without owning them, and when a session showed its second factor.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[derive(DeriveIden)]
enum Users {
    Table,
    ClaimedEmail,
}

#[derive(DeriveIden)]
enum Sessions {
    Table,
    SecondFactorAt,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let claimed = ColumnDef::new(Users::ClaimedEmail).string_len(254).to_owned();
        manager.alter_table(Table::alter().table(Users::Table).add_column(claimed).to_owned()).await?;
        let by_claim = Index::create().name("users_claimed_email").table(Users::Table).col(Users::ClaimedEmail).to_owned();
        manager.create_index(by_claim).await?;
        let shown = timestamp(Sessions::SecondFactorAt);
        manager.alter_table(Table::alter().table(Sessions::Table).add_column(shown).to_owned()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.alter_table(Table::alter().table(Sessions::Table).drop_column(Sessions::SecondFactorAt).to_owned()).await?;
        manager.drop_index(Index::drop().name("users_claimed_email").table(Users::Table).to_owned()).await?;
        manager.alter_table(Table::alter().table(Users::Table).drop_column(Users::ClaimedEmail).to_owned()).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
