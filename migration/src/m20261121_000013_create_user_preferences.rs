use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[derive(DeriveIden)]
enum Users {
    Table,
    Id,
}

#[derive(DeriveIden)]
enum UserPreferences {
    Table,
    UserId,
    Theme,
    Language,
    Currency,
    NotificationsEnabled,
    EmailAlerts,
    PriceAlerts,
    NewsNotifications,
    SoundEnabled,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut owner = ForeignKey::create()
            .name("user_preferences_user_id_fkey")
            .from(UserPreferences::Table, UserPreferences::UserId)
            .to(Users::Table, Users::Id)
            .on_delete(ForeignKeyAction::Cascade)
            .to_owned();
        let table = Table::create()
            .table(UserPreferences::Table)
            .col(ColumnDef::new(UserPreferences::UserId).uuid().not_null().primary_key())
            .col(ColumnDef::new(UserPreferences::Theme).text().not_null())
            .col(ColumnDef::new(UserPreferences::Language).text().not_null())
            .col(ColumnDef::new(UserPreferences::Currency).text().not_null())
            .col(ColumnDef::new(UserPreferences::NotificationsEnabled).boolean().not_null())
            .col(ColumnDef::new(UserPreferences::EmailAlerts).boolean().not_null())
            .col(ColumnDef::new(UserPreferences::PriceAlerts).boolean().not_null())
            .col(ColumnDef::new(UserPreferences::NewsNotifications).boolean().not_null())
            .col(ColumnDef::new(UserPreferences::SoundEnabled).boolean().not_null())
            .foreign_key(&mut owner)
            .to_owned();
        manager.create_table(table).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(UserPreferences::Table).to_owned()).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
