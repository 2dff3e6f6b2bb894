//! Whose webhook is called next.

use std::collections::HashMap;

use coinlink_domain::{
    notifications::{UnderWay, Webhook, webhook_turns},
    shared::user_id::UserId,
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    sea_query::{Alias, Expr, ExprTrait, Func, LockBehavior, LockType, NullOrdering, Order, Query},
};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    delivery_queue::{WEBHOOK, due},
    queue::moment,
};
use crate::entities::{notification_deliveries, webhooks};

/// So many webhooks that something is due to are looked at, to find some that may be called.
const LOOKED_AT: u64 = 256;

/// Locks one delivery to each webhook whose turn it is, and notes that it was. Their ids, and the webhooks by id.
pub(super) async fn take_turns(
    connection: &impl ConnectionTrait,
    now: OffsetDateTime,
    limit: usize,
    under_way: &[UnderWay],
) -> Result<(Vec<Uuid>, HashMap<Uuid, webhooks::Model>), DbErr> {
    let (hooks, waiting): (Vec<_>, Vec<_>) = waiting(connection, now, under_way).await?.into_iter().unzip();
    let turns: Vec<Uuid> = webhook_turns(&waiting, under_way, limit).into_iter().map(|turn| hooks[turn]).collect();
    // What another node takes at this moment is passed over: nobody waits for another here.
    let held = webhooks::Entity::find().filter(webhooks::Column::Id.is_in(turns.iter().copied()));
    let held = held.lock_with_behavior(LockType::NoKeyUpdate, LockBehavior::SkipLocked).all(connection).await?;
    let held: HashMap<Uuid, webhooks::Model> = held.into_iter().map(|hook| (hook.id, hook)).collect();
    let mut ids = Vec::with_capacity(turns.len());
    for hook in turns.iter().filter(|hook| held.contains_key(*hook)) {
        ids.extend(first_due(connection, *hook, now).await?);
    }
    let served = webhooks::Entity::update_many().col_expr(webhooks::Column::ServedAt, moment(now));
    served.filter(webhooks::Column::Id.is_in(held.keys().copied())).exec(connection).await?;
    Ok((ids, held))
}

/// Webhooks that something is due to and that may be called, those first whose user was served longest ago.
async fn waiting(
    connection: &impl ConnectionTrait,
    now: OffsetDateTime,
    under_way: &[UnderWay],
) -> Result<Vec<(Uuid, UnderWay)>, DbErr> {
    use webhooks::{Column, Entity};

    let calls = |user: UserId| under_way.iter().filter(|call| call.user == user).count();
    let mut busy = Condition::any();
    for UnderWay { user, host } in under_way {
        let of_user = Condition::all().add(Column::UserId.eq(user.0));
        let has_all = calls(*user) >= Webhook::MOST_AT_ONCE;
        busy = busy.add(if has_all { of_user } else { of_user.add(Column::Host.eq(host)) });
    }
    let of_hook = Expr::col((notification_deliveries::Entity, notification_deliveries::Column::WebhookId));
    let of_hook = of_hook.equals((Entity, Column::Id));
    let something = Expr::exists(due(WEBHOOK, now).filter(of_hook).into_query());
    let other = Alias::new("other");
    let served = Query::select()
        .expr(Func::max(Expr::col((other.clone(), Column::ServedAt))))
        .from_as(Entity, other.clone())
        .and_where(Expr::col((other, Column::UserId)).equals((Entity, Column::UserId)))
        .to_owned();
    let mut hooks = Entity::find().select_only().columns([Column::Id, Column::UserId, Column::Host]).filter(something);
    if !under_way.is_empty() {
        hooks = hooks.filter(busy.not());
    }
    let hooks = hooks
        .order_by_with_nulls(Expr::from(served), Order::Asc, NullOrdering::First)
        .order_by_with_nulls(Column::ServedAt, Order::Asc, NullOrdering::First)
        .order_by_asc(Column::Id)
        .limit(LOOKED_AT);
    let found: Vec<(Uuid, Uuid, String)> = hooks.into_tuple().all(connection).await?;
    Ok(found.into_iter().map(|(id, user, host)| (id, UnderWay { user: UserId(user), host })).collect())
}

/// What was never tried, then what is due longest.
async fn first_due(connection: &impl ConnectionTrait, hook: Uuid, now: OffsetDateTime) -> Result<Option<Uuid>, DbErr> {
    use notification_deliveries::Column;

    let of_hook = due(WEBHOOK, now).filter(Column::WebhookId.eq(hook));
    let first = of_hook.order_by_asc(Column::Attempts.gt(0)).order_by_asc(Column::DueAt).order_by_asc(Column::Id).limit(1);
    first.lock_with_behavior(LockType::Update, LockBehavior::SkipLocked).into_tuple().one(connection).await
}
