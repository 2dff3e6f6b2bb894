use sea_orm_migration::prelude::*;

use crate::exact_types::timestamp;

/// Inboxes, what users have set, their webhooks, and what is on its way.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[derive(DeriveIden)]
enum Users {
    Table,
    Id,
}

#[derive(DeriveIden)]
enum Notifications {
    Table,
    Id,
    UserId,
    Kind,
    Title,
    Message,
    Priority,
    IsRead,
    CreatedAt,
    ExpiresAt,
    ActionUrl,
    Facts,
}

#[derive(DeriveIden)]
enum NotificationSettings {
    Table,
    UserId,
    EmailEnabled,
    PushEnabled,
    PriceAlerts,
    NewsUpdates,
    SystemAlerts,
    TradeUpdates,
    SecurityAlerts,
    QuietStart,
    QuietEnd,
    ClockMinutes,
}

#[derive(DeriveIden)]
enum Webhooks {
    Table,
    Id,
    UserId,
    Url,
    Host,
    KeyId,
    Secret,
    CreatedAt,
    Failures,
    DisabledAt,
}

#[derive(DeriveIden)]
enum NotificationDeliveries {
    Table,
    Id,
    NotificationId,
    UserId,
    Channel,
    WebhookId,
    Fired,
    State,
    Attempts,
    DueAt,
    Error,
    EndedAt,
}

/// What belongs to a row of another table goes with it.
fn belongs_to(
    name: &str,
    from: impl IntoTableRef,
    column: impl IntoIden,
    to: (impl IntoTableRef, impl IntoIden),
) -> ForeignKeyCreateStatement {
    let mut key = ForeignKey::create();
    key.name(name).from(from, column).to(to.0, to.1).on_delete(ForeignKeyAction::Cascade);
    key
}

fn notifications() -> TableCreateStatement {
    let mut owner =
        belongs_to("notifications_user_id_fkey", Notifications::Table, Notifications::UserId, (Users::Table, Users::Id));
    Table::create()
        .table(Notifications::Table)
        .col(ColumnDef::new(Notifications::Id).uuid().not_null().primary_key())
        .col(ColumnDef::new(Notifications::UserId).uuid().not_null())
        .col(ColumnDef::new(Notifications::Kind).text().not_null())
        .col(ColumnDef::new(Notifications::Title).text().not_null())
        .col(ColumnDef::new(Notifications::Message).text().not_null())
        .col(ColumnDef::new(Notifications::Priority).text().not_null())
        .col(ColumnDef::new(Notifications::IsRead).boolean().not_null())
        .col(timestamp(Notifications::CreatedAt).not_null())
        .col(timestamp(Notifications::ExpiresAt))
        .col(ColumnDef::new(Notifications::ActionUrl).text())
        // JSON: pairs of a name and a text.
        .col(ColumnDef::new(Notifications::Facts).text().not_null())
        .foreign_key(&mut owner)
        .to_owned()
}

fn settings() -> TableCreateStatement {
    use NotificationSettings as Of;
    let mut owner = belongs_to("notification_settings_user_id_fkey", Of::Table, Of::UserId, (Users::Table, Users::Id));
    Table::create()
        .table(Of::Table)
        .col(ColumnDef::new(Of::UserId).uuid().not_null().primary_key())
        .col(ColumnDef::new(Of::EmailEnabled).boolean().not_null())
        .col(ColumnDef::new(Of::PushEnabled).boolean().not_null())
        .col(ColumnDef::new(Of::PriceAlerts).boolean().not_null())
        .col(ColumnDef::new(Of::NewsUpdates).boolean().not_null())
        .col(ColumnDef::new(Of::SystemAlerts).boolean().not_null())
        .col(ColumnDef::new(Of::TradeUpdates).boolean().not_null())
        .col(ColumnDef::new(Of::SecurityAlerts).boolean().not_null())
        // HH:MM.
        .col(ColumnDef::new(Of::QuietStart).text())
        .col(ColumnDef::new(Of::QuietEnd).text())
        // East of UTC.
        .col(ColumnDef::new(Of::ClockMinutes).small_integer().not_null())
        .foreign_key(&mut owner)
        .to_owned()
}

fn webhooks() -> TableCreateStatement {
    let mut owner = belongs_to("webhooks_user_id_fkey", Webhooks::Table, Webhooks::UserId, (Users::Table, Users::Id));
    Table::create()
        .table(Webhooks::Table)
        .col(ColumnDef::new(Webhooks::Id).uuid().not_null().primary_key())
        .col(ColumnDef::new(Webhooks::UserId).uuid().not_null())
        .col(ColumnDef::new(Webhooks::Url).text().not_null())
        .col(ColumnDef::new(Webhooks::Host).text().not_null())
        // What requests are signed with, encrypted.
        .col(ColumnDef::new(Webhooks::KeyId).text().not_null())
        .col(ColumnDef::new(Webhooks::Secret).binary().not_null())
        .col(timestamp(Webhooks::CreatedAt).not_null())
        .col(ColumnDef::new(Webhooks::Failures).big_integer().not_null())
        .col(timestamp(Webhooks::DisabledAt))
        .foreign_key(&mut owner)
        .to_owned()
}

fn deliveries() -> TableCreateStatement {
    use NotificationDeliveries as Of;
    let known = Expr::col(Of::State).is_in(["waiting", "sent", "dead"]);
    let mut of =
        belongs_to("deliveries_notification_id_fkey", Of::Table, Of::NotificationId, (Notifications::Table, Notifications::Id));
    let mut to = belongs_to("deliveries_webhook_id_fkey", Of::Table, Of::WebhookId, (Webhooks::Table, Webhooks::Id));
    Table::create()
        .table(Of::Table)
        .col(ColumnDef::new(Of::Id).uuid().not_null().primary_key())
        .col(ColumnDef::new(Of::NotificationId).uuid().not_null())
        .col(ColumnDef::new(Of::UserId).uuid().not_null())
        .col(ColumnDef::new(Of::Channel).text().not_null().check(Expr::col(Of::Channel).is_in(["socket", "webhook"])))
        .col(ColumnDef::new(Of::WebhookId).uuid())
        // JSON of the firing, for sockets.
        .col(ColumnDef::new(Of::Fired).text())
        .col(ColumnDef::new(Of::State).text().not_null().check(known))
        .col(ColumnDef::new(Of::Attempts).big_integer().not_null())
        // When it is tried next, or the end of the lease of who tries it now.
        .col(timestamp(Of::DueAt).not_null())
        .col(ColumnDef::new(Of::Error).text())
        .col(timestamp(Of::EndedAt))
        .foreign_key(&mut of)
        .foreign_key(&mut to)
        .to_owned()
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        use NotificationDeliveries as Of;

        for table in [notifications(), settings(), webhooks(), deliveries()] {
            manager.create_table(table).await?;
        }
        let newest = Index::create()
            .name("notifications_newest")
            .table(Notifications::Table)
            .col(Notifications::UserId)
            .col(Notifications::CreatedAt)
            .col(Notifications::Id)
            .to_owned();
        let expired =
            Index::create().name("notifications_expires_at").table(Notifications::Table).col(Notifications::ExpiresAt).to_owned();
        let hooks = Index::create().name("webhooks_user_id").table(Webhooks::Table).col(Webhooks::UserId).to_owned();
        for index in [newest, expired, hooks] {
            manager.create_index(index).await?;
        }
        let indexes = [
            ("deliveries_due", vec![Of::State, Of::Channel, Of::DueAt]),
            ("deliveries_ended", vec![Of::State, Of::EndedAt]),
            ("deliveries_notification_id", vec![Of::NotificationId]),
            ("deliveries_webhook_id", vec![Of::WebhookId]),
        ];
        for (name, columns) in indexes {
            let mut index = Index::create().name(name).table(Of::Table).to_owned();
            for column in columns {
                index.col(column);
            }
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(NotificationDeliveries::Table).to_owned()).await?;
        manager.drop_table(Table::drop().table(Webhooks::Table).to_owned()).await?;
        manager.drop_table(Table::drop().table(NotificationSettings::Table).to_owned()).await?;
        manager.drop_table(Table::drop().table(Notifications::Table).to_owned()).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
