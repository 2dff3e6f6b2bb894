//! What is answered of alerts.

use coinlink_domain::operations::monitoring::{Alert, metric};
use coinlink_ports::operations::AlertPlace;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    http::lists::{Cursor as _, PageBody},
    wire::rfc3339,
};

/// One alert.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct MonitorAlertBody {
    /// Its id.
    id: Uuid,
    /// The node it was found on.
    node: String,
    /// The metric.
    metric_id: String,
    /// For people; the metric's id where this release does not know it.
    name: String,
    /// The context whose it is, where it is known.
    department: Option<&'static str>,
    /// How bad it is: `info`, `warning`, `error` or `critical`.
    #[schema(pattern = "^(info|warning|error|critical)$")]
    severity: &'static str,
    /// What made it so: a `limit`, an `outlier` or a `jump`.
    #[schema(pattern = "^(limit|outlier|jump)$")]
    cause: &'static str,
    /// What it came to, last.
    value: f64,
    /// When it began, RFC 3339.
    #[schema(format = DateTime)]
    opened_at: String,
    /// When it became as bad as it is, RFC 3339.
    #[schema(format = DateTime)]
    changed_at: String,
    /// When its node last looked, RFC 3339.
    #[schema(format = DateTime)]
    seen_at: String,
    /// Whether somebody looks after it, as bad as it is.
    acknowledged: bool,
    /// Whose account said so last.
    acknowledged_by: Option<Uuid>,
    /// When, RFC 3339.
    #[schema(format = DateTime)]
    acknowledged_at: Option<String>,
    /// When it ended, RFC 3339.
    #[schema(format = DateTime)]
    resolved_at: Option<String>,
    /// Why it ended: `recovered` or `node_gone`.
    resolution: Option<&'static str>,
}

/// Alerts, newest first.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct MonitorAlertsBody {
    /// The alerts.
    data: Vec<MonitorAlertBody>,
    /// Where in the list this is.
    page: PageBody,
}

/// What became of an alert.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct AcknowledgedBody {
    /// The alert as it is now.
    alert: MonitorAlertBody,
    /// Whether that is new.
    changed: bool,
    /// For people.
    message: &'static str,
}

impl From<&Alert> for MonitorAlertBody {
    fn from(alert: &Alert) -> Self {
        let known = metric(&alert.metric);
        Self {
            id: alert.id,
            node: alert.node.clone(),
            metric_id: alert.metric.clone(),
            name: known.map_or_else(|| alert.metric.clone(), |metric| metric.name.to_owned()),
            department: known.map(|metric| metric.department),
            severity: alert.severity.name(),
            cause: alert.cause.name(),
            value: alert.value.get(),
            opened_at: rfc3339(alert.opened_at),
            changed_at: rfc3339(alert.changed_at),
            seen_at: rfc3339(alert.seen_at),
            acknowledged: alert.is_acknowledged(),
            acknowledged_by: alert.acknowledged.map(|given| given.by.0),
            acknowledged_at: alert.acknowledged.map(|given| rfc3339(given.at)),
            resolved_at: alert.ended.map(|end| rfc3339(end.at)),
            resolution: alert.ended.map(|end| end.why.name()),
        }
    }
}

impl MonitorAlertsBody {
    pub(super) fn new(alerts: &[Alert], limit: u32, next: Option<AlertPlace>) -> Self {
        let data = alerts.iter().map(MonitorAlertBody::from).collect();
        Self { data, page: PageBody::new(limit, next.map(|next| next.to_text())) }
    }
}

impl AcknowledgedBody {
    pub(super) fn new(alert: &Alert, changed: bool) -> Self {
        let message = match (changed, alert.ended.is_some()) {
            (true, _) => "You look after the alert.",
            (false, true) => "The alert is over.",
            (false, false) => "Somebody looks after the alert already.",
        };
        Self { alert: alert.into(), changed, message }
    }
}
