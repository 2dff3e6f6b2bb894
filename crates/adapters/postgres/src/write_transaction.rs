//! A transaction that will write, in line with the others that write the same.

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, SqliteTransactionMode, Statement,
    TransactionOptions, TransactionTrait,
};

/// Begins a transaction whose writes are put in line by the rows it locks. On SQLite, which locks no rows, as [`begin`].
pub(crate) async fn begin_with_row_locks(connection: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    if connection.get_database_backend() == DbBackend::Sqlite {
        return begin_immediate(connection).await;
    }
    connection.begin().await
}

/// Begins when no other transaction of this `topic` is under way. On PostgreSQL an advisory lock that ends with the
/// transaction, so that two lists written at once neither mix nor deadlock; on SQLite the write lock from the start, because
/// one that first reads cannot wait for it later.
pub(crate) async fn begin(connection: &DatabaseConnection, topic: &str) -> Result<DatabaseTransaction, DbErr> {
    if connection.get_database_backend() == DbBackend::Sqlite {
        return begin_immediate(connection).await;
    }
    let transaction = connection.begin().await?;
    let lock = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))";
    transaction.execute_raw(Statement::from_sql_and_values(DbBackend::Postgres, lock, [topic.into()])).await?;
    Ok(transaction)
}

async fn begin_immediate(connection: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    let mode = Some(SqliteTransactionMode::Immediate);
    connection.begin_with_options(TransactionOptions { sqlite_transaction_mode: mode, ..Default::default() }).await
}
