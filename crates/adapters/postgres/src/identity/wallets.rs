use async_trait::async_trait;
use coinlink_domain::identity::{SecretDigest, UserId, Wallet, WalletAddress, WalletChallenge, WalletId};
use coinlink_ports::{
    identity::{WalletList, Wallets},
    shared::StoreError,
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, FromQueryResult, Iterable, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect,
    sea_query::{LockBehavior, LockType, Query},
};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    store::SqlIdentityStore,
    transaction::SqlTx,
    wallet_rows::{challenge, challenge_row, wallet, wallet_row},
};
use crate::{
    entities::{wallet_challenges, wallets},
    exact::Moment,
    write_transaction,
};

/// Rows in one statement.
const ROWS: usize = 500;
/// The most rows that go at once: more would take longer than a call may.
const PRUNED_AT_ONCE: u64 = 5_000;

/// Removes the row that fits and answers it: of many who do at once, one gets it.
async fn take<E: EntityTrait>(connection: &impl ConnectionTrait, fits: Condition) -> Result<Option<E::Model>, DbErr> {
    let mut delete = Query::delete();
    delete.from_table(E::default().table_ref()).cond_where(fits).returning(Query::returning().columns(E::Column::iter()));
    E::Model::find_by_statement(connection.get_database_backend().build(&delete)).one(connection).await
}

#[async_trait]
impl Wallets for SqlTx {
    async fn add_challenge(&mut self, challenge: &WalletChallenge) -> Result<(), StoreError> {
        let transaction = self.take()?;
        let insert = wallet_challenges::Entity::insert(challenge_row(challenge));
        self.call(insert.exec_without_returning(&transaction)).await?;
        self.put_back(transaction);
        Ok(())
    }

    async fn take_challenge(&mut self, id: Uuid, digest: SecretDigest) -> Result<Option<WalletChallenge>, StoreError> {
        use wallet_challenges::{Column, Entity};

        let transaction = self.take()?;
        let this = Condition::all().add(Column::Id.eq(id)).add(Column::Digest.eq(digest.0.to_vec()));
        let row = self.call(take::<Entity>(&transaction, this)).await?;
        self.put_back(transaction);
        row.map(challenge).transpose()
    }

    async fn add(&mut self, wallet: &Wallet) -> Result<(), StoreError> {
        let transaction = self.take()?;
        self.call(wallets::Entity::insert(wallet_row(wallet)).exec_without_returning(&transaction)).await?;
        self.put_back(transaction);
        Ok(())
    }

    async fn count(&mut self, user: UserId) -> Result<u64, StoreError> {
        use wallets::{Column, Entity};

        let transaction = self.take()?;
        let count = self.call(Entity::find().filter(Column::UserId.eq(user.0)).count(&transaction)).await?;
        self.put_back(transaction);
        Ok(count)
    }

    async fn by_address(&mut self, address: &WalletAddress) -> Result<Option<Wallet>, StoreError> {
        use wallets::{Column, Entity};

        let transaction = self.take()?;
        let find = Entity::find().filter(Column::Network.eq(address.network().name()));
        let row = self.call(find.filter(Column::Address.eq(address.as_str())).one(&transaction)).await?;
        self.put_back(transaction);
        row.map(wallet).transpose()
    }

    async fn touch(&mut self, id: WalletId, now: OffsetDateTime) -> Result<bool, StoreError> {
        use wallets::{ActiveModel, Column, Entity};

        let transaction = self.take()?;
        let used = ActiveModel { last_used_at: Set(Some(Moment(now))), ..Default::default() };
        let touch = Entity::update_many().set(used).filter(Column::Id.eq(id.0));
        let touched = self.call(touch.exec(&transaction)).await?.rows_affected;
        self.put_back(transaction);
        Ok(touched == 1)
    }

    async fn remove(&mut self, user: UserId, id: WalletId) -> Result<Option<Wallet>, StoreError> {
        use wallets::{Column, Entity};

        let transaction = self.take()?;
        let this = Condition::all().add(Column::Id.eq(id.0)).add(Column::UserId.eq(user.0));
        let row = self.call(take::<Entity>(&transaction, this)).await?;
        self.put_back(transaction);
        row.map(wallet).transpose()
    }

    async fn purge(&mut self, user: UserId) -> Result<u64, StoreError> {
        let transaction = self.take()?;
        let challenges = wallet_challenges::Entity::delete_many().filter(wallet_challenges::Column::UserId.eq(user.0));
        self.call(challenges.exec(&transaction)).await?;
        let wallets = wallets::Entity::delete_many().filter(wallets::Column::UserId.eq(user.0));
        let removed = self.call(wallets.exec(&transaction)).await?.rows_affected;
        self.put_back(transaction);
        Ok(removed)
    }
}

#[async_trait]
impl WalletList for SqlIdentityStore {
    async fn wallets(&self, user: UserId) -> Result<Vec<Wallet>, StoreError> {
        use wallets::{Column, Entity};

        let oldest_first =
            Entity::find().filter(Column::UserId.eq(user.0)).order_by_asc(Column::CreatedAt).order_by_asc(Column::Id);
        let rows = self.database.within_deadline(oldest_first.all(&self.database.connection)).await?;
        rows.into_iter().map(wallet).collect()
    }

    async fn prune_challenges(&self, before: OffsetDateTime, limit: u64) -> Result<u64, StoreError> {
        use wallet_challenges::{Column, Entity};

        let limit = limit.min(PRUNED_AT_ONCE);
        let pruned = async {
            let transaction = write_transaction::begin_with_row_locks(&self.database.connection).await?;
            let old = Entity::find().select_only().column(Column::Id).filter(Column::ExpiresAt.lt(Moment(before)));
            let old = old.order_by_asc(Column::ExpiresAt).limit(limit);
            let old = old.lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
            let ids: Vec<Uuid> = old.into_tuple().all(&transaction).await?;
            for chunk in ids.chunks(ROWS) {
                Entity::delete_many().filter(Column::Id.is_in(chunk.iter().copied())).exec(&transaction).await?;
            }
            transaction.commit().await?;
            Ok(ids.len() as u64)
        };
        self.database.within_deadline(pruned).await
    }
}
