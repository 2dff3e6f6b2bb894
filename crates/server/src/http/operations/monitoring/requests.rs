use coinlink_domain::operations::monitoring::{Layout, Severity};
use coinlink_ports::operations::{AlertFilter, AlertPlace};
use serde::Deserialize;
use utoipa::IntoParams;

use super::super::requests::text;
use crate::http::{
    ApiError,
    lists::{read_cursor, read_limit},
};

/// How it is laid out.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct UnifiedQuery {
    /// `executive`, `operations`, `technical` or `growth`.
    #[param(pattern = "^(executive|operations|technical|growth)$", default = "operations")]
    layout: Option<String>,
}

impl UnifiedQuery {
    pub(super) fn layout(&self) -> Result<Layout, ApiError> {
        let layout = |name: &str| {
            Layout::from_name(name).ok_or_else(|| ApiError::invalid_query("layout", "executive, operations, technical or growth"))
        };
        self.layout.as_deref().map_or(Ok(Layout::default()), layout)
    }
}

/// Which alerts.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct MonitorAlertsQuery {
    /// Alerts in one answer.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100, default = 20)]
    limit: Option<String>,
    /// `page.next_cursor` of the answer before.
    cursor: Option<String>,
    /// `open` or `resolved`.
    #[param(pattern = "^(open|resolved)$")]
    state: Option<String>,
    /// `info`, `warning`, `error` or `critical`.
    #[param(pattern = "^(info|warning|error|critical)$")]
    severity: Option<String>,
    /// Those of this node.
    #[param(max_length = 200)]
    node: Option<String>,
    /// Those of this metric: `cpu`.
    #[param(max_length = 200)]
    metric: Option<String>,
}

impl MonitorAlertsQuery {
    pub(super) fn limit(&self) -> Result<u32, ApiError> {
        read_limit(self.limit.as_deref())
    }

    pub(super) fn cursor(&self) -> Result<Option<AlertPlace>, ApiError> {
        read_cursor(self.cursor.as_deref())
    }

    pub(super) fn filter(&self) -> Result<AlertFilter, ApiError> {
        let open = |state: &str| match state {
            "open" => Ok(true),
            "resolved" => Ok(false),
            _ => Err(ApiError::invalid_query("state", "open or resolved")),
        };
        let severity = |name: &str| {
            Severity::from_name(name).ok_or_else(|| ApiError::invalid_query("severity", "info, warning, error or critical"))
        };
        Ok(AlertFilter {
            open: self.state.as_deref().map(open).transpose()?,
            severity: self.severity.as_deref().map(severity).transpose()?,
            node: text("node", self.node.as_deref())?,
            metric: text("metric", self.metric.as_deref())?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_query_panics(name in proptest::option::of(".{0,40}"), other in proptest::option::of(".{0,40}")) {
            let _ = UnifiedQuery { layout: name.clone() }.layout();
            let query = MonitorAlertsQuery {
                limit: name.clone(), cursor: other.clone(), state: name.clone(), severity: other.clone(), node: name, metric: other,
            };
            let _ = (query.limit(), query.cursor(), query.filter());
        }
    }
}
