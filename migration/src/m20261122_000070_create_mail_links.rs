use sea_orm_migration::prelude::*;

use crate::exact_types::timestamp;

/// Links that were sent by mail: to verify an address, to reset a password, to change an address and to take that back.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[derive(DeriveIden)]
enum Users {
    Table,
    Id,
}

#[derive(DeriveIden)]
enum MailLinks {
    Table,
    Id,
    UserId,
    Purpose,
    Email,
    OtherEmail,
    Secret,
    Code,
    Browser,
    SessionId,
    Failures,
    CreatedAt,
    ExpiresAt,
    EndedAt,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut owner = ForeignKey::create()
            .name("mail_links_user_id_fkey")
            .from(MailLinks::Table, MailLinks::UserId)
            .to(Users::Table, Users::Id)
            .on_delete(ForeignKeyAction::Cascade)
            .to_owned();
        let table = Table::create()
            .table(MailLinks::Table)
            .col(ColumnDef::new(MailLinks::Id).uuid().not_null().primary_key())
            .col(ColumnDef::new(MailLinks::UserId).uuid().not_null())
            .col(ColumnDef::new(MailLinks::Purpose).text().not_null())
            .col(ColumnDef::new(MailLinks::Email).string_len(254).not_null())
            .col(ColumnDef::new(MailLinks::OtherEmail).string_len(254))
            .col(ColumnDef::new(MailLinks::Secret).blob().not_null())
            .col(ColumnDef::new(MailLinks::Code).blob().not_null())
            .col(ColumnDef::new(MailLinks::Browser).blob())
            // Not a key of sessions: what is pruned there may be named here.
            .col(ColumnDef::new(MailLinks::SessionId).uuid())
            .col(ColumnDef::new(MailLinks::Failures).big_integer().not_null())
            .col(timestamp(MailLinks::CreatedAt).not_null())
            .col(timestamp(MailLinks::ExpiresAt).not_null())
            .col(timestamp(MailLinks::EndedAt))
            .foreign_key(&mut owner)
            .to_owned();
        manager.create_table(table).await?;
        let index = |name: &str, column: MailLinks| Index::create().name(name).table(MailLinks::Table).col(column).to_owned();
        manager.create_index(index("mail_links_user_id", MailLinks::UserId)).await?;
        // How many went to an address lately.
        manager.create_index(index("mail_links_email", MailLinks::Email).col(MailLinks::CreatedAt).to_owned()).await?;
        // Old ones are pruned in this order.
        manager.create_index(index("mail_links_created_at", MailLinks::CreatedAt)).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(MailLinks::Table).to_owned()).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
