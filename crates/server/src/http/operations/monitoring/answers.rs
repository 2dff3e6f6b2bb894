//! The monitor's shapes.

use std::collections::BTreeMap;

use coinlink_application::operations::monitoring::{Department, MeasuredMetric, MonitorView};
use coinlink_domain::operations::monitoring::{Aggregate, Health, Layout, Limits, Panel, PanelKind, Position, Severity, Worse};
use serde::Serialize;
use utoipa::ToSchema;

use super::alert_answers::MonitorAlertBody;
use crate::wire::rfc3339;

/// Open alerts that a panel shows; the list has all of them.
const SHOWN: usize = 20;
const UNKNOWN: &str = "unknown";

/// How the system is.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct UnifiedBody {
    /// The layout that was asked for.
    #[schema(pattern = "^(executive|operations|technical|growth)$")]
    layout: &'static str,
    /// When it was looked at, RFC 3339.
    #[schema(format = DateTime)]
    timestamp: String,
    /// What it shows.
    panels: Vec<PanelBody>,
    /// Open alerts of all nodes.
    alerts: AlertCountsBody,
    /// The whole.
    system_status: SystemStatusBody,
}

/// One panel.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct PanelBody {
    /// Its id within the layout.
    panel_id: &'static str,
    /// For people.
    title: &'static str,
    /// What it shows: `gauge`, `status_grid`, `alert_list` or `metric_grid`.
    #[serde(rename = "type")]
    kind: &'static str,
    /// Where it stands, on a grid of twelve columns.
    position: PositionBody,
    /// What it shows, by its type.
    data: PanelDataBody,
}

/// A place on the grid.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct PositionBody {
    /// Columns from the left.
    x: u8,
    /// Rows from the top.
    y: u8,
    /// Columns.
    width: u8,
    /// Rows.
    height: u8,
}

/// What a panel shows.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(in crate::http) enum PanelDataBody {
    /// Of a `gauge`.
    Health(HealthPanelBody),
    /// Of a `status_grid`.
    Departments(DepartmentsPanelBody),
    /// Of an `alert_list`.
    Alerts(AlertsPanelBody),
    /// Of a `metric_grid`.
    Metrics(MetricsPanelBody),
}

/// The score.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct HealthPanelBody {
    /// The node that answers.
    node: String,
    /// When it last measured, RFC 3339; null before the first time.
    #[schema(format = DateTime)]
    sampled_at: Option<String>,
    /// 100, less 20 for each critical alert, 10 for each error, 5 for each warning; null before the first sample.
    health_score: Option<u8>,
    /// `healthy` from 80, `degraded` from 50, `critical` below; `unknown` before the first sample.
    status: &'static str,
}

/// The contexts.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct DepartmentsPanelBody {
    /// The node that answers.
    node: String,
    /// When it last measured, RFC 3339; null before the first time.
    #[schema(format = DateTime)]
    sampled_at: Option<String>,
    /// One line each.
    departments: Vec<DepartmentBody>,
}

/// One context.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct DepartmentBody {
    /// The context: `identity`.
    department: &'static str,
    /// By its own alerts, as the whole.
    health_score: u8,
    /// By its own alerts, as the whole.
    #[schema(pattern = "^(healthy|degraded|critical)$")]
    status: &'static str,
    /// Metrics of it that this node measures.
    metrics_tracked: usize,
    /// Its open alerts, of all nodes.
    open_alerts: usize,
    /// How bad the worst of them is.
    worst: Option<&'static str>,
}

/// Open alerts.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct AlertsPanelBody {
    /// The newest of all nodes, 20 at most.
    alerts: Vec<MonitorAlertBody>,
}

/// Metrics.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct MetricsPanelBody {
    /// The node that measured.
    node: String,
    /// When, RFC 3339; null before the first time.
    #[schema(format = DateTime)]
    sampled_at: Option<String>,
    /// What could be measured lately.
    metrics: Vec<MetricBody>,
}

/// One metric.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct MetricBody {
    /// Its id.
    metric_id: &'static str,
    /// For people.
    name: &'static str,
    /// `performance`, `reliability`, `system_health`, `user_experience` or `productivity`.
    metric_type: &'static str,
    /// What it came to, last.
    value: f64,
    /// What it is counted in; empty for plain numbers.
    unit: &'static str,
    /// When, RFC 3339.
    #[schema(format = DateTime)]
    timestamp: String,
    /// The context whose it is.
    department: &'static str,
    /// How bad this node's alert of it is, where there is one.
    severity: Option<&'static str>,
    /// When it is too much, where there is such a thing.
    thresholds: Option<ThresholdsBody>,
    /// What it came to over 60, 300, 900, 3600 and 86400 seconds, in those with any sample.
    #[schema(value_type = BTreeMap<String, AggregateBody>)]
    aggregates: BTreeMap<u32, AggregateBody>,
}

/// From where on something is how bad.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct ThresholdsBody {
    /// Which way is worse: `higher` or `lower`.
    #[schema(pattern = "^(higher|lower)$")]
    worse: &'static str,
    /// A warning from there on.
    warning: Option<f64>,
    /// An error from there on.
    error: Option<f64>,
    /// Critical from there on.
    critical: Option<f64>,
}

/// What some samples came to.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct AggregateBody {
    /// The smallest.
    min: f64,
    /// The largest.
    max: f64,
    /// The mean.
    avg: f64,
    /// The one in the middle.
    median: f64,
    /// The standard deviation.
    stddev: f64,
    /// How many.
    count: usize,
    /// When the oldest was taken, RFC 3339: a node that just started has no whole day.
    #[schema(format = DateTime)]
    since: String,
}

/// Open alerts in numbers.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct AlertCountsBody {
    /// All of them.
    total: usize,
    /// Of each severity.
    by_severity: BTreeMap<&'static str, usize>,
    /// That nobody looks after.
    unacknowledged: usize,
}

/// The whole.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct SystemStatusBody {
    /// 100, less 20 for each critical alert of any node, 10 for each error, 5 for each warning; null before this node's first sample.
    health_score: Option<u8>,
    /// `healthy` from 80, `degraded` from 50, `critical` below; `unknown` before this node's first sample.
    #[schema(pattern = "^(healthy|degraded|critical|unknown)$")]
    status: &'static str,
    /// Metrics that this node measures.
    metrics_tracked: usize,
    /// Contexts that they are of.
    departments_monitored: usize,
}

impl UnifiedBody {
    pub(super) fn new(layout: Layout, view: &MonitorView) -> Self {
        let health = view.health();
        let by_severity =
            Severity::ALL.map(|severity| (severity.name(), view.open.iter().filter(|alert| alert.severity == severity).count()));
        Self {
            layout: layout.name(),
            timestamp: rfc3339(view.at),
            panels: layout.panels().iter().map(|panel| PanelBody::new(panel, view)).collect(),
            alerts: AlertCountsBody {
                total: view.open.len(),
                by_severity: by_severity.into_iter().collect(),
                unacknowledged: view.open.iter().filter(|alert| !alert.is_acknowledged()).count(),
            },
            system_status: SystemStatusBody {
                health_score: health.map(|(score, _)| score),
                status: status(health),
                metrics_tracked: view.sample.as_ref().map_or(0, |sample| sample.metrics.len()),
                departments_monitored: view.departments().len(),
            },
        }
    }
}

fn status(health: Option<(u8, Health)>) -> &'static str {
    health.map_or(UNKNOWN, |(_, health)| health.name())
}

impl PanelBody {
    fn new(panel: &Panel, view: &MonitorView) -> Self {
        let Position { x, y, width, height } = panel.position;
        let (node, sampled_at) = (view.node.clone(), view.sample.as_ref().map(|sample| rfc3339(sample.at)));
        let data = match panel.kind {
            PanelKind::Health => {
                let health = view.health();
                let health_score = health.map(|(score, _)| score);
                PanelDataBody::Health(HealthPanelBody { node, sampled_at, health_score, status: status(health) })
            }
            PanelKind::Departments => {
                let departments = view.departments().iter().map(DepartmentBody::from).collect();
                PanelDataBody::Departments(DepartmentsPanelBody { node, sampled_at, departments })
            }
            PanelKind::Alerts => PanelDataBody::Alerts(AlertsPanelBody {
                alerts: view.open.iter().take(SHOWN).map(MonitorAlertBody::from).collect(),
            }),
            PanelKind::Metrics => {
                let measured = view.sample.iter().flat_map(|sample| &sample.metrics);
                let shown = measured.filter(|of| panel.metrics().any(|metric| metric.id == of.metric.id));
                PanelDataBody::Metrics(MetricsPanelBody { node, sampled_at, metrics: shown.map(MetricBody::from).collect() })
            }
        };
        let position = PositionBody { x, y, width, height };
        Self { panel_id: panel.id, title: panel.title, kind: panel.kind.name(), position, data }
    }
}

impl From<&Department> for DepartmentBody {
    fn from(of: &Department) -> Self {
        let (health_score, health) = of.health;
        Self {
            department: of.name,
            health_score,
            status: health.name(),
            metrics_tracked: of.metrics,
            open_alerts: of.alerts,
            worst: of.worst.map(Severity::name),
        }
    }
}

impl From<&MeasuredMetric> for MetricBody {
    fn from(of: &MeasuredMetric) -> Self {
        let aggregates = of.aggregates.iter().map(|(span, of)| (span.seconds(), AggregateBody::from(of)));
        Self {
            metric_id: of.metric.id,
            name: of.metric.name,
            metric_type: of.metric.kind.name(),
            value: of.sample.value.get(),
            unit: of.metric.unit,
            timestamp: rfc3339(of.sample.at),
            department: of.metric.department,
            severity: of.severity.map(Severity::name),
            thresholds: of.metric.limits.as_ref().map(ThresholdsBody::from),
            aggregates: aggregates.collect(),
        }
    }
}

impl From<&Limits> for ThresholdsBody {
    fn from(of: &Limits) -> Self {
        let worse = match of.worse {
            Worse::Higher => "higher",
            Worse::Lower => "lower",
        };
        Self { worse, warning: of.warning, error: of.error, critical: of.critical }
    }
}

impl From<&Aggregate> for AggregateBody {
    fn from(of: &Aggregate) -> Self {
        let Aggregate { min, max, mean, median, stddev, count, since } = *of;
        Self { min, max, avg: mean, median, stddev, count, since: rfc3339(since) }
    }
}
