//! Price history. `docs/market-history.md` tells why the tables are as they are.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

use crate::candles::{BY_MONTH, FOR_EVER, plain, timescale};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// Which assets there is history of: asking each month of each table would take long.
const SYMBOLS: &str = "CREATE TABLE price_candle_symbols (symbol text NOT NULL PRIMARY KEY);";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        let tables = if manager.get_database_backend() != DbBackend::Postgres {
            plain::sqlite()
        } else if let Some(schema) = timescale::schema(connection).await? {
            timescale::postgres(&schema)
        } else {
            plain::postgres()
        };
        connection.execute_unprepared(&format!("{SYMBOLS}{tables}")).await.map(drop)
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        let is_postgres = manager.get_database_backend() == DbBackend::Postgres;
        if is_postgres && timescale::schema(connection).await?.is_some() {
            connection.execute_unprepared(&timescale::drop_views()).await?;
        }
        for kind in BY_MONTH.into_iter().chain([FOR_EVER]) {
            connection.execute_unprepared(&format!("DROP TABLE price_candles_{kind}")).await?;
        }
        connection.execute_unprepared("DROP TABLE price_candle_symbols").await?;
        if is_postgres {
            let functions = "DROP FUNCTION price_candles_ensure_month(text, timestamptz);
                DROP FUNCTION price_candles_drop_month(text, timestamptz)";
            connection.execute_unprepared(functions).await?;
        }
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
