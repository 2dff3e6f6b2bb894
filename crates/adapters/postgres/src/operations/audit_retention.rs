//! Drops whole months of the audit log, as its owner. Nothing in it is deleted: a month is a partition.

use std::{
    collections::{BTreeMap, HashMap},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use coinlink_domain::{
    operations::{Hash, Kept, LogMonth, Retirement, Seal},
    shared::audit::AuditEntry,
};
use coinlink_ports::{
    operations::{AuditRetention, HeldMonth, HeldRow, LogMonths, LogPlace, RetentionError},
    shared::StoreError,
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, EntityTrait, QueryFilter,
    QueryOrder, QuerySelect, RuntimeErr, Statement, TransactionTrait, prelude::Uuid, sea_query::ExprTrait,
    sqlx::error::DatabaseError,
};
use time::OffsetDateTime;

use super::{
    audit_chain::by_place,
    chain_rows::{retirement_row, seal},
    unsealed::{after as behind, at},
};
use crate::{
    Database,
    entities::{audit_log, audit_retirements, audit_seals},
    errors::store_error,
    exact::Moment,
    shared::audit_log::insert,
};

/// Rows in one statement: six values each, where PostgreSQL takes 65,535.
const ROWS: usize = 1_000;
/// How long a month is waited for that somebody writes to; PostgreSQL's own clearing gives way after a second.
const HELD_WITHIN: &str = "5s";
/// How long the whole log is waited for: as long as that, whoever comes after waits too.
const ALONE_WITHIN: &str = "500ms";
/// Then others are let through before the next try.
const NEXT_TRY: Duration = Duration::from_secs(1);
/// How long it is tried.
const PATIENCE: Duration = Duration::from_secs(30);

const WHO: &str =
    "SELECT now(), current_user::text, pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = to_regclass('audit_log')";
const MONTHS: &str = r"SELECT replace(substr(relname, 11), '_', '-') FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
    WHERE inhparent = 'audit_log'::regclass AND relname ~ '^audit_log_\d{4}_\d{2}$' ORDER BY 1";
const LEFT_OVER: &str = r#"SELECT date_trunc('month', "timestamp" AT TIME ZONE 'UTC') AT TIME ZONE 'UTC', count(*) FROM ONLY audit_log_default
    WHERE "timestamp" < CAST($1 AS timestamptz_text) GROUP BY 1 ORDER BY 1"#;
/// One at a time; it ends with the transaction. The owner alone may: the app's role can keep nobody from it. A moment is for PostgreSQL's own
/// clearing.
const ALONE: &str = "SET LOCAL lock_timeout = '1s'; LOCK TABLE audit_retirements IN SHARE ROW EXCLUSIVE MODE";

/// The months of the audit log on PostgreSQL.
#[derive(Clone)]
pub struct SqlAuditRetention {
    database: Database,
    patience: Duration,
}

impl SqlAuditRetention {
    /// In this database, connected to as the owner of the log.
    #[must_use]
    pub fn new(database: Database) -> Self {
        Self { database, patience: PATIENCE }
    }

    /// Gives up so long after the first try to have the log alone.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    fn postgres(&self) -> Result<&DatabaseConnection, RetentionError> {
        let connection = &self.database.connection;
        if connection.get_database_backend() == DbBackend::Postgres { Ok(connection) } else { Err(RetentionError::Undivided) }
    }
}

#[async_trait]
impl AuditRetention for SqlAuditRetention {
    async fn months(&self) -> Result<LogMonths, RetentionError> {
        let connection = self.postgres()?;
        let who =
            self.database.within_deadline(connection.query_one_raw(Statement::from_string(DbBackend::Postgres, WHO))).await?;
        let who = who.ok_or_else(|| StoreError::Unavailable("there is no audit log: migrate first".into()))?;
        let who = (|| Ok((who.try_get_by_index(0)?, who.try_get_by_index(1)?, who.try_get_by_index(2)?)))();
        let (now, role, owns): (OffsetDateTime, String, bool) = who.map_err(store_error)?;
        if !owns {
            return Err(RetentionError::NotOwner(role));
        }
        let rows = connection.query_all_raw(Statement::from_string(DbBackend::Postgres, MONTHS));
        let rows = self.database.within_deadline(rows).await?;
        let names: Result<Vec<String>, DbErr> = rows.iter().map(|row| row.try_get_by_index(0)).collect();
        // A name that is no month is not one that was made by the log itself.
        let divided = names.map_err(store_error)?.iter().filter_map(|name| name.parse().ok()).collect();
        Ok(LogMonths { now, divided })
    }

    async fn left_over(&self, before: LogMonth) -> Result<Vec<(LogMonth, u64)>, RetentionError> {
        let count = Statement::from_sql_and_values(DbBackend::Postgres, LEFT_OVER, [Moment(before.start()).into()]);
        let rows = self.database.within_deadline(self.postgres()?.query_all_raw(count)).await?;
        let counted = rows.iter().map(|row| {
            let (month, rows): (OffsetDateTime, i64) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
            Ok((LogMonth::of(month), rows.unsigned_abs()))
        });
        Ok(counted.collect::<Result<_, DbErr>>().map_err(store_error)?)
    }

    async fn hold(&self, month: LogMonth) -> Result<Option<Box<dyn HeldMonth>>, RetentionError> {
        let connection = self.postgres()?;
        let held = self.database.within_deadline(async {
            let transaction = connection.begin().await?;
            let held = hold(&transaction, &partition(month)).await;
            match held {
                Ok(Held::Yes) => Ok(Ok(Some(transaction))),
                other => {
                    transaction.rollback().await?;
                    other.map(|held| if held == Held::Gone { Ok(None) } else { Err(held) })
                }
            }
        });
        let held = match held.await? {
            Ok(Some(transaction)) => transaction,
            Ok(None) => return Ok(None),
            Err(Held::InUse) => return Err(RetentionError::Busy),
            Err(_) => return Err(RetentionError::UnderWay),
        };
        Ok(Some(Box::new(SqlHeldMonth { database: self.database.clone(), patience: self.patience, transaction: held, month })))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Held {
    Yes,
    Gone,
    UnderWay,
    InUse,
}

/// Nobody can write to the month from then on; it can be read, and all others can be written to.
async fn hold(transaction: &DatabaseTransaction, partition: &str) -> Result<Held, DbErr> {
    match transaction.execute_unprepared(ALONE).await {
        Err(error) if is_in_use(&error) => return Ok(Held::UnderWay),
        alone => alone?,
    };
    if !says_yes(transaction, &format!("SELECT to_regclass('{partition}') IS NOT NULL")).await? {
        return Ok(Held::Gone);
    }
    let lock = format!("SET LOCAL lock_timeout = '{HELD_WITHIN}'; LOCK TABLE ONLY {partition} IN SHARE MODE");
    match transaction.execute_unprepared(&lock).await {
        Err(error) if is_in_use(&error) => Ok(Held::InUse),
        locked => locked.map(|_| Held::Yes),
    }
}

struct SqlHeldMonth {
    database: Database,
    patience: Duration,
    transaction: DatabaseTransaction,
    month: LogMonth,
}

#[async_trait]
impl HeldMonth for SqlHeldMonth {
    async fn rows(&mut self, after: Option<LogPlace>, limit: u32) -> Result<Vec<HeldRow>, RetentionError> {
        use audit_log::{Column, Entity};
        let mut page = Entity::find()
            .filter(Column::Timestamp.into_expr().gte(at(self.month.start())))
            .filter(Column::Timestamp.into_expr().lt(at(self.month.next().start())));
        if let Some(after) = after {
            page = page.filter(behind(after));
        }
        let page = page.order_by_asc(Column::Timestamp).order_by_asc(Column::Id).limit(u64::from(limit));
        let rows = self.database.within_deadline(page.all(&self.transaction)).await?;
        let places: Vec<LogPlace> = rows.iter().map(|row| LogPlace { at: row.timestamp.0, id: row.id }).collect();
        let seals = audit_seals::Entity::find().filter(audit_seals::Column::AuditId.is_in(rows.iter().map(|row| row.id)));
        let seals = self.database.within_deadline(seals.all(&self.transaction)).await?;
        let seals: HashMap<Uuid, Seal> = seals.iter().map(|row| (row.audit_id, seal(row))).collect();
        let mut kept = by_place(rows, DbBackend::Postgres);
        let row = |place: LogPlace| HeldRow {
            place,
            kept: kept.remove(&place).unwrap_or(Kept::Unreadable),
            seal: seals.get(&place.id).cloned(),
        };
        Ok(places.into_iter().map(row).collect())
    }

    async fn chain_hashes(&mut self, seals: &[i64]) -> Result<BTreeMap<i64, Hash>, RetentionError> {
        let mut hashes = BTreeMap::new();
        for chunk in seals.chunks(ROWS) {
            let rows = audit_seals::Entity::find().filter(audit_seals::Column::Seq.is_in(chunk.iter().copied()));
            let rows = self.database.within_deadline(rows.all(&self.transaction)).await?;
            hashes.extend(rows.iter().map(seal).map(|seal| (seal.seq, seal.chain_hash)));
        }
        Ok(hashes)
    }

    async fn retire(self: Box<Self>, retirements: &[Retirement], act: &AuditEntry) -> Result<(), RetentionError> {
        let Self { database, patience, transaction, month } = *self;
        let partition = partition(month);
        let told: u64 = retirements.iter().map(|retirement| retirement.seals.count()).sum();
        let noted = database.within_deadline(async {
            if is_all_of(&transaction, month, told).await? {
                for chunk in retirements.chunks(ROWS) {
                    let rows = chunk.iter().map(retirement_row);
                    audit_retirements::Entity::insert_many(rows).exec_without_returning(&transaction).await?;
                }
                insert(&transaction, act).await?;
                return Ok(true);
            }
            Ok(false)
        });
        let mut gone = Err(RetentionError::Mixed(month));
        if noted.await? {
            gone = drop_within(&database, &transaction, &partition, patience).await;
        }
        match gone {
            Ok(()) => Ok(database.within_deadline(transaction.commit()).await?),
            Err(error) => {
                database.within_deadline(transaction.rollback()).await?;
                Err(error)
            }
        }
    }

    async fn let_go(self: Box<Self>) -> Result<(), RetentionError> {
        Ok(self.database.within_deadline(self.transaction.rollback()).await?)
    }
}

/// Whoever reads or writes the log ends first, and who comes meanwhile waits: for a moment, then they are let through and it is tried anew.
async fn drop_within(
    database: &Database,
    transaction: &DatabaseTransaction,
    partition: &str,
    patience: Duration,
) -> Result<(), RetentionError> {
    let sql = format!("SET LOCAL lock_timeout = '{ALONE_WITHIN}'; DROP TABLE {partition}");
    let began = Instant::now();
    loop {
        let dropped = database.within_deadline(async {
            // What fails in it leaves the transaction as it was, and gives its locks back.
            let attempt = transaction.begin().await?;
            match attempt.execute_unprepared(&sql).await {
                Err(error) if is_in_use(&error) => attempt.rollback().await.map(|()| false),
                Err(error) => Err(error),
                Ok(_) => attempt.commit().await.map(|()| true),
            }
        });
        if dropped.await? {
            return Ok(());
        }
        if began.elapsed() >= patience {
            return Err(RetentionError::Busy);
        }
        tokio::time::sleep(NEXT_TRY).await;
    }
}

/// Whether the partition of this name holds `rows` rows and all are of the month: one that was made or named by somebody else may hold others.
async fn is_all_of(transaction: &DatabaseTransaction, month: LogMonth, rows: u64) -> Result<bool, DbErr> {
    let sql = format!(
        r#"SELECT count(*) = {rows} AND count(*) = count(*) FILTER (WHERE "timestamp" >= CAST($1 AS timestamptz_text) AND "timestamp" < CAST($2 AS timestamptz_text))
        FROM ONLY {}"#,
        partition(month)
    );
    let bounds = [Moment(month.start()).into(), Moment(month.next().start()).into()];
    let row = transaction.query_one_raw(Statement::from_sql_and_values(DbBackend::Postgres, sql, bounds)).await?;
    row.map_or(Ok(false), |row| row.try_get_by_index(0))
}

fn partition(month: LogMonth) -> String {
    format!("audit_log_{}", month.to_string().replace('-', "_"))
}

async fn says_yes(connection: &impl ConnectionTrait, sql: &str) -> Result<bool, DbErr> {
    let row = connection.query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await?;
    row.map_or(Ok(false), |row| row.try_get_by_index(0))
}

/// A lock was not to be had in time, or two waited for each other.
fn is_in_use(error: &DbErr) -> bool {
    let (DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error))) = error else { return false };
    matches!(error.as_database_error().and_then(DatabaseError::code).as_deref(), Some("55P03" | "40P01"))
}
