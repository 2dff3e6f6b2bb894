use sea_orm_migration::prelude::*;

use crate::exact_types::timestamp;

/// Links that rest after wrong codes, and those that their session uses by the code alone. How many letters of a kind went to an
/// address lately.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[derive(DeriveIden)]
enum MailLinks {
    Table,
    KeyId,
    Kept,
    PausedUntil,
}

#[derive(DeriveIden)]
enum OutboxMails {
    Table,
    Recipient,
    CreatedAt,
}

const BY_RECIPIENT: &str = "outbox_mails_recipient";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = [
            ColumnDef::new(MailLinks::KeyId).text().to_owned(),
            ColumnDef::new(MailLinks::Kept).blob().to_owned(),
            timestamp(MailLinks::PausedUntil),
        ];
        for column in columns {
            manager.alter_table(Table::alter().table(MailLinks::Table).add_column(column).to_owned()).await?;
        }
        let by_recipient = Index::create()
            .name(BY_RECIPIENT)
            .table(OutboxMails::Table)
            .col(OutboxMails::Recipient)
            .col(OutboxMails::CreatedAt)
            .to_owned();
        manager.create_index(by_recipient).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_index(Index::drop().name(BY_RECIPIENT).table(OutboxMails::Table).to_owned()).await?;
        for column in [MailLinks::PausedUntil, MailLinks::Kept, MailLinks::KeyId] {
            manager.alter_table(Table::alter().table(MailLinks::Table).drop_column(column).to_owned()).await?;
        }
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
