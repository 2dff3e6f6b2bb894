use sea_orm_migration::prelude::*;

use crate::exact_types::{numeric, timestamp};

/// What users want to be told of prices, what came true, and how far ticks were evaluated.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[derive(DeriveIden)]
enum Users {
    Table,
    Id,
}

#[derive(DeriveIden)]
enum AlertRules {
    Table,
    Id,
    UserId,
    Symbol,
    Condition,
    Target,
    WindowSeconds,
    IsActive,
    CreatedAt,
    LastTriggered,
    LastEpoch,
    LastSeq,
    TriggerCount,
    Arming,
    Since,
    Revision,
    ChangedAt,
    DeletedAt,
}

#[derive(DeriveIden)]
enum FiredAlerts {
    Table,
    Id,
    RuleId,
    UserId,
    Symbol,
    Condition,
    Target,
    WindowSeconds,
    Price,
    MovedFrom,
    Epoch,
    Seq,
    FiredAt,
}

#[derive(DeriveIden)]
enum AlertProgress {
    Table,
    Id,
    Epoch,
    Seq,
}

fn rules() -> TableCreateStatement {
    use AlertRules as Of;
    let mut owner = ForeignKey::create();
    owner.name("alert_rules_user_id_fkey").from(Of::Table, Of::UserId).to(Users::Table, Users::Id);
    owner.on_delete(ForeignKeyAction::Cascade);
    Table::create()
        .table(Of::Table)
        .col(ColumnDef::new(Of::Id).uuid().not_null().primary_key())
        .col(ColumnDef::new(Of::UserId).uuid().not_null())
        .col(ColumnDef::new(Of::Symbol).text().not_null())
        .col(ColumnDef::new(Of::Condition).text().not_null())
        .col(numeric(Of::Target).not_null())
        .col(ColumnDef::new(Of::WindowSeconds).big_integer())
        .col(ColumnDef::new(Of::IsActive).boolean().not_null())
        .col(timestamp(Of::CreatedAt).not_null())
        .col(timestamp(Of::LastTriggered))
        // The tick that it fired by.
        .col(ColumnDef::new(Of::LastEpoch).big_integer())
        .col(ColumnDef::new(Of::LastSeq).big_integer())
        .col(ColumnDef::new(Of::TriggerCount).big_integer().not_null())
        .col(ColumnDef::new(Of::Arming).text().not_null().check(Expr::col(Of::Arming).is_in(["armed", "unseen", "spent"])))
        .col(timestamp(Of::Since).not_null())
        .col(ColumnDef::new(Of::Revision).big_integer().not_null())
        // By its user.
        .col(timestamp(Of::ChangedAt).not_null())
        .col(timestamp(Of::DeletedAt))
        .foreign_key(&mut owner)
        .to_owned()
}

/// A firing outlives its rule.
fn fired() -> TableCreateStatement {
    use FiredAlerts as Of;
    let mut owner = ForeignKey::create();
    owner.name("fired_alerts_user_id_fkey").from(Of::Table, Of::UserId).to(Users::Table, Users::Id);
    owner.on_delete(ForeignKeyAction::Cascade);
    Table::create()
        .table(Of::Table)
        // That of its notification.
        .col(ColumnDef::new(Of::Id).uuid().not_null().primary_key())
        .col(ColumnDef::new(Of::RuleId).uuid().not_null())
        .col(ColumnDef::new(Of::UserId).uuid().not_null())
        .col(ColumnDef::new(Of::Symbol).text().not_null())
        .col(ColumnDef::new(Of::Condition).text().not_null())
        .col(numeric(Of::Target).not_null())
        .col(ColumnDef::new(Of::WindowSeconds).big_integer())
        .col(numeric(Of::Price).not_null())
        .col(numeric(Of::MovedFrom))
        .col(ColumnDef::new(Of::Epoch).big_integer().not_null())
        .col(ColumnDef::new(Of::Seq).big_integer().not_null())
        .col(timestamp(Of::FiredAt).not_null())
        .foreign_key(&mut owner)
        .to_owned()
}

fn progress() -> TableCreateStatement {
    use AlertProgress as Of;
    Table::create()
        .table(Of::Table)
        .col(ColumnDef::new(Of::Id).integer().not_null().primary_key().check(Expr::col(Of::Id).eq(1)))
        .col(ColumnDef::new(Of::Epoch).big_integer().not_null())
        .col(ColumnDef::new(Of::Seq).big_integer().not_null())
        .to_owned()
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [rules(), fired(), progress()] {
            manager.create_table(table).await?;
        }
        let on_rules =
            |name: &str, column: AlertRules| Index::create().name(name).table(AlertRules::Table).col(column).to_owned();
        manager.create_index(on_rules("alert_rules_user_id", AlertRules::UserId)).await?;
        manager.create_index(on_rules("alert_rules_changed_at", AlertRules::ChangedAt)).await?;
        manager.create_index(on_rules("alert_rules_deleted_at", AlertRules::DeletedAt)).await?;
        let mut newest = Index::create();
        newest.name("fired_alerts_newest").table(FiredAlerts::Table);
        newest.col(FiredAlerts::UserId).col(FiredAlerts::FiredAt).col(FiredAlerts::Id);
        manager.create_index(newest).await?;
        // No tick makes a rule come true twice.
        let mut once = Index::create();
        once.name("fired_alerts_once").table(FiredAlerts::Table).unique();
        once.col(FiredAlerts::RuleId).col(FiredAlerts::Epoch).col(FiredAlerts::Seq);
        manager.create_index(once).await?;
        let old = Index::create().name("fired_alerts_fired_at").table(FiredAlerts::Table).col(FiredAlerts::FiredAt).to_owned();
        manager.create_index(old).await?;
        // The one row: evaluators stand in line by it, also before the first tick.
        let mut none = Query::insert();
        none.into_table(AlertProgress::Table).columns([AlertProgress::Id, AlertProgress::Epoch, AlertProgress::Seq]);
        none.values_panic([1.into(), 0.into(), 0.into()]);
        manager.execute(none).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(AlertProgress::Table).to_owned()).await?;
        manager.drop_table(Table::drop().table(FiredAlerts::Table).to_owned()).await?;
        manager.drop_table(Table::drop().table(AlertRules::Table).to_owned()).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
