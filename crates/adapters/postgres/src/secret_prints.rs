//! By which secrets the database is written, so that a server that was started with others notices before it writes anything.

use coinlink_domain::shared::audit::AuditEntry;
use coinlink_ports::shared::StoreError;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, DbErr, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect, prelude::Expr,
    sea_query::OnConflict,
};
use time::OffsetDateTime;

use crate::{
    Database,
    entities::{
        mail_links, outbox_mails, second_factors,
        secret_prints::{ActiveModel, Column, Entity},
        users, webhooks,
    },
    exact::Moment,
    shared::audit_log,
    write_transaction,
};

/// A fingerprint of each secret, by the setting's name.
#[derive(Clone)]
pub struct SqlSecretPrints {
    database: Database,
}

/// What is stored encrypted, counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SealedCounts {
    /// Secrets of authenticator apps.
    pub second_factors: u64,
    /// Secrets that webhooks are signed with.
    pub webhooks: u64,
    /// Letters that wait.
    pub letters: u64,
    /// Secrets of links that their sessions may use by the code alone.
    pub links: u64,
}

impl SqlSecretPrints {
    /// In this database.
    #[must_use]
    pub fn new(database: Database) -> Self {
        Self { database }
    }

    /// What is kept of the secret called `name`.
    pub async fn kept(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let found = Entity::find_by_id(name).one(&self.database.connection);
        Ok(self.database.within_deadline(found).await?.map(|row| row.print))
    }

    /// Keeps `print` where nothing is kept yet: of nodes that start at once the first one's.
    pub async fn keep_first(&self, name: &str, print: &[u8]) -> Result<(), StoreError> {
        let first = Entity::insert(row(name, print)).on_conflict(OnConflict::column(Column::Name).do_nothing().to_owned());
        self.database.within_deadline(first.exec_without_returning(&self.database.connection)).await.map(drop)
    }

    /// Keeps `print` in the place of `kept`, unless somebody else was there first.
    pub async fn succeed(&self, name: &str, kept: &[u8], print: &[u8]) -> Result<(), StoreError> {
        let update = Entity::update_many()
            .col_expr(Column::Print, Expr::value(print))
            .filter(Column::Name.eq(name))
            .filter(Column::Print.eq(kept));
        self.database.within_deadline(update.exec(&self.database.connection)).await.map(drop)
    }

    /// Keeps these whatever was kept, and with them the entry of who wanted it so.
    pub async fn accept(&self, prints: &[(&str, [u8; 32])], entry: &AuditEntry) -> Result<(), StoreError> {
        let accepted = async {
            let transaction = write_transaction::begin_with_row_locks(&self.database.connection).await?;
            let replace = OnConflict::column(Column::Name).update_column(Column::Print).to_owned();
            for (name, print) in prints {
                let insert = Entity::insert(row(name, print)).on_conflict(replace.clone());
                insert.exec_without_returning(&transaction).await?;
            }
            audit_log::insert(&transaction, entry).await?;
            transaction.commit().await
        };
        self.database.within_deadline(accepted).await
    }

    /// Whether any password was keyed with the pepper of this id; `None` where nobody has one.
    pub async fn is_keyed_with(&self, pepper_id: &str) -> Result<Option<bool>, StoreError> {
        let connection = &self.database.connection;
        let peppers = || users::Entity::find().select_only().column(users::Column::PepperId);
        let looked = async {
            let ours = peppers().filter(users::Column::PepperId.eq(pepper_id)).into_tuple::<String>();
            if ours.one(connection).await?.is_some() {
                return Ok(Some(true));
            }
            Ok::<_, DbErr>(peppers().into_tuple::<String>().one(connection).await?.map(|_| false))
        };
        self.database.within_deadline(looked).await
    }

    /// Whether any of what is kept encrypted for good was encrypted with one of these keys; `None` where nothing is kept.
    pub async fn is_sealed_with(&self, keys: &[&str]) -> Result<Option<bool>, StoreError> {
        let connection = &self.database.connection;
        let factors = || second_factors::Entity::find().select_only().column(second_factors::Column::KeyId);
        let webhooks = || webhooks::Entity::find().select_only().column(webhooks::Column::KeyId);
        let looked = async {
            let keys = || keys.iter().copied();
            let ours = factors().filter(second_factors::Column::KeyId.is_in(keys())).into_tuple::<String>();
            if ours.one(connection).await?.is_some() {
                return Ok(Some(true));
            }
            let ours = webhooks().filter(webhooks::Column::KeyId.is_in(keys())).into_tuple::<String>();
            if ours.one(connection).await?.is_some() {
                return Ok(Some(true));
            }
            let any = factors().into_tuple::<String>().one(connection).await?;
            let any = if any.is_some() { any } else { webhooks().into_tuple::<String>().one(connection).await? };
            Ok::<_, DbErr>(any.map(|_| false))
        };
        self.database.within_deadline(looked).await
    }

    /// What cannot be read by any of these keys, as it is at `now`.
    pub async fn sealed_otherwise(&self, keys: &[&str], now: OffsetDateTime) -> Result<SealedCounts, StoreError> {
        self.counted(false, keys, now).await
    }

    /// What was encrypted with one of these keys and is still needed at `now`.
    pub async fn sealed_with(&self, keys: &[&str], now: OffsetDateTime) -> Result<SealedCounts, StoreError> {
        self.counted(true, keys, now).await
    }

    async fn counted(&self, is_with: bool, keys: &[&str], now: OffsetDateTime) -> Result<SealedCounts, StoreError> {
        let connection = &self.database.connection;
        let factors = second_factors::Entity::find().filter(sealed(second_factors::Column::KeyId, is_with, keys));
        let webhooks = webhooks::Entity::find().filter(sealed(webhooks::Column::KeyId, is_with, keys));
        // What a letter says is erased once it was sent or given up; a link is kept for a while after it ended.
        let letters = outbox_mails::Entity::find().filter(sealed(outbox_mails::Column::KeyId, is_with, keys));
        let links = mail_links::Entity::find().filter(sealed(mail_links::Column::KeyId, is_with, keys));
        let links = links.filter(mail_links::Column::EndedAt.is_null()).filter(mail_links::Column::ExpiresAt.gt(Moment(now)));
        Ok(SealedCounts {
            second_factors: self.database.within_deadline(factors.count(connection)).await?,
            webhooks: self.database.within_deadline(webhooks.count(connection)).await?,
            letters: self.database.within_deadline(letters.count(connection)).await?,
            links: self.database.within_deadline(links.count(connection)).await?,
        })
    }
}

/// Of the rows with a key, those whose key is one of these, or is none of them.
fn sealed(column: impl ColumnTrait, is_with: bool, keys: &[&str]) -> Condition {
    let keys = keys.iter().copied();
    Condition::all().add(if is_with { column.is_in(keys) } else { column.is_not_in(keys) })
}

fn row(name: &str, print: &[u8]) -> ActiveModel {
    ActiveModel { name: Set(name.to_owned()), print: Set(print.to_vec()) }
}
