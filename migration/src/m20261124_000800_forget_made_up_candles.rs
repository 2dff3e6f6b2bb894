use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

/// Prices that were made up were kept as if they were real: from here on they are kept apart. Which of those of before were made up
/// does not show, so that all that was collected goes from `SQLite`, where such prices were kept, with whatever may hold a part of it.
/// What providers know of the time is fetched again.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// Interval, and how much of an opening time two share that may be of one candle.
const LONGER: [(&str, u8); 3] = [("1d", 10), ("1h", 13), ("5m", 15)];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.get_database_backend() == DbBackend::Postgres {
            return Ok(());
        }
        let connection = manager.get_connection();
        for (kind, shared) in LONGER {
            let sql = format!(
                "DELETE FROM price_candles_{kind} WHERE origin = 'ticks' OR (symbol, substr(open_at, 1, {shared})) IN
                 (SELECT symbol, substr(open_at, 1, {shared}) FROM price_candles_1m WHERE origin = 'ticks')"
            );
            connection.execute_unprepared(&sql).await?;
        }
        connection.execute_unprepared("DELETE FROM price_candles_1m WHERE origin = 'ticks'").await.map(drop)
    }

    /// What went does not come back, and nothing else changed.
    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
