//! What is to be looked at, of all nodes.

use async_trait::async_trait;
use coinlink_domain::{
    operations::monitoring::{Acknowledgement, Alert, Cause, Ended, Resolution, Severity, Value},
    shared::{audit::AuditEntry, user_id::UserId},
};
use coinlink_ports::{
    operations::{AlertFilter, AlertPlace, MonitorAlerts},
    shared::StoreError,
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait, OnConflict, SimpleExpr},
};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{
    Database,
    entities::monitor_alerts::{ActiveModel, Column, Entity, Model},
    exact::Moment,
    shared::audit_log,
    write_transaction,
};

/// Open alerts that are read at most.
const OPEN: u64 = 1_000;
/// Rows in one statement.
const PRUNED_AT_ONCE: u64 = 1_000;

/// Alerts in a table.
#[derive(Clone)]
pub struct SqlMonitorAlerts {
    database: Database,
}

impl SqlMonitorAlerts {
    /// In this database.
    #[must_use]
    pub fn new(database: Database) -> Self {
        Self { database }
    }
}

fn moment(at: OffsetDateTime) -> SimpleExpr {
    Expr::value(Moment(at)).cast_as("timestamptz_text")
}

fn before(place: AlertPlace) -> Condition {
    let at = || Column::OpenedAt.into_expr();
    let same_moment = Condition::all().add(at().eq(moment(place.at))).add(Column::Id.lt(place.id));
    Condition::any().add(at().lt(moment(place.at))).add(same_moment)
}

fn wanted(filter: &AlertFilter) -> Condition {
    Condition::all()
        .add_option(filter.open.map(|open| if open { Column::EndedAt.is_null() } else { Column::EndedAt.is_not_null() }))
        .add_option(filter.severity.map(|severity| Column::Severity.eq(severity.name())))
        .add_option(filter.node.as_ref().map(|node| Column::Node.eq(node.as_str())))
        .add_option(filter.metric.as_ref().map(|metric| Column::Metric.eq(metric.as_str())))
}

#[async_trait]
impl MonitorAlerts for SqlMonitorAlerts {
    async fn open(&self, node: Option<&str>) -> Result<Vec<Alert>, StoreError> {
        let filter = AlertFilter { open: Some(true), node: node.map(str::to_owned), ..AlertFilter::default() };
        let open = Entity::find().filter(wanted(&filter)).order_by_desc(Column::OpenedAt).order_by_desc(Column::Id);
        let rows = self.database.within_deadline(open.limit(OPEN).all(&self.database.connection)).await?;
        rows.into_iter().map(alert).collect()
    }

    async fn keep(&self, alert: &Alert) -> Result<bool, StoreError> {
        let connection = &self.database.connection;
        let update = Entity::update_many()
            .col_expr(Column::Severity, Expr::value(alert.severity.name()))
            .col_expr(Column::Cause, Expr::value(alert.cause.name()))
            .col_expr(Column::Value, Expr::value(alert.value.get()))
            .col_expr(Column::ChangedAt, moment(alert.changed_at))
            .col_expr(Column::SeenAt, moment(alert.seen_at))
            .col_expr(Column::EndedAt, Expr::value(alert.ended.map(|end| Moment(end.at))).cast_as("timestamptz_text"))
            .col_expr(Column::Resolution, Expr::value(alert.ended.map(|end| end.why.name())).cast_as("text"))
            .filter(Column::Id.eq(alert.id))
            .filter(Column::EndedAt.is_null());
        let known = OnConflict::column(Column::Id).do_nothing().to_owned();
        let insert = Entity::insert(row(alert)).on_conflict(known);
        let kept = async {
            if update.exec(connection).await?.rows_affected > 0 {
                return Ok(true);
            }
            Ok(insert.exec_without_returning(connection).await? > 0)
        };
        self.database.within_deadline(kept).await
    }

    async fn acknowledge(
        &self,
        id: Uuid,
        given: &Acknowledgement,
        entry: &AuditEntry,
    ) -> Result<Option<(Alert, bool)>, StoreError> {
        let acknowledged = async {
            let transaction = write_transaction::begin_with_row_locks(&self.database.connection).await?;
            let Some(found) = Entity::find_by_id(id).lock_exclusive().one(&transaction).await? else { return Ok(None) };
            let mut found = alert(found).map_err(|error| DbErr::Type(error.to_string()))?;
            if found.ended.is_some() || found.is_acknowledged() {
                return Ok(Some((found, false)));
            }
            let given = Acknowledgement { severity: found.severity, ..*given };
            let update = Entity::update_many()
                .col_expr(Column::AcknowledgedBy, Expr::value(given.by.0))
                .col_expr(Column::AcknowledgedAt, moment(given.at))
                .col_expr(Column::AcknowledgedAs, Expr::value(given.severity.name()))
                .filter(Column::Id.eq(id));
            update.exec(&transaction).await?;
            audit_log::insert(&transaction, entry).await?;
            transaction.commit().await?;
            found.acknowledged = Some(given);
            Ok(Some((found, true)))
        };
        self.database.within_deadline(acknowledged).await
    }

    async fn page(&self, filter: &AlertFilter, place: Option<AlertPlace>, limit: u32) -> Result<Vec<Alert>, StoreError> {
        let filter = wanted(filter).add_option(place.map(before));
        let page = Entity::find().filter(filter).order_by_desc(Column::OpenedAt).order_by_desc(Column::Id);
        let rows = self.database.within_deadline(page.limit(u64::from(limit)).all(&self.database.connection)).await?;
        rows.into_iter().map(alert).collect()
    }

    async fn end_unseen(&self, before: OffsetDateTime, at: OffsetDateTime) -> Result<u64, StoreError> {
        let end = Entity::update_many()
            .col_expr(Column::EndedAt, moment(at))
            .col_expr(Column::Resolution, Expr::value(Resolution::NodeGone.name()))
            .filter(Column::EndedAt.is_null())
            .filter(Column::SeenAt.into_expr().lt(moment(before)));
        Ok(self.database.within_deadline(end.exec(&self.database.connection)).await?.rows_affected)
    }

    async fn prune(&self, most: u64, limit: u64) -> Result<u64, StoreError> {
        let connection = &self.database.connection;
        let ended = Entity::find().select_only().column(Column::Id).filter(Column::EndedAt.is_not_null());
        let beyond = ended.order_by_desc(Column::EndedAt).order_by_desc(Column::Id).offset(most);
        let pruned = async {
            let ids: Vec<Uuid> = beyond.limit(Ord::min(limit, PRUNED_AT_ONCE)).into_tuple().all(connection).await?;
            if ids.is_empty() {
                return Ok(0);
            }
            Ok(Entity::delete_many().filter(Column::Id.is_in(ids)).exec(connection).await?.rows_affected)
        };
        self.database.within_deadline(pruned).await
    }
}

fn row(alert: &Alert) -> ActiveModel {
    ActiveModel {
        id: Set(alert.id),
        node: Set(alert.node.clone()),
        metric: Set(alert.metric.clone()),
        severity: Set(alert.severity.name().to_owned()),
        cause: Set(alert.cause.name().to_owned()),
        value: Set(alert.value.get()),
        opened_at: Set(Moment(alert.opened_at)),
        changed_at: Set(Moment(alert.changed_at)),
        seen_at: Set(Moment(alert.seen_at)),
        acknowledged_by: Set(None),
        acknowledged_at: Set(None),
        acknowledged_as: Set(None),
        ended_at: Set(alert.ended.map(|end| Moment(end.at))),
        resolution: Set(alert.ended.map(|end| end.why.name().to_owned())),
    }
}

const fn corrupt(what: &'static str) -> StoreError {
    StoreError::Corrupt { what, source: None }
}

fn alert(row: Model) -> Result<Alert, StoreError> {
    let severity = |name: &str| Severity::from_name(name).ok_or(corrupt("the severity of an alert"));
    let acknowledged = match (row.acknowledged_by, row.acknowledged_at, row.acknowledged_as) {
        (Some(by), Some(Moment(at)), Some(name)) => Some(Acknowledgement { by: UserId(by), at, severity: severity(&name)? }),
        _ => None,
    };
    let why = |name: String| Resolution::from_name(&name).ok_or(corrupt("why an alert ended"));
    let ended = match (row.ended_at, row.resolution) {
        (Some(Moment(at)), Some(name)) => Some(Ended { at, why: why(name)? }),
        _ => None,
    };
    Ok(Alert {
        id: row.id,
        node: row.node,
        metric: row.metric,
        severity: severity(&row.severity)?,
        cause: Cause::from_name(&row.cause).ok_or(corrupt("the cause of an alert"))?,
        value: Value::try_new(row.value).ok_or(corrupt("the value of an alert"))?,
        opened_at: row.opened_at.0,
        changed_at: row.changed_at.0,
        seen_at: row.seen_at.0,
        acknowledged,
        ended,
    })
}
