use sea_orm_migration::prelude::*;

use crate::exact_types::timestamp;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[derive(DeriveIden)]
enum Users {
    Table,
    Id,
}

#[derive(DeriveIden)]
enum Sessions {
    Table,
    Id,
    UserId,
    FamilyKey,
    Generation,
    Confirmed,
    Replays,
    RetryKey,
    CreatedAt,
    RotatedAt,
    Ip,
    UserAgent,
    EndedAt,
    EndReason,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut owner = ForeignKey::create()
            .name("sessions_user_id_fkey")
            .from(Sessions::Table, Sessions::UserId)
            .to(Users::Table, Users::Id)
            .on_delete(ForeignKeyAction::Cascade)
            .to_owned();
        let table = Table::create()
            .table(Sessions::Table)
            .col(ColumnDef::new(Sessions::Id).uuid().not_null().primary_key())
            .col(ColumnDef::new(Sessions::UserId).uuid().not_null())
            .col(ColumnDef::new(Sessions::FamilyKey).blob().not_null())
            .col(ColumnDef::new(Sessions::Generation).big_integer().not_null())
            .col(ColumnDef::new(Sessions::Confirmed).boolean().not_null())
            .col(ColumnDef::new(Sessions::Replays).big_integer().not_null())
            .col(ColumnDef::new(Sessions::RetryKey).blob())
            .col(timestamp(Sessions::CreatedAt).not_null())
            .col(timestamp(Sessions::RotatedAt).not_null())
            .col(ColumnDef::new(Sessions::Ip).text())
            .col(ColumnDef::new(Sessions::UserAgent).text())
            .col(timestamp(Sessions::EndedAt))
            .col(ColumnDef::new(Sessions::EndReason).text())
            .foreign_key(&mut owner)
            .to_owned();
        manager.create_table(table).await?;
        let index = |name: &str, column: Sessions| Index::create().name(name).table(Sessions::Table).col(column).to_owned();
        manager.create_index(index("sessions_user_id", Sessions::UserId)).await?;
        // What was ended lately is asked for by every node.
        manager.create_index(index("sessions_ended_at", Sessions::EndedAt)).await?;
        // Old ones are pruned in this order.
        manager.create_index(index("sessions_created_at", Sessions::CreatedAt)).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(Sessions::Table).to_owned()).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
