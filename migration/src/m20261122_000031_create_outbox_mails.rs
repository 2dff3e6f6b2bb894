use sea_orm_migration::prelude::*;

use crate::exact_types::timestamp;

/// Letters that are to be sent, and for some time those that were.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[derive(DeriveIden)]
enum OutboxMails {
    Table,
    Id,
    Recipient,
    Template,
    KeyId,
    Fields,
    State,
    Attempts,
    DueAt,
    Error,
    CreatedAt,
    EndedAt,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let known = Expr::col(OutboxMails::State).is_in(["waiting", "sent", "dead"]);
        let table = Table::create()
            .table(OutboxMails::Table)
            .col(ColumnDef::new(OutboxMails::Id).uuid().not_null().primary_key())
            .col(ColumnDef::new(OutboxMails::Recipient).text().not_null())
            .col(ColumnDef::new(OutboxMails::Template).text().not_null())
            // What is filled in, encrypted, as long as the letter waits.
            .col(ColumnDef::new(OutboxMails::KeyId).text())
            .col(ColumnDef::new(OutboxMails::Fields).binary())
            .col(ColumnDef::new(OutboxMails::State).text().not_null().check(known))
            .col(ColumnDef::new(OutboxMails::Attempts).big_integer().not_null())
            // When it is tried next, or the end of the lease of who tries it now.
            .col(timestamp(OutboxMails::DueAt).not_null())
            .col(ColumnDef::new(OutboxMails::Error).text())
            .col(timestamp(OutboxMails::CreatedAt).not_null())
            .col(timestamp(OutboxMails::EndedAt))
            .to_owned();
        manager.create_table(table).await?;
        for (name, column) in [("outbox_mails_due", OutboxMails::DueAt), ("outbox_mails_ended", OutboxMails::EndedAt)] {
            let index = Index::create().name(name).table(OutboxMails::Table).col(OutboxMails::State).col(column).to_owned();
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(OutboxMails::Table).to_owned()).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
