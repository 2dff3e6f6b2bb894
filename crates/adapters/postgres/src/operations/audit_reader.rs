//! The audit log read backwards, as filters want it.

use async_trait::async_trait;
use coinlink_domain::shared::audit::AuditStatus;
use coinlink_ports::{
    operations::{AuditFilter, AuditPage, AuditReader, LogPlace},
    shared::StoreError,
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    sea_query::{Alias, Asterisk, Expr, ExprTrait, Query, SimpleExpr},
};
use time::OffsetDateTime;

use crate::{
    Database,
    entities::audit_log::{Column, Entity},
    errors::corrupt,
    exact::Moment,
    shared::audit_log::entry,
};

/// The audit log in its table, for reading.
#[derive(Clone)]
pub struct SqlAuditReader {
    database: Database,
}

impl SqlAuditReader {
    /// In this database.
    #[must_use]
    pub fn new(database: Database) -> Self {
        Self { database }
    }
}

fn moment(at: OffsetDateTime) -> SimpleExpr {
    Expr::value(Moment(at)).cast_as("timestamptz_text")
}

fn wanted(filter: &AuditFilter, before: Option<LogPlace>) -> Condition {
    let at = || Column::Timestamp.into_expr();
    let mut wanted = Condition::all()
        .add_option(filter.user.map(|user| Column::UserId.eq(user)))
        .add_option(filter.action.as_ref().map(|action| Column::Action.eq(action.as_str())))
        .add_option(filter.status.map(|status| Column::Status.eq(status.name())))
        .add_option(filter.resource_type.as_ref().map(|kind| Column::ResourceType.eq(kind.as_str())))
        .add_option(filter.resource_id.as_ref().map(|id| Column::ResourceId.eq(id.as_str())))
        .add_option(filter.from.map(|from| at().gte(moment(from))))
        .add_option(filter.to.map(|to| at().lt(moment(to))));
    if let Some(place) = before {
        // The first condition is the one for the index.
        let same_moment = Condition::all().add(at().eq(moment(place.at))).add(Column::Id.lt(place.id));
        let earlier = Condition::any().add(at().lt(moment(place.at))).add(same_moment);
        wanted = wanted.add(at().lte(moment(place.at))).add(earlier);
    }
    wanted
}

#[async_trait]
impl AuditReader for SqlAuditReader {
    async fn page(&self, filter: &AuditFilter, before: Option<LogPlace>, limit: u32) -> Result<AuditPage, StoreError> {
        let connection = &self.database.connection;
        let limit = u64::from(limit);
        let page = Entity::find().filter(wanted(filter, before)).order_by_desc(Column::Timestamp).order_by_desc(Column::Id);
        let mut rows = self.database.within_deadline(page.limit(limit + 1).all(connection)).await?;
        let more = rows.len() as u64 > limit;
        rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        let next = rows.last().filter(|_| more).map(|row| LogPlace { at: row.timestamp.0, id: row.id });
        let backend = connection.get_database_backend();
        Ok(AuditPage { entries: rows.into_iter().filter_map(|row| entry(row, backend)).collect(), next })
    }

    async fn count(&self, action: &str, status: AuditStatus, since: OffsetDateTime, at_most: u32) -> Result<u64, StoreError> {
        let connection = &self.database.connection;
        let filter =
            AuditFilter { action: Some(action.to_owned()), status: Some(status), from: Some(since), ..AuditFilter::default() };
        let some = Entity::find().select_only().column(Column::Id).filter(wanted(&filter, None)).limit(u64::from(at_most));
        let counted = Query::select()
            .expr_as(Expr::col(Asterisk).count(), "counted")
            .from_subquery(some.into_query(), Alias::new("some"))
            .to_owned();
        let row = self.database.within_deadline(connection.query_one(&counted)).await?;
        let Some(row) = row else { return Ok(0) };
        let counted: i64 = row.try_get("", "counted").map_err(|e| corrupt("a count of audit entries", e))?;
        u64::try_from(counted).map_err(|e| corrupt("a count of audit entries", e))
    }
}
