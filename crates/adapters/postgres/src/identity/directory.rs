//! Accounts as administrators look at them.

use async_trait::async_trait;
use coinlink_domain::identity::{EmailPrefix, Role, SessionPolicy, User, UserId};
use coinlink_ports::{
    identity::{AccountCounts, AccountDirectory, AccountFilter},
    shared::StoreError,
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbBackend, DbErr, EntityTrait, Iden, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait, Func, SimpleExpr},
};
use time::{Duration, OffsetDateTime};

use super::{
    SqlIdentityStore,
    sessions::{ago, is_live},
    user_row,
};
use crate::{
    entities::{second_factors, sessions, users},
    errors::corrupt,
};

#[async_trait]
impl AccountDirectory for SqlIdentityStore {
    async fn accounts(&self, filter: &AccountFilter, below: Option<UserId>, limit: u32) -> Result<Vec<User>, StoreError> {
        use users::{Column, Entity};

        let connection = &self.database.connection;
        let mut wanted = Condition::all()
            .add_option(filter.role.map(|role| Column::Role.eq(role.name())))
            .add_option(filter.active.map(|active| Column::IsActive.eq(active)))
            .add_option(filter.verified.map(|verified| Column::IsVerified.eq(verified)))
            .add_option(below.map(|below| Column::Id.lt(below.0)));
        if let Some(prefix) = &filter.email {
            wanted = wanted.add(begins_with(connection.get_database_backend(), prefix));
        }
        let page = Entity::find().filter(wanted).order_by_desc(Column::Id).limit(u64::from(limit));
        let rows = self.database.within_deadline(page.all(connection)).await?;
        rows.into_iter().map(|row| user_row::account(row).map(|account| account.user)).collect()
    }

    async fn count(&self, now: OffsetDateTime, policy: &SessionPolicy) -> Result<AccountCounts, StoreError> {
        let connection = &self.database.connection;
        let users = self.database.within_deadline(count_users(connection, now)).await?;
        let [total, verified, active, admins, new_in_a_day, new_in_a_week] = users;
        let live_sessions = self.database.within_deadline(count_sessions(connection, now, policy)).await?;
        let with_second_factor = self.database.within_deadline(count_factors(connection)).await?;
        let count = |count: i64| u64::try_from(count).map_err(|e| corrupt("a count of accounts", e));
        Ok(AccountCounts {
            total: count(total)?,
            verified: count(verified)?,
            active: count(active)?,
            admins: count(admins)?,
            new_in_a_day: count(new_in_a_day)?,
            new_in_a_week: count(new_in_a_week)?,
            with_second_factor: count(with_second_factor)?,
            live_sessions: count(live_sessions)?,
        })
    }
}

/// That the address an account owns or claims begins so. A range of bytes, for which there is an index: PostgreSQL compares
/// text by language unless it is told otherwise.
fn begins_with(backend: DbBackend, prefix: &EmailPrefix) -> Condition {
    // The two databases write their parameters differently as well.
    let (bytes, first, end) = if backend == DbBackend::Sqlite { ("", "?", "?") } else { (" COLLATE \"C\"", "$1", "$2") };
    let between = |column: users::Column| {
        let column = column.unquoted();
        let range = format!("{column}{bytes} >= {first} AND {column}{bytes} < {end}");
        Expr::cust_with_values(range, [prefix.as_str().to_owned(), prefix.end()])
    };
    let owned = Condition::all().add(users::Column::ClaimedEmail.is_null()).add(between(users::Column::Email));
    Condition::any().add(owned).add(between(users::Column::ClaimedEmail))
}

type Row = (i64, i64, i64, i64, i64, i64);

async fn count_users(connection: &impl ConnectionTrait, now: OffsetDateTime) -> Result<[i64; 6], DbErr> {
    use users::{Column, Entity};

    let those = |wanted: SimpleExpr| Func::count(Expr::case(wanted, 1));
    let since = |span: Duration| Column::CreatedAt.gte(ago(span, now));
    let administers = Column::Role.eq(Role::Admin.name()).and(Column::IsActive.eq(true));
    let counts = Entity::find()
        .select_only()
        .column_as(Column::Id.count(), "total")
        .expr_as(those(Column::IsVerified.eq(true)), "verified")
        .expr_as(those(Column::IsActive.eq(true)), "active")
        .expr_as(those(administers), "admins")
        .expr_as(those(since(Duration::DAY)), "new_in_a_day")
        .expr_as(those(since(Duration::WEEK)), "new_in_a_week");
    let counted: Row = counts.into_tuple().one(connection).await?.unwrap_or_default();
    Ok(counted.into())
}

async fn count_sessions(connection: &impl ConnectionTrait, now: OffsetDateTime, policy: &SessionPolicy) -> Result<i64, DbErr> {
    use sessions::{Column, Entity};

    let live = Entity::find().select_only().column_as(Column::Id.count(), "live").filter(is_live(now, policy));
    Ok(live.into_tuple().one(connection).await?.unwrap_or_default())
}

async fn count_factors(connection: &impl ConnectionTrait) -> Result<i64, DbErr> {
    use second_factors::{Column, Entity};

    let confirmed = Entity::find().select_only().column_as(Column::UserId.count(), "confirmed");
    let confirmed = confirmed.filter(Column::ConfirmedAt.is_not_null());
    Ok(confirmed.into_tuple().one(connection).await?.unwrap_or_default())
}
