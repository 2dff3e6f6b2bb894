use sea_orm_migration::prelude::*;

use crate::exact_types::timestamp;

/// What the monitor found to be looked at, of all nodes.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[derive(DeriveIden)]
enum MonitorAlerts {
    Table,
    Id,
    Node,
    Metric,
    Severity,
    Cause,
    Value,
    OpenedAt,
    ChangedAt,
    SeenAt,
    AcknowledgedBy,
    AcknowledgedAt,
    AcknowledgedAs,
    EndedAt,
    Resolution,
}

const SEVERITIES: [&str; 4] = ["info", "warning", "error", "critical"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        use MonitorAlerts as Of;

        let table = Table::create()
            .table(Of::Table)
            .col(ColumnDef::new(Of::Id).uuid().not_null().primary_key())
            .col(ColumnDef::new(Of::Node).text().not_null())
            .col(ColumnDef::new(Of::Metric).text().not_null())
            .col(ColumnDef::new(Of::Severity).text().not_null().check(Expr::col(Of::Severity).is_in(SEVERITIES)))
            .col(ColumnDef::new(Of::Cause).text().not_null())
            // A measurement, nobody's money.
            .col(ColumnDef::new(Of::Value).double().not_null())
            .col(timestamp(Of::OpenedAt).not_null())
            .col(timestamp(Of::ChangedAt).not_null())
            .col(timestamp(Of::SeenAt).not_null())
            // An alert that somebody looked after outlives the account, as the audit log does.
            .col(ColumnDef::new(Of::AcknowledgedBy).uuid())
            .col(timestamp(Of::AcknowledgedAt))
            .col(ColumnDef::new(Of::AcknowledgedAs).text())
            .col(timestamp(Of::EndedAt))
            .col(ColumnDef::new(Of::Resolution).text())
            .to_owned();
        manager.create_table(table).await?;
        let mut newest = Index::create();
        newest.name("monitor_alerts_newest").table(Of::Table).col(Of::OpenedAt).col(Of::Id);
        manager.create_index(newest).await?;
        let mut ended = Index::create();
        ended.name("monitor_alerts_ended").table(Of::Table).col(Of::EndedAt).col(Of::Id);
        manager.create_index(ended).await?;
        // Of a metric of a node there is one that goes on.
        let open = "CREATE UNIQUE INDEX monitor_alerts_open ON monitor_alerts (node, metric) WHERE ended_at IS NULL";
        manager.get_connection().execute_unprepared(open).await.map(drop)
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(MonitorAlerts::Table).to_owned()).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
