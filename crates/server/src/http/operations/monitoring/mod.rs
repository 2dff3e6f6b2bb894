//! `/api/monitoring`: how the system is, and who looks after what is not well.

mod alert_answers;
mod answers;
mod requests;

use actix_web::{
    HttpResponse,
    web::{Data, Path, Query},
};
use coinlink_application::operations::monitoring::{AcknowledgeAlert, ReadMonitor, ReadMonitorAlerts};
use utoipa::OpenApi;
use uuid::Uuid;

use self::{
    alert_answers::{AcknowledgedBody, MonitorAlertsBody},
    answers::UnifiedBody,
    requests::{MonitorAlertsQuery, UnifiedQuery},
};
use super::{
    errors::{AdministratorsOnly, NeedsReason, UnreadableFilter, WatchersOnly},
    guard::{Admin, Watcher},
    requests::ReasonBody,
};
use crate::http::{ApiError, gate::Client, json_object::JsonObject, private::private};

/// How the system is.
///
/// Figures are those of the node that answers, which is named in the panels, taken once in a period (a minute); alerts are those of
/// all nodes. Before the node's first sample there are none: `health_score` and `sampled_at` are null, and lists are empty.
#[utoipa::path(
    get,
    path = "/api/monitoring/unified",
    tag = "monitoring",
    operation_id = "unified_monitor",
    params(UnifiedQuery),
    responses(
        (status = 200, description = "The panels of the layout", body = UnifiedBody),
        (status = 400, description = "`invalid_query`: there is no such layout"),
        WatchersOnly
    ),
    security(("bearer" = []))
)]
pub(in crate::http) async fn unified(
    _: Watcher,
    use_case: Data<ReadMonitor>,
    query: Query<UnifiedQuery>,
) -> Result<HttpResponse, ApiError> {
    let layout = query.layout()?;
    let view = use_case.execute().await?;
    Ok(private(UnifiedBody::new(layout, &view)))
}

/// What was found to be looked at, newest first.
///
/// Of all nodes: what is open, and the last 500 that are over. Filters combine.
#[utoipa::path(
    get,
    path = "/api/monitoring/alerts",
    tag = "monitoring",
    operation_id = "monitor_alerts",
    params(MonitorAlertsQuery),
    responses(
        (status = 200, description = "Alerts as the filters want them", body = MonitorAlertsBody),
        UnreadableFilter,
        WatchersOnly
    ),
    security(("bearer" = []))
)]
pub(in crate::http) async fn monitor_alerts(
    _: Watcher,
    use_case: Data<ReadMonitorAlerts>,
    query: Query<MonitorAlertsQuery>,
) -> Result<HttpResponse, ApiError> {
    let (filter, limit) = (query.filter()?, query.limit()?);
    let (alerts, next) = use_case.execute(&filter, query.cursor()?, limit).await?;
    Ok(private(MonitorAlertsBody::new(&alerts, limit, next)))
}

/// Look after an alert.
///
/// All nodes show it as acknowledged until it gets worse than it is. One that is over, or that somebody looks after already, stays as it is.
#[utoipa::path(
    post,
    path = "/api/monitoring/alerts/{id}/acknowledge",
    tag = "monitoring",
    operation_id = "acknowledge_monitor_alert",
    params(("id" = Uuid, Path, description = "An alert")),
    request_body = ReasonBody,
    responses(
        (status = 200, description = "The alert; `changed` says whether that is new", body = AcknowledgedBody),
        NeedsReason,
        AdministratorsOnly,
        (status = 404, description = "There is no such alert")
    ),
    security(("bearer" = []))
)]
pub(in crate::http) async fn acknowledge_alert(
    admin: Admin,
    use_case: Data<AcknowledgeAlert>,
    client: Client,
    id: Path<Uuid>,
    JsonObject(body): JsonObject<ReasonBody>,
) -> Result<HttpResponse, ApiError> {
    let reason = body.reason()?;
    let (alert, changed) = use_case.execute(admin.0.user, id.into_inner(), &reason, &client.0).await?;
    Ok(private(AcknowledgedBody::new(&alert, changed)))
}

/// `/api/monitoring`.
#[derive(OpenApi)]
#[openapi(
    tags((name = "monitoring", description = "How the system is, for accounts with the role `admin`, and for API keys of theirs with the scope `monitoring:read`. Acknowledging takes what every act of administrators takes: a second factor that was shown within five minutes, and a `reason`")),
    paths(unified, monitor_alerts, acknowledge_alert)
)]
pub(in crate::http) struct MonitoringDocument;
