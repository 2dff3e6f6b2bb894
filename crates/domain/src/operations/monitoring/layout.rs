use super::{METRICS, Metric};

/// What a panel shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PanelKind {
    /// The score, and what it is made of.
    Health,
    /// Each context with its worst alert.
    Departments,
    /// The alerts that are open.
    Alerts,
    /// Metrics with their aggregates.
    Metrics,
}

impl PanelKind {
    /// As told.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Health => "gauge",
            Self::Departments => "status_grid",
            Self::Alerts => "alert_list",
            Self::Metrics => "metric_grid",
        }
    }
}

/// Where a panel stands, on a grid of twelve columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Columns from the left.
    pub x: u8,
    /// Rows from the top.
    pub y: u8,
    /// Columns.
    pub width: u8,
    /// Rows.
    pub height: u8,
}

/// One panel of a layout.
#[derive(Debug, Clone, Copy)]
pub struct Panel {
    /// Its id within the layout.
    pub id: &'static str,
    /// For people.
    pub title: &'static str,
    /// What it shows.
    pub kind: PanelKind,
    /// Where it stands.
    pub position: Position,
    metrics: &'static [&'static str],
}

impl Panel {
    /// The metrics that it shows.
    pub fn metrics(&self) -> impl Iterator<Item = &'static Metric> {
        METRICS.iter().filter(|metric| self.metrics.contains(&metric.id))
    }
}

/// For whom the monitor is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Layout {
    /// How it is, in a few figures.
    Executive,
    /// What needs somebody.
    #[default]
    Operations,
    /// What it is made of.
    Technical,
    /// How the product is used.
    Growth,
}

impl Layout {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Executive, Self::Operations, Self::Technical, Self::Growth];

    /// As asked for.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Executive => "executive",
            Self::Operations => "operations",
            Self::Technical => "technical",
            Self::Growth => "growth",
        }
    }

    /// The layout of this [`Layout::name`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|layout| layout.name() == name)
    }

    /// Its panels, top left first.
    #[must_use]
    pub const fn panels(self) -> &'static [Panel] {
        match self {
            Self::Executive => EXECUTIVE,
            Self::Operations => OPERATIONS,
            Self::Technical => TECHNICAL,
            Self::Growth => GROWTH,
        }
    }
}

const fn at(x: u8, y: u8, width: u8, height: u8) -> Position {
    Position { x, y, width, height }
}

const fn health(position: Position) -> Panel {
    Panel { id: "system_health", title: "System health", kind: PanelKind::Health, position, metrics: &[] }
}

const fn departments(position: Position) -> Panel {
    Panel { id: "department_status", title: "Departments", kind: PanelKind::Departments, position, metrics: &[] }
}

const fn alerts(position: Position) -> Panel {
    Panel { id: "alerts", title: "Open alerts", kind: PanelKind::Alerts, position, metrics: &[] }
}

const fn metrics(id: &'static str, title: &'static str, position: Position, metrics: &'static [&'static str]) -> Panel {
    Panel { id, title, kind: PanelKind::Metrics, position, metrics }
}

const TRAFFIC: &[&str] = &[
    "request_rate",
    "error_rate",
    "response_time_p50",
    "response_time_p95",
    "response_time_p99",
    "requests_in_flight",
    "rate_limited",
];
const REALTIME: &[&str] =
    &["sockets", "sockets_of_users", "ticker_age", "ticker_gaps", "slow_sockets", "provider_errors", "breakers_open"];
const RESOURCES: &[&str] = &["cpu", "memory", "disk", "process_memory", "open_files", "uptime"];
const DEPENDENCIES: &[&str] = &[
    "database_up",
    "database_pool_use",
    "database_query_p95",
    "redis_up",
    "redis_pool_use",
    "limiter_alone",
    "outbox_pending",
    "outbox_age",
    "mail_dead",
    "jobs_failed",
    "certificate_days",
];
const KPIS: &[&str] = &["request_rate", "error_rate", "response_time_p95", "sockets", "ticker_age", "accounts", "sign_ups_24h"];
const PRODUCT: &[&str] = &["accounts", "accounts_verified", "sign_ups_24h", "sign_ups_7d", "sessions_live", "second_factors"];
const USE: &[&str] =
    &["sign_ups", "sign_ins", "sign_ins_failed", "questions", "alert_rules", "alerts_fired", "sockets", "sockets_of_users"];

const EXECUTIVE: &[Panel] = &[
    health(at(0, 0, 4, 3)),
    departments(at(4, 0, 8, 3)),
    metrics("kpi_dashboard", "Key figures", at(0, 3, 8, 4), KPIS),
    alerts(at(8, 3, 4, 4)),
];
const OPERATIONS: &[Panel] = &[
    health(at(0, 0, 4, 3)),
    departments(at(4, 0, 8, 3)),
    alerts(at(0, 3, 6, 5)),
    metrics("kpi_dashboard", "Traffic", at(6, 3, 6, 5), TRAFFIC),
    metrics("realtime", "Sockets and prices", at(0, 8, 6, 4), REALTIME),
    metrics("dependencies", "Dependencies", at(6, 8, 6, 4), DEPENDENCIES),
];
const TECHNICAL: &[Panel] = &[
    health(at(0, 0, 4, 3)),
    metrics("resources", "Resources", at(4, 0, 8, 3), RESOURCES),
    metrics("traffic", "Traffic", at(0, 3, 6, 5), TRAFFIC),
    metrics("dependencies", "Dependencies", at(6, 3, 6, 5), DEPENDENCIES),
    metrics("realtime", "Sockets and prices", at(0, 8, 6, 4), REALTIME),
    alerts(at(6, 8, 6, 4)),
];
const GROWTH: &[Panel] = &[
    metrics("kpi_dashboard", "Accounts", at(0, 0, 8, 4), PRODUCT),
    health(at(8, 0, 4, 4)),
    metrics("engagement", "Use", at(0, 4, 8, 4), USE),
    alerts(at(8, 4, 4, 4)),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_layout_has_its_panels_on_the_grid_and_none_over_another() {
        for layout in Layout::ALL {
            assert_eq!(Layout::from_name(layout.name()), Some(layout));
            let mut taken = BTreeSet::new();
            let mut ids = BTreeSet::new();
            for panel in layout.panels() {
                let Position { x, y, width, height } = panel.position;
                assert!(ids.insert(panel.id) && x + width <= 12 && width > 0 && height > 0, "{layout:?} {}", panel.id);
                let cells = (x..x + width).flat_map(|x| (y..y + height).map(move |y| (x, y)));
                assert!(cells.into_iter().all(|cell| taken.insert(cell)), "{layout:?} {}", panel.id);
            }
            assert!(ids.contains("alerts") && ids.contains("system_health"), "{layout:?}");
        }
    }

    #[test]
    fn a_panel_shows_what_is_measured_and_all_that_is_measured_is_shown() {
        let mut shown: BTreeSet<&str> = BTreeSet::new();
        for panel in Layout::ALL.into_iter().flat_map(Layout::panels) {
            assert_eq!(panel.metrics().count(), panel.metrics.len(), "{}: a metric is none", panel.id);
            shown.extend(panel.metrics);
        }
        for metric in METRICS {
            assert!(shown.contains(&metric.id), "{}", metric.id);
        }
    }
}
