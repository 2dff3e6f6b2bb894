use std::sync::Arc;

use async_trait::async_trait;
use coinlink_domain::identity::{Email, Preferences, Session, SessionId, SessionPolicy, User, UserId};
use coinlink_ports::{
    identity::{Account, IdentityStore, IdentityTx, SessionCounts},
    shared::{SecretBox, StoreError},
};
use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, Func},
};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::{mail_links, preferences_row, prune, session_row, sessions::is_live, transaction::SqlTx, user_row, users::by_email};
use crate::{
    Database,
    entities::{sessions, user_preferences, users},
    errors::corrupt,
    exact::by_its_clock,
    write_transaction,
};

/// The most rows of a table that go at once: more would take longer than a call may.
const PRUNED_AT_ONCE: u64 = 5_000;

/// Accounts and sessions in tables.
#[derive(Clone)]
pub struct SqlIdentityStore {
    pub(super) database: Database,
    secrets: Arc<dyn SecretBox>,
}

impl SqlIdentityStore {
    /// In this database; what letters say is encrypted with `secrets`.
    #[must_use]
    pub fn new(database: Database, secrets: Arc<dyn SecretBox>) -> Self {
        Self { database, secrets }
    }
}

#[async_trait]
impl IdentityStore for SqlIdentityStore {
    async fn begin(&self) -> Result<Box<dyn IdentityTx>, StoreError> {
        Ok(Box::new(SqlTx::begin(&self.database, &self.secrets).await?))
    }

    async fn user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        Ok(self.account_of(id).await?.map(|account| account.user))
    }

    async fn account_of(&self, user: UserId) -> Result<Option<Account>, StoreError> {
        let row = self.database.within_deadline(users::Entity::find_by_id(user.0).one(&self.database.connection)).await?;
        row.map(user_row::account).transpose()
    }

    async fn account(&self, email: &Email) -> Result<Option<Account>, StoreError> {
        let row = self.database.within_deadline(by_email(email).one(&self.database.connection)).await?;
        row.map(user_row::account).transpose()
    }

    async fn preferences(&self, user: UserId) -> Result<Option<Preferences>, StoreError> {
        let find = user_preferences::Entity::find_by_id(user.0);
        let row = self.database.within_deadline(find.one(&self.database.connection)).await?;
        row.map(preferences_row::preferences).transpose()
    }

    async fn session(&self, id: SessionId) -> Result<Option<Session>, StoreError> {
        let row = self.database.within_deadline(sessions::Entity::find_by_id(id.0).one(&self.database.connection)).await?;
        row.map(session_row::session).transpose()
    }

    async fn live_sessions(&self, user: UserId, now: OffsetDateTime, policy: &SessionPolicy) -> Result<Vec<Session>, StoreError> {
        use sessions::{Column, Entity};

        let live = Entity::find().filter(Column::UserId.eq(user.0)).filter(is_live(now, policy));
        let newest_first = live.order_by_desc(Column::RotatedAt).order_by_desc(Column::Id);
        let rows = self.database.within_deadline(newest_first.all(&self.database.connection)).await?;
        rows.into_iter().map(session_row::session).collect()
    }

    async fn count_sessions(
        &self,
        user: UserId,
        now: OffsetDateTime,
        policy: &SessionPolicy,
    ) -> Result<SessionCounts, StoreError> {
        use sessions::{Column, Entity};

        let live = Expr::case(is_live(now, policy), 1);
        let counts = Entity::find()
            .select_only()
            .expr_as(Func::count(live), "live")
            .column_as(Column::Id.count(), "total")
            .filter(Column::UserId.eq(user.0));
        let counted = self.database.within_deadline(counts.into_tuple().one(&self.database.connection)).await?;
        let (live, total): (i64, i64) = counted.unwrap_or_default();
        let count = |count: i64| u64::try_from(count).map_err(|e| corrupt("a count of sessions", e));
        Ok(SessionCounts { live: count(live)?, total: count(total)? })
    }

    async fn ended_within(&self, span: Duration) -> Result<Vec<SessionId>, StoreError> {
        use sea_orm::sea_query::ExprTrait as _;
        use sessions::{Column, Entity};

        // A trigger writes it.
        let told = Expr::col("end_told_at").gte(by_its_clock(self.database.connection.get_database_backend(), span));
        let ended = Entity::find().select_only().column(Column::Id).filter(told);
        let ids: Vec<Uuid> = self.database.within_deadline(ended.into_tuple().all(&self.database.connection)).await?;
        Ok(ids.into_iter().map(SessionId).collect())
    }

    async fn confirm(&self, session: SessionId, generation: u32) -> Result<(), StoreError> {
        use sessions::{Column, Entity};

        let confirm = Entity::update_many()
            .col_expr(Column::Confirmed, Expr::value(true))
            .filter(Column::Id.eq(session.0))
            .filter(Column::Generation.eq(i64::from(generation)))
            .filter(Column::Confirmed.eq(false));
        self.database.within_deadline(confirm.exec(&self.database.connection)).await.map(drop)
    }

    async fn prune(&self, before: OffsetDateTime, policy: &SessionPolicy, limit: u64) -> Result<u64, StoreError> {
        let limit = limit.min(PRUNED_AT_ONCE);
        let pruned = async {
            let transaction = write_transaction::begin_with_row_locks(&self.database.connection).await?;
            let attempts = prune::attempts(&transaction, before, limit).await?;
            let sessions = prune::sessions(&transaction, before, policy, limit).await?;
            let links = mail_links::prune(&transaction, before, limit).await?;
            transaction.commit().await?;
            Ok(attempts + sessions + links)
        };
        self.database.within_deadline(pruned).await
    }
}
