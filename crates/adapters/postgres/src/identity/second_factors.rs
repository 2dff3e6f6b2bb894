//! Second factors and recovery codes. What many may ask for at once is claimed by one guarded statement.

use async_trait::async_trait;
use coinlink_domain::{
    identity::{SecondFactor, SecretDigest, UserId},
    shared::sealed::Sealed,
};
use coinlink_ports::{
    identity::{SecondFactorStore, SecondFactors},
    shared::StoreError,
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait,
    sea_query::{Expr, OnConflict},
};
use time::OffsetDateTime;

use super::{SqlIdentityStore, sign_in_tickets, transaction::SqlTx};
use crate::{
    entities::{
        recovery_codes,
        second_factors::{ActiveModel, Column, Entity, Model},
    },
    errors::{corrupt, of_no_account},
    exact::Moment,
};

fn factor(row: Model) -> Result<SecondFactor, StoreError> {
    Ok(SecondFactor {
        user: UserId(row.user_id),
        secret: Sealed { key_id: row.key_id, bytes: row.secret },
        set_up_at: row.set_up_at.0,
        confirmed_at: row.confirmed_at.map(|Moment(at)| at),
        last_step: row.last_step.map(|step| step.try_into().map_err(|e| corrupt("second_factors.last_step", e))).transpose()?,
    })
}

fn row(factor: &SecondFactor) -> ActiveModel {
    ActiveModel {
        user_id: Set(factor.user.0),
        key_id: Set(factor.secret.key_id.clone()),
        secret: Set(factor.secret.bytes.clone()),
        set_up_at: Set(Moment(factor.set_up_at)),
        confirmed_at: Set(None),
        last_step: Set(None),
    }
}

/// Steps are counted from 1970, thirty seconds each.
fn stored(step: u64) -> i64 {
    i64::try_from(step).unwrap_or(i64::MAX)
}

/// Whether a statement changed the row it was for.
async fn changed(connection: &impl ConnectionTrait, update: sea_orm::UpdateMany<Entity>) -> Result<bool, DbErr> {
    Ok(update.exec(connection).await?.rows_affected == 1)
}

impl SqlTx {
    async fn change(&mut self, update: sea_orm::UpdateMany<Entity>) -> Result<bool, StoreError> {
        let transaction = self.take()?;
        let done = self.call(changed(&transaction, update)).await?;
        self.put_back(transaction);
        Ok(done)
    }
}

#[async_trait]
impl SecondFactors for SqlTx {
    async fn lock(&mut self, user: UserId) -> Result<Option<SecondFactor>, StoreError> {
        let transaction = self.take()?;
        let row = self.call(Entity::find_by_id(user.0).lock_exclusive().one(&transaction)).await?;
        self.put_back(transaction);
        row.map(factor).transpose()
    }

    async fn set_up(&mut self, factor: &SecondFactor) -> Result<bool, StoreError> {
        let transaction = self.take()?;
        let replace = OnConflict::column(Column::UserId)
            .update_columns([Column::KeyId, Column::Secret, Column::SetUpAt, Column::LastStep])
            .action_and_where(Column::ConfirmedAt.is_null())
            .to_owned();
        let insert = Entity::insert(row(factor)).on_conflict(replace).into_query();
        let statement = transaction.get_database_backend().build(&insert);
        let kept = self.call(transaction.execute_raw(statement)).await?.rows_affected();
        self.put_back(transaction);
        Ok(kept == 1)
    }

    async fn confirm(&mut self, user: UserId, step: u64, now: OffsetDateTime) -> Result<bool, StoreError> {
        let confirmed =
            ActiveModel { confirmed_at: Set(Some(Moment(now))), last_step: Set(Some(stored(step))), ..Default::default() };
        let mine = Condition::all().add(Column::UserId.eq(user.0)).add(Column::ConfirmedAt.is_null());
        self.change(Entity::update_many().set(confirmed).filter(mine)).await
    }

    async fn claim_step(&mut self, user: UserId, step: u64) -> Result<bool, StoreError> {
        let newer = Condition::any().add(Column::LastStep.is_null()).add(Column::LastStep.lt(stored(step)));
        let claim = Entity::update_many()
            .col_expr(Column::LastStep, Expr::value(stored(step)))
            .filter(Column::UserId.eq(user.0))
            .filter(newer);
        self.change(claim).await
    }

    async fn remove(&mut self, user: UserId) -> Result<bool, StoreError> {
        let transaction = self.take()?;
        let gone = self.call(Entity::delete_by_id(user.0).exec(&transaction)).await?.rows_affected;
        self.put_back(transaction);
        Ok(gone == 1)
    }

    async fn replace_codes(&mut self, user: UserId, codes: &[SecretDigest]) -> Result<(), StoreError> {
        use recovery_codes::{ActiveModel, Column, Entity};

        let transaction = self.take()?;
        self.call(Entity::delete_many().filter(Column::UserId.eq(user.0)).exec(&transaction)).await?;
        if !codes.is_empty() {
            let rows = codes.iter().map(|code| ActiveModel { user_id: Set(user.0), digest: Set(code.0.to_vec()) });
            self.call(Entity::insert_many(rows).exec_without_returning(&transaction)).await.map_err(of_no_account)?;
        }
        self.put_back(transaction);
        Ok(())
    }

    async fn spend_code(&mut self, user: UserId, code: &SecretDigest) -> Result<bool, StoreError> {
        use recovery_codes::{Column, Entity};

        let transaction = self.take()?;
        let spend = Entity::delete_many().filter(Column::UserId.eq(user.0)).filter(Column::Digest.eq(code.0.to_vec()));
        let gone = self.call(spend.exec(&transaction)).await?.rows_affected;
        self.put_back(transaction);
        Ok(gone == 1)
    }

    async fn codes_left(&mut self, user: UserId) -> Result<u64, StoreError> {
        use recovery_codes::{Column, Entity};

        let transaction = self.take()?;
        let left = self.call(Entity::find().filter(Column::UserId.eq(user.0)).count(&transaction)).await?;
        self.put_back(transaction);
        Ok(left)
    }

    async fn reseal(&mut self, user: UserId, from: &Sealed, to: &Sealed) -> Result<bool, StoreError> {
        let anew = ActiveModel { key_id: Set(to.key_id.clone()), secret: Set(to.bytes.clone()), ..Default::default() };
        let unchanged = Condition::all()
            .add(Column::UserId.eq(user.0))
            .add(Column::KeyId.eq(&from.key_id))
            .add(Column::Secret.eq(from.bytes.clone()));
        self.change(Entity::update_many().set(anew).filter(unchanged)).await
    }
}

#[async_trait]
impl SecondFactorStore for SqlIdentityStore {
    async fn second_factor(&self, user: UserId) -> Result<Option<SecondFactor>, StoreError> {
        let database = &self.database;
        let row = database.within_deadline(Entity::find_by_id(user.0).one(&database.connection)).await?;
        row.map(factor).transpose()
    }

    async fn recovery_codes_left(&self, user: UserId) -> Result<u64, StoreError> {
        use recovery_codes::{Column, Entity};

        let database = &self.database;
        database.within_deadline(Entity::find().filter(Column::UserId.eq(user.0)).count(&database.connection)).await
    }

    async fn sealed_before(&self, newest: &str, after: Option<UserId>, limit: u64) -> Result<Vec<(UserId, Sealed)>, StoreError> {
        let database = &self.database;
        let old = Entity::find()
            .filter(Column::KeyId.ne(newest))
            .apply_if(after, |old, UserId(after)| old.filter(Column::UserId.gt(after)));
        let old = old.order_by_asc(Column::UserId).limit(limit);
        let rows = database.within_deadline(old.all(&database.connection)).await?;
        Ok(rows.into_iter().map(|row| (UserId(row.user_id), Sealed { key_id: row.key_id, bytes: row.secret })).collect())
    }

    async fn prune_tickets(&self, before: OffsetDateTime, limit: u64) -> Result<u64, StoreError> {
        sign_in_tickets::prune(&self.database, before, limit).await
    }
}
