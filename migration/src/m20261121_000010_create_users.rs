use sea_orm_migration::prelude::*;

use crate::exact_types::timestamp;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[derive(DeriveIden)]
enum Users {
    Table,
    Id,
    Email,
    PepperId,
    PasswordHash,
    FirstName,
    LastName,
    Role,
    IsActive,
    IsVerified,
    CreatedAt,
    UpdatedAt,
    LastLoginAt,
    Logins,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table(Users::Table)
            .col(ColumnDef::new(Users::Id).uuid().not_null().primary_key())
            .col(ColumnDef::new(Users::Email).string_len(254).not_null().unique_key())
            .col(ColumnDef::new(Users::PepperId).text().not_null())
            .col(ColumnDef::new(Users::PasswordHash).text().not_null())
            .col(ColumnDef::new(Users::FirstName).text())
            .col(ColumnDef::new(Users::LastName).text())
            .col(ColumnDef::new(Users::Role).text().not_null())
            .col(ColumnDef::new(Users::IsActive).boolean().not_null())
            .col(ColumnDef::new(Users::IsVerified).boolean().not_null())
            .col(timestamp(Users::CreatedAt).not_null())
            .col(timestamp(Users::UpdatedAt).not_null())
            .col(timestamp(Users::LastLoginAt))
            .col(ColumnDef::new(Users::Logins).big_integer().not_null())
            .to_owned();
        manager.create_table(table).await?;
        // Administrators are found by it.
        let by_role = Index::create().name("users_role").table(Users::Table).col(Users::Role).to_owned();
        manager.create_index(by_role).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(Users::Table).to_owned()).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
