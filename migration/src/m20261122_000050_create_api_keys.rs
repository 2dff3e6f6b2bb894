use sea_orm_migration::prelude::*;

use crate::exact_types::timestamp;

/// Keys that programs use in place of a sign-in.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[derive(DeriveIden)]
enum Users {
    Table,
    Id,
}

#[derive(DeriveIden)]
enum ApiKeys {
    Table,
    Id,
    UserId,
    Name,
    Digest,
    Scopes,
    Networks,
    CreatedAt,
    ExpiresAt,
    LastUsedAt,
    RevokedAt,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut owner = ForeignKey::create()
            .name("api_keys_user_id_fkey")
            .from(ApiKeys::Table, ApiKeys::UserId)
            .to(Users::Table, Users::Id)
            .on_delete(ForeignKeyAction::Cascade)
            .to_owned();
        let table = Table::create()
            .table(ApiKeys::Table)
            .col(ColumnDef::new(ApiKeys::Id).uuid().not_null().primary_key())
            .col(ColumnDef::new(ApiKeys::UserId).uuid().not_null())
            .col(ColumnDef::new(ApiKeys::Name).text().not_null())
            .col(ColumnDef::new(ApiKeys::Digest).blob().not_null())
            // Names with spaces between them.
            .col(ColumnDef::new(ApiKeys::Scopes).text().not_null())
            .col(ColumnDef::new(ApiKeys::Networks).text().not_null())
            .col(timestamp(ApiKeys::CreatedAt).not_null())
            .col(timestamp(ApiKeys::ExpiresAt))
            .col(timestamp(ApiKeys::LastUsedAt))
            .col(timestamp(ApiKeys::RevokedAt))
            .foreign_key(&mut owner)
            .to_owned();
        manager.create_table(table).await?;
        let index = |name: &str, column: ApiKeys| Index::create().name(name).table(ApiKeys::Table).col(column).to_owned();
        manager.create_index(index("api_keys_user_id", ApiKeys::UserId)).await?;
        // Old ones are pruned in this order.
        manager.create_index(index("api_keys_revoked_at", ApiKeys::RevokedAt)).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(ApiKeys::Table).to_owned()).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
