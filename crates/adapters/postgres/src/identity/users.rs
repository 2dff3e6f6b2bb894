use async_trait::async_trait;
use coinlink_domain::identity::{Email, Preferences, Role, UserId};
use coinlink_ports::{
    identity::{Account, Users},
    shared::StoreError,
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, Iterable, QueryFilter, QueryOrder, QuerySelect, Select,
    sea_query::OnConflict,
};
use uuid::Uuid;

use super::{preferences_row, transaction::SqlTx, user_row};
use crate::entities::{
    user_preferences,
    users::{Column, Entity},
};

pub(super) fn by_email(email: &Email) -> Select<Entity> {
    Entity::find().filter(Column::Email.eq(email.as_str()))
}

impl SqlTx {
    async fn lock_account(&mut self, account: Select<Entity>) -> Result<Option<Account>, StoreError> {
        let transaction = self.take()?;
        let row = self.call(account.lock_exclusive().one(&transaction)).await?;
        self.put_back(transaction);
        row.map(user_row::account).transpose()
    }
}

#[async_trait]
impl Users for SqlTx {
    async fn add(&mut self, account: &Account) -> Result<(), StoreError> {
        let transaction = self.take()?;
        self.call(Entity::insert(user_row::row(account)).exec_without_returning(&transaction)).await?;
        self.put_back(transaction);
        Ok(())
    }

    async fn lock(&mut self, id: UserId) -> Result<Option<Account>, StoreError> {
        self.lock_account(Entity::find_by_id(id.0)).await
    }

    async fn lock_by_email(&mut self, email: &Email) -> Result<Option<Account>, StoreError> {
        self.lock_account(by_email(email)).await
    }

    async fn lock_claimants(&mut self, email: &Email, limit: u64) -> Result<Vec<Account>, StoreError> {
        let transaction = self.take()?;
        let claimants = Entity::find()
            .filter(Column::ClaimedEmail.eq(email.as_str()))
            .filter(Column::IsActive.eq(true))
            .order_by_asc(Column::Id)
            .limit(limit)
            .lock_exclusive();
        let rows = self.call(claimants.all(&transaction)).await?;
        self.put_back(transaction);
        rows.into_iter().map(user_row::account).collect()
    }

    async fn save(&mut self, account: &Account) -> Result<(), StoreError> {
        let transaction = self.take()?;
        self.call(update(&transaction, account)).await?;
        self.put_back(transaction);
        Ok(())
    }

    async fn save_preferences(&mut self, user: UserId, preferences: &Preferences) -> Result<(), StoreError> {
        use user_preferences::{Column, Entity};

        let transaction = self.take()?;
        let overwrite = OnConflict::column(Column::UserId)
            .update_columns(Column::iter().filter(|column| !matches!(column, Column::UserId)))
            .to_owned();
        let insert = Entity::insert(preferences_row::row(user, preferences)).on_conflict(overwrite);
        self.call(insert.exec_without_returning(&transaction)).await?;
        self.put_back(transaction);
        Ok(())
    }

    async fn lock_active_admins(&mut self) -> Result<Vec<UserId>, StoreError> {
        let transaction = self.take()?;
        let admins = Entity::find()
            .select_only()
            .column(Column::Id)
            .filter(Column::Role.eq(Role::Admin.name()))
            .filter(Column::IsActive.eq(true))
            .order_by_asc(Column::Id)
            .lock_exclusive();
        let ids: Vec<Uuid> = self.call(admins.into_tuple().all(&transaction)).await?;
        self.put_back(transaction);
        Ok(ids.into_iter().map(UserId).collect())
    }
}

async fn update(connection: &impl ConnectionTrait, account: &Account) -> Result<(), DbErr> {
    let change = Entity::update_many().set(user_row::changes(account)).filter(Column::Id.eq(account.user.id.0));
    let updated = change.exec(connection).await?.rows_affected;
    if updated == 1 { Ok(()) } else { Err(DbErr::RecordNotUpdated) }
}
