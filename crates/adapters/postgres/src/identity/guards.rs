//! Counters of failed attempts. Each of the two writing calls is two statements, however many keys: one that holds the
//! counters, those that were not there included, and one that writes them.

use std::collections::{BTreeMap, HashMap};

use async_trait::async_trait;
use coinlink_domain::identity::{Attempts, GuardKey, GuardPolicies};
use coinlink_ports::{identity::SignInGuards, shared::StoreError};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, FromQueryResult, Iterable, QueryFilter, QueryTrait,
    sea_query::{Expr, OnConflict, Query},
};
use time::OffsetDateTime;

use super::{guard_name::name, transaction::SqlTx};
use crate::{
    entities::sign_in_guards::{ActiveModel, Column, Entity, Model},
    errors::corrupt,
    exact::Moment,
};

/// Keys by what they are called: in this order rows are locked, so that two who want the same ones do not deadlock.
type Named<'a> = BTreeMap<String, &'a GuardKey>;

fn named(keys: &[GuardKey]) -> Named<'_> {
    keys.iter().map(|key| (name(key), key)).collect()
}

#[async_trait]
impl SignInGuards for SqlTx {
    async fn reserve(
        &mut self,
        keys: &[GuardKey],
        now: OffsetDateTime,
        policies: &GuardPolicies,
    ) -> Result<Result<(), OffsetDateTime>, StoreError> {
        let keys = named(keys);
        let transaction = self.take()?;
        let mut held = known(&self.call(hold(&transaction, &keys)).await?)?;
        let delay = held.values().filter_map(|attempts| attempts.admit(now).err()).max();
        if let Some(until) = delay {
            if held.values().any(is_blank) {
                self.call(remove_blanks(&transaction, &keys)).await?;
            }
            self.put_back(transaction);
            return Ok(Err(until));
        }
        for (name, key) in &keys {
            held.entry(name.clone()).or_default().reserve(now, policies.of(key));
        }
        self.call(write(&transaction, &held)).await?;
        self.put_back(transaction);
        Ok(Ok(()))
    }

    async fn give_back(
        &mut self,
        keys: &[GuardKey],
        reserved_at: OffsetDateTime,
        policies: &GuardPolicies,
    ) -> Result<(), StoreError> {
        let keys = named(keys);
        let transaction = self.take()?;
        let mut held = known(&self.call(hold(&transaction, &keys)).await?)?;
        // Forgotten since they were reserved.
        if held.values().any(is_blank) {
            self.call(remove_blanks(&transaction, &keys)).await?;
            held.retain(|_, attempts| !is_blank(attempts));
        }
        for (name, attempts) in &mut held {
            if let Some(key) = keys.get(name) {
                attempts.give_back(reserved_at, policies.of(key));
            }
        }
        self.call(write(&transaction, &held)).await?;
        self.put_back(transaction);
        Ok(())
    }

    async fn forget(&mut self, keys: &[GuardKey]) -> Result<(), StoreError> {
        let transaction = self.take()?;
        // One by one in the order in which others hold them: a single statement would lock them in whatever order it finds them.
        for name in named(keys).into_keys() {
            self.call(Entity::delete_by_id(name).exec(&transaction)).await?;
        }
        self.put_back(transaction);
        Ok(())
    }

    async fn attempts(&mut self, key: &GuardKey) -> Result<Attempts, StoreError> {
        let transaction = self.take()?;
        let row = self.call(Entity::find_by_id(name(key)).one(&transaction)).await?;
        self.put_back(transaction);
        row.as_ref().map_or_else(|| Ok(Attempts::default()), attempts)
    }
}

/// A row that was made only to be held.
fn is_blank(attempts: &Attempts) -> bool {
    attempts.last_at.is_none()
}

fn attempts(row: &Model) -> Result<Attempts, StoreError> {
    Ok(Attempts {
        failures: row.failures.try_into().map_err(|e| corrupt("sign_in_guards.failures", e))?,
        last_at: row.last_at.map(|Moment(at)| at),
        delayed_until: row.delayed_until.map(|Moment(until)| until),
    })
}

fn known(rows: &[Model]) -> Result<HashMap<String, Attempts>, StoreError> {
    rows.iter().map(|row| Ok((row.key.clone(), attempts(row)?))).collect()
}

fn row(name: &str, attempts: &Attempts) -> ActiveModel {
    ActiveModel {
        key: Set(name.to_owned()),
        failures: Set(attempts.failures.into()),
        last_at: Set(attempts.last_at.map(Moment)),
        delayed_until: Set(attempts.delayed_until.map(Moment)),
    }
}

/// Holds the rows of `keys` until the transaction ends, and makes those that are not there. An update that changes nothing
/// holds a row that is there, and waits for whoever is about to add it.
async fn hold(connection: &impl ConnectionTrait, keys: &Named<'_>) -> Result<Vec<Model>, DbErr> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let touch = OnConflict::column(Column::Key).value(Column::Failures, Expr::col((Entity, Column::Failures))).to_owned();
    let blanks = keys.keys().map(|name| row(name, &Attempts::default()));
    let mut insert = Entity::insert_many(blanks).on_conflict(touch).into_query();
    insert.returning(Query::returning().columns(Column::iter()));
    Model::find_by_statement(connection.get_database_backend().build(&insert)).all(connection).await
}

/// Writes rows that are held.
async fn write(connection: &impl ConnectionTrait, held: &HashMap<String, Attempts>) -> Result<(), DbErr> {
    if held.is_empty() {
        return Ok(());
    }
    let overwrite =
        OnConflict::column(Column::Key).update_columns([Column::Failures, Column::LastAt, Column::DelayedUntil]).to_owned();
    let rows = held.iter().map(|(name, attempts)| row(name, attempts));
    Entity::insert_many(rows).on_conflict(overwrite).exec_without_returning(connection).await.map(drop)
}

async fn remove_blanks(connection: &impl ConnectionTrait, keys: &Named<'_>) -> Result<(), DbErr> {
    let blanks = Entity::delete_many().filter(Column::Key.is_in(keys.keys())).filter(Column::LastAt.is_null());
    blanks.exec(connection).await.map(drop)
}
