//! Which rows of the log have no seal: a stretch of the log is read by its index on time, and each of its rows is looked up
//! among the seals by theirs. Every statement costs about the same however long log and chain are, and none is an anti-join
//! that a planner may turn into reading both tables whole.

use std::collections::HashMap;

use coinlink_ports::operations::LogPlace;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    prelude::Uuid,
    sea_query::{Expr, ExprTrait, SimpleExpr},
};
use time::OffsetDateTime;

use crate::{
    entities::{audit_log, audit_seals},
    exact::Moment,
};

/// What comes after `place` in the log's order.
pub(super) fn after(place: LogPlace) -> Condition {
    use audit_log::Column;
    let time = || Column::Timestamp.into_expr();
    let same_moment = Condition::all().add(time().eq(at(place.at))).add(Column::Id.gt(place.id));
    // The first condition is the one for the index.
    Condition::all().add(time().gte(at(place.at))).add(Condition::any().add(time().gt(at(place.at))).add(same_moment))
}

/// A moment as statements compare it.
pub(super) fn at(moment: OffsetDateTime) -> SimpleExpr {
    Expr::value(Moment(moment)).cast_as("timestamptz_text")
}

/// Rows of the log in its order, without what is in them.
pub(super) async fn places(
    connection: &impl ConnectionTrait,
    after: Option<LogPlace>,
    limit: u32,
) -> Result<Vec<LogPlace>, DbErr> {
    use audit_log::{Column, Entity};
    let mut stretch = Entity::find().select_only().column(Column::Id).column(Column::Timestamp);
    if let Some(place) = after {
        stretch = stretch.filter(self::after(place));
    }
    let rows = stretch.order_by_asc(Column::Timestamp).order_by_asc(Column::Id).limit(u64::from(limit));
    let rows: Vec<(Uuid, Moment)> = rows.into_tuple().all(connection).await?;
    Ok(rows.into_iter().map(|(id, Moment(at))| LogPlace { at, id }).collect())
}

/// The seals of those of `ids` that have one: where their entries are.
pub(super) async fn sealed(connection: &impl ConnectionTrait, ids: Vec<Uuid>) -> Result<HashMap<Uuid, LogPlace>, DbErr> {
    use audit_seals::{Column, Entity};
    let seals = Entity::find().select_only().column(Column::AuditId).column(Column::EntryAt);
    let seals: Vec<(Uuid, Moment)> = seals.filter(Column::AuditId.is_in(ids)).into_tuple().all(connection).await?;
    Ok(seals.into_iter().map(|(id, Moment(at))| (id, LogPlace { at, id })).collect())
}
