use sea_orm_migration::prelude::*;

/// Whose price made an alert come true. Of what fired before nobody kept it.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[derive(DeriveIden)]
enum FiredAlerts {
    Table,
    Source,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let source = ColumnDef::new(FiredAlerts::Source).text().to_owned();
        manager.alter_table(Table::alter().table(FiredAlerts::Table).add_column(source).to_owned()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.alter_table(Table::alter().table(FiredAlerts::Table).drop_column(FiredAlerts::Source).to_owned()).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
