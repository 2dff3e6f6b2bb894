//! Alert rules: what users do with them, and what ticks do.

mod evaluate_alerts;
mod follow_rules;
mod hand_over;
mod manage_alerts;
mod prune_alerts;
mod record_decided;

pub use evaluate_alerts::{EvaluateAlerts, Evaluated, EvaluationError, EvaluatorParts};
pub use manage_alerts::{AlertHistory, ChangeAlert, CreateAlert, DeleteAlert, ListAlerts, ManageAlertError};
pub use prune_alerts::PruneAlerts;
