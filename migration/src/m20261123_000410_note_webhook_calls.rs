use sea_orm_migration::prelude::*;

use crate::exact_types::timestamp;

/// How calls of webhooks went, whose turn it is, and when one was tested.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[derive(DeriveIden)]
enum Webhooks {
    Table,
    LastCallAt,
    LastSuccessAt,
    LastError,
    ServedAt,
    TestId,
    TestedAt,
}

#[derive(DeriveIden)]
enum NotificationDeliveries {
    Table,
    WebhookId,
    State,
    DueAt,
}

/// Whether something is due to a webhook, and what.
const BY_WEBHOOK: &str = "deliveries_by_webhook";
const WEBHOOK_ALONE: &str = "deliveries_webhook_id";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        use NotificationDeliveries as Of;

        let columns = [
            timestamp(Webhooks::LastCallAt),
            timestamp(Webhooks::LastSuccessAt),
            ColumnDef::new(Webhooks::LastError).text().to_owned(),
            // When something for it was taken last.
            timestamp(Webhooks::ServedAt),
            // The notification of its last test.
            ColumnDef::new(Webhooks::TestId).uuid().to_owned(),
            timestamp(Webhooks::TestedAt),
        ];
        for column in columns {
            manager.alter_table(Table::alter().table(Webhooks::Table).add_column(column).to_owned()).await?;
        }
        let mut by_webhook = Index::create().name(BY_WEBHOOK).table(Of::Table).to_owned();
        manager.create_index(by_webhook.col(Of::WebhookId).col(Of::State).col(Of::DueAt).to_owned()).await?;
        manager.drop_index(Index::drop().name(WEBHOOK_ALONE).table(Of::Table).to_owned()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        use NotificationDeliveries as Of;

        let alone = Index::create().name(WEBHOOK_ALONE).table(Of::Table).col(Of::WebhookId).to_owned();
        manager.create_index(alone).await?;
        manager.drop_index(Index::drop().name(BY_WEBHOOK).table(Of::Table).to_owned()).await?;
        let columns = [
            Webhooks::TestedAt,
            Webhooks::TestId,
            Webhooks::ServedAt,
            Webhooks::LastError,
            Webhooks::LastSuccessAt,
            Webhooks::LastCallAt,
        ];
        for column in columns {
            manager.alter_table(Table::alter().table(Webhooks::Table).drop_column(column).to_owned()).await?;
        }
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
