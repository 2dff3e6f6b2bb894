use sea_orm_migration::prelude::*;

use crate::exact_types::timestamp;

/// What people think of what they got.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[derive(DeriveIden)]
enum Users {
    Table,
    Id,
}

#[derive(DeriveIden)]
enum Feedback {
    Table,
    Id,
    UserId,
    Rating,
    Note,
    About,
    CreatedAt,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut author = ForeignKey::create()
            .name("feedback_user_id_fkey")
            .from(Feedback::Table, Feedback::UserId)
            .to(Users::Table, Users::Id)
            .on_delete(ForeignKeyAction::SetNull)
            .to_owned();
        let table = Table::create()
            .table(Feedback::Table)
            .col(ColumnDef::new(Feedback::Id).uuid().not_null().primary_key())
            .col(ColumnDef::new(Feedback::UserId).uuid())
            .col(ColumnDef::new(Feedback::Rating).small_integer().not_null())
            .col(ColumnDef::new(Feedback::Note).text())
            .col(ColumnDef::new(Feedback::About).text())
            .col(timestamp(Feedback::CreatedAt).not_null())
            .foreign_key(&mut author)
            .to_owned();
        manager.create_table(table).await?;
        let index = |name: &str, column: Feedback| Index::create().name(name).table(Feedback::Table).col(column).to_owned();
        manager.create_index(index("feedback_created_at", Feedback::CreatedAt)).await?;
        // Looked for when an account goes.
        manager.create_index(index("feedback_user_id", Feedback::UserId)).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(Feedback::Table).to_owned()).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
