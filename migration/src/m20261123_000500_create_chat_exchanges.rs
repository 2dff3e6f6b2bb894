use sea_orm_migration::prelude::*;

use crate::exact_types::timestamp;

/// What users asked the assistant, and what it answered.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[derive(DeriveIden)]
enum Users {
    Table,
    Id,
}

#[derive(DeriveIden)]
enum ChatExchanges {
    Table,
    Id,
    UserId,
    Question,
    AskedAt,
    Answer,
    AnsweredAt,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut owner = ForeignKey::create()
            .name("chat_exchanges_user_id_fkey")
            .from(ChatExchanges::Table, ChatExchanges::UserId)
            .to(Users::Table, Users::Id)
            .on_delete(ForeignKeyAction::Cascade)
            .to_owned();
        let table = Table::create()
            .table(ChatExchanges::Table)
            // Version 7: in the order in which they were said.
            .col(ColumnDef::new(ChatExchanges::Id).uuid().not_null().primary_key())
            .col(ColumnDef::new(ChatExchanges::UserId).uuid().not_null())
            .col(ColumnDef::new(ChatExchanges::Question).text().not_null())
            .col(timestamp(ChatExchanges::AskedAt).not_null())
            .col(ColumnDef::new(ChatExchanges::Answer).text().not_null())
            .col(timestamp(ChatExchanges::AnsweredAt).not_null())
            .foreign_key(&mut owner)
            .to_owned();
        manager.create_table(table).await?;
        let of_user = Index::create()
            .name("chat_exchanges_user_id_id")
            .table(ChatExchanges::Table)
            .col(ChatExchanges::UserId)
            .col(ChatExchanges::Id)
            .to_owned();
        manager.create_index(of_user).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(ChatExchanges::Table).to_owned()).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
