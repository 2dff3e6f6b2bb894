use std::{collections::BTreeMap, num::NonZeroU32};

use async_trait::async_trait;
use coinlink_domain::market::Quote;
use coinlink_ports::{market::LastKnownPrices, shared::StoreError};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, Iterable, QueryFilter, QuerySelect,
    sea_query::{Alias, Expr, ExprTrait, OnConflict},
};

use super::quote_row::{quote, row};
use crate::{
    Database,
    entities::last_known_prices::{Column, Entity},
    write_transaction,
};

/// Rows in one statement: eleven values each, where SQLite takes 32,766 and PostgreSQL 65,535.
const ROWS: usize = 500;

/// The last known prices in a table.
#[derive(Clone)]
pub struct SqlLastKnownPrices {
    database: Database,
}

impl SqlLastKnownPrices {
    /// In this database.
    #[must_use]
    pub fn new(database: Database) -> Self {
        Self { database }
    }
}

#[async_trait]
impl LastKnownPrices for SqlLastKnownPrices {
    async fn remember(&self, quotes: &[Quote]) -> Result<(), StoreError> {
        let quotes = newest_of_each(quotes);
        let written = async {
            let transaction = write_transaction::begin(&self.database.connection, "last_known_prices").await?;
            clear_ranks_of_others(&transaction, &quotes).await?;
            for chunk in quotes.values().copied().collect::<Vec<_>>().chunks(ROWS) {
                upsert(&transaction, chunk).await?;
            }
            transaction.commit().await
        };
        self.database.within_deadline(written).await
    }

    async fn recall(&self) -> Result<Vec<Quote>, StoreError> {
        let rows = self.database.within_deadline(Entity::find().all(&self.database.connection)).await?;
        let mut quotes = rows.into_iter().map(quote).collect::<Result<Vec<_>, _>>()?;
        // Sorted here: how a database sorts text is a matter of its locale.
        quotes.sort_by(|a, b| {
            let key = |quote: &Quote| quote.rank.map_or(u32::MAX, NonZeroU32::get);
            key(a).cmp(&key(b)).then_with(|| a.symbol.cmp(&b.symbol))
        });
        Ok(quotes)
    }
}

/// One statement cannot write a row twice.
fn newest_of_each(quotes: &[Quote]) -> BTreeMap<&str, &Quote> {
    let mut newest: BTreeMap<&str, &Quote> = BTreeMap::new();
    for quote in quotes {
        let kept = newest.entry(quote.symbol.as_str()).or_insert(quote);
        if kept.as_of <= quote.as_of {
            *kept = quote;
        }
    }
    newest
}

async fn clear_ranks_of_others(transaction: &impl ConnectionTrait, quotes: &BTreeMap<&str, &Quote>) -> Result<(), DbErr> {
    let ranked = Entity::find().select_only().column(Column::Symbol).filter(Column::Rank.is_not_null());
    let ranked: Vec<String> = ranked.into_tuple().all(transaction).await?;
    let others: Vec<String> = ranked.into_iter().filter(|symbol| !quotes.contains_key(symbol.as_str())).collect();
    for chunk in others.chunks(ROWS) {
        Entity::update_many()
            .col_expr(Column::Rank, Expr::value(None::<i32>))
            .filter(Column::Symbol.is_in(chunk))
            .exec(transaction)
            .await?;
    }
    Ok(())
}

async fn upsert(transaction: &impl ConnectionTrait, quotes: &[&Quote]) -> Result<(), DbErr> {
    let kept = Expr::col((Entity, Column::AsOf));
    let offered = Expr::col((Alias::new("excluded"), Column::AsOf));
    let overwrite = OnConflict::column(Column::Symbol)
        .update_columns(Column::iter().filter(|column| !matches!(column, Column::Symbol)))
        .action_and_where(kept.lte(offered))
        .to_owned();
    let rows = quotes.iter().copied().map(row);
    Entity::insert_many(rows).on_conflict(overwrite).exec_without_returning(transaction).await.map(drop)
}
