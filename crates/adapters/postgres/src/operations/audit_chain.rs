use std::collections::{HashMap, HashSet};

use async_trait::async_trait;
use coinlink_domain::operations::{Checkpoint, Head, Kept, Retirement, Seal};
use coinlink_ports::{
    operations::{Appended, AuditChain, ChainEnd, LogPlace, UnsealedPage},
    shared::StoreError,
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    prelude::{Expr, Uuid},
    sea_query::ExprTrait,
};
use time::OffsetDateTime;

use super::{
    chain_rows::{checkpoint, checkpoint_row, retirement, seal, seal_row},
    unsealed,
};
use crate::{
    Database,
    entities::{audit_checkpoints, audit_log, audit_retirements, audit_seals},
    exact::Moment,
    shared::audit_log::entry,
    write_transaction,
};

/// Months of the log that are made in advance.
const AHEAD: u32 = 3;
/// Rows in one statement: six values each, where SQLite takes 32,766 and PostgreSQL 65,535.
const ROWS: usize = 1_000;
/// Seals that are looked through for the newest entry.
const NEWEST: u64 = 1_000;

/// The chain of seals over the audit log, in tables.
#[derive(Clone)]
pub struct SqlAuditChain {
    database: Database,
}

impl SqlAuditChain {
    /// In this database.
    #[must_use]
    pub fn new(database: Database) -> Self {
        Self { database }
    }

    async fn one_call<T>(&self, call: impl Future<Output = Result<T, DbErr>>) -> Result<T, StoreError> {
        self.database.within_deadline(call).await
    }
}

#[async_trait]
impl AuditChain for SqlAuditChain {
    async fn prepare(&self) -> Result<(), StoreError> {
        let connection = &self.database.connection;
        if connection.get_database_backend() == DbBackend::Postgres {
            let make = format!("SELECT audit_log_ensure_partitions({AHEAD})");
            self.one_call(connection.execute_unprepared(&make)).await?;
        }
        Ok(())
    }

    async fn end(&self) -> Result<ChainEnd, StoreError> {
        self.one_call(end(&self.database.connection)).await
    }

    async fn unsealed(&self, after: Option<LogPlace>, limit: u32) -> Result<UnsealedPage, StoreError> {
        let connection = &self.database.connection;
        let places = self.one_call(unsealed::places(connection, after, limit)).await?;
        let ids: Vec<Uuid> = places.iter().map(|place| place.id).collect();
        let sealed = self.one_call(unsealed::sealed(connection, ids)).await?;
        let next = places.last().filter(|_| places.len() == limit as usize).copied();
        let mut page = UnsealedPage { next, ..UnsealedPage::default() };
        let wanted: Vec<LogPlace> = places.into_iter().filter(|place| sealed.get(&place.id) != Some(place)).collect();
        let rows = self.one_call(rows_of(connection, &wanted)).await?;
        let mut taken: HashSet<Uuid> = sealed.into_keys().collect();
        for place in wanted {
            match rows.get(&place) {
                // A partitioned table has no index that keeps an id from being there twice.
                Some(Kept::Entry(entry)) if taken.insert(place.id) => page.entries.push(entry.clone()),
                Some(Kept::Entry(_) | Kept::Unreadable) => page.foreign.push(place.id),
                // Taken away since: nobody can, but for an operator at work.
                Some(Kept::Missing) | None => {}
            }
        }
        Ok(page)
    }

    async fn append(&self, head: Head, seals: &[Seal], checkpoint: Option<&Checkpoint>) -> Result<Appended, StoreError> {
        let appended = async {
            let transaction = write_transaction::begin(&self.database.connection, "audit_seals").await?;
            let newest = audit_seals::Entity::find().order_by_desc(audit_seals::Column::Seq).one(&transaction).await?;
            if newest.as_ref().map_or(Head::EMPTY, |row| seal(row).head()) != head {
                transaction.rollback().await?;
                return Ok(Appended::Overtaken);
            }
            for chunk in seals.chunks(ROWS) {
                let rows = chunk.iter().map(seal_row);
                audit_seals::Entity::insert_many(rows).exec_without_returning(&transaction).await?;
            }
            if let Some(checkpoint) = checkpoint {
                sign(&transaction, checkpoint).await?;
            }
            transaction.commit().await?;
            Ok(Appended::Done)
        };
        self.one_call(appended).await
    }

    async fn seals(&self, after: Option<i64>, limit: u32) -> Result<Vec<(Seal, Kept)>, StoreError> {
        use audit_seals::{Column, Entity};
        let connection = &self.database.connection;
        let mut page = Entity::find().order_by_asc(Column::Seq).limit(u64::from(limit));
        if let Some(after) = after {
            page = page.filter(Column::Seq.gt(after));
        }
        let seals: Vec<Seal> = self.one_call(page.all(connection)).await?.iter().map(seal).collect();
        let places: Vec<LogPlace> = seals.iter().map(|seal| LogPlace { at: seal.entry_at, id: seal.audit_id }).collect();
        let rows = self.one_call(rows_of(connection, &places)).await?;
        let strays: Vec<Uuid> = places.iter().filter(|place| !rows.contains_key(place)).map(|place| place.id).collect();
        // A row whose time was changed is not where its seal says, but it is not gone.
        let strays = self.one_call(rows_anywhere(connection, strays)).await?;
        let strays: HashMap<Uuid, Kept> = strays.into_iter().map(|(place, kept)| (place.id, kept)).collect();
        let kept = |place| rows.get(&place).or_else(|| strays.get(&place.id)).cloned().unwrap_or(Kept::Missing);
        Ok(seals.into_iter().zip(places).map(|(seal, place)| (seal, kept(place))).collect())
    }

    async fn checkpoints(&self, after: Option<i64>, to: i64) -> Result<Vec<Checkpoint>, StoreError> {
        use audit_checkpoints::{Column, Entity};
        let mut range = Entity::find().filter(Column::Seq.lte(to));
        if let Some(after) = after {
            range = range.filter(Column::Seq.gt(after));
        }
        let range = range.order_by_asc(Column::Seq).order_by_asc(Column::At);
        Ok(self.one_call(range.all(&self.database.connection)).await?.iter().map(checkpoint).collect())
    }

    async fn retirements(&self) -> Result<Vec<Retirement>, StoreError> {
        let all = audit_retirements::Entity::find().order_by_asc(audit_retirements::Column::FirstSeal);
        Ok(self.one_call(all.all(&self.database.connection)).await?.iter().map(retirement).collect())
    }
}

/// Two nodes that sign the same end at the same moment sign the same.
async fn sign(connection: &impl ConnectionTrait, checkpoint: &Checkpoint) -> Result<(), DbErr> {
    let known = audit_checkpoints::Entity::find_by_id((checkpoint.seq, checkpoint.mac.to_vec())).one(connection).await?;
    if known.is_none() {
        audit_checkpoints::Entity::insert(checkpoint_row(checkpoint)).exec_without_returning(connection).await?;
    }
    Ok(())
}

async fn end(connection: &impl ConnectionTrait) -> Result<ChainEnd, DbErr> {
    // Signatures first: what is appended between these statements makes the chain longer than what was signed, and never shorter.
    let signed = audit_checkpoints::Entity::find().order_by_desc(audit_checkpoints::Column::Seq);
    let signed = signed.order_by_desc(audit_checkpoints::Column::At).one(connection).await?;
    let newest = audit_seals::Entity::find().order_by_desc(audit_seals::Column::Seq).one(connection).await?;
    let times = audit_seals::Entity::find().select_only().column(audit_seals::Column::EntryAt);
    let times = times.order_by_desc(audit_seals::Column::Seq).limit(NEWEST);
    let times: Vec<Moment> = times.into_tuple().all(connection).await?;
    Ok(ChainEnd {
        seal: newest.as_ref().map(seal),
        checkpoint: signed.as_ref().map(checkpoint),
        newest_entry: times.into_iter().map(|Moment(at)| at).max(),
    })
}

/// The rows at these places. That they are looked for between the first and the last of the times keeps PostgreSQL from
/// looking into every month.
async fn rows_of(connection: &impl ConnectionTrait, places: &[LogPlace]) -> Result<HashMap<LogPlace, Kept>, DbErr> {
    use audit_log::{Column, Entity};
    let times = || places.iter().map(|place| place.at);
    let (Some(first), Some(last)) = (times().min(), times().max()) else { return Ok(HashMap::new()) };
    let bound = |at: OffsetDateTime| Expr::value(Moment(at)).cast_as("timestamptz_text");
    let rows = Entity::find()
        .filter(Column::Id.is_in(places.iter().map(|place| place.id)))
        .filter(Expr::col(Column::Timestamp).gte(bound(first)))
        .filter(Expr::col(Column::Timestamp).lte(bound(last)));
    Ok(by_place(rows.all(connection).await?, connection.get_database_backend()))
}

async fn rows_anywhere(connection: &impl ConnectionTrait, ids: Vec<Uuid>) -> Result<HashMap<LogPlace, Kept>, DbErr> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = audit_log::Entity::find().filter(audit_log::Column::Id.is_in(ids));
    Ok(by_place(rows.all(connection).await?, connection.get_database_backend()))
}

pub(super) fn by_place(rows: Vec<audit_log::Model>, backend: DbBackend) -> HashMap<LogPlace, Kept> {
    let kept = |row: audit_log::Model| {
        let place = LogPlace { at: row.timestamp.0, id: row.id };
        (place, entry(row, backend).map_or(Kept::Unreadable, Kept::Entry))
    };
    rows.into_iter().map(kept).collect()
}
