//! By which secrets the database is written, so that a server that was started with others notices before anybody uses it.

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

/// What tells a secret from others, and gives none of it away.
#[derive(Debug, Clone)]
pub struct SecretPrint<'a> {
    /// The setting.
    pub name: &'a str,
    /// Its fingerprint.
    pub print: [u8; 32],
    /// Those of its predecessors, in whose place it may stand.
    pub earlier: Vec<[u8; 32]>,
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

    /// Keeps the fingerprints of a start, all of them or none: where nothing is kept yet, and in the place of an earlier one. Where
    /// another one is kept (of nodes that start at once another one was first) nothing is changed, and their names are told.
    pub async fn keep(&self, secrets: &[SecretPrint<'_>]) -> Result<Vec<String>, StoreError> {
        let kept = async {
            let transaction = write_transaction::begin_with_row_locks(&self.database.connection).await?;
            let mut others = Vec::new();
            for secret in secrets {
                let first = OnConflict::column(Column::Name).do_nothing().to_owned();
                Entity::insert(row(secret.name, &secret.print)).on_conflict(first).exec_without_returning(&transaction).await?;
                let succeed = Entity::update_many()
                    .col_expr(Column::Print, Expr::value(secret.print.as_slice()))
                    .filter(Column::Name.eq(secret.name))
                    .filter(Column::Print.is_in(secret.earlier.iter().map(<[u8; 32]>::as_slice)));
                succeed.exec(&transaction).await?;
                let kept = Entity::find_by_id(secret.name).one(&transaction).await?;
                if kept.is_none_or(|kept| kept.print != secret.print) {
                    others.push(secret.name.to_owned());
                }
            }
            if others.is_empty() {
                transaction.commit().await?;
            } else {
                transaction.rollback().await?;
            }
            Ok(others)
        };
        self.database.within_deadline(kept).await
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
