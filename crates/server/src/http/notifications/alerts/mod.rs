//! Alert rules: one table, shown by `/api/v2/notifications/alerts`, and by price alone at `/api/v2/user/alerts`.

mod errors;
mod overview;
mod price_alerts;
mod requests;
mod rules;
mod shapes;

pub(in crate::http) use overview::{__path_alert_history, __path_own_alerts, alert_history, own_alerts};
pub(in crate::http) use price_alerts::{
    __path_create_price_alert, __path_delete_price_alert, __path_price_alerts, create_price_alert, delete_price_alert,
    price_alerts,
};
pub(in crate::http) use rules::{
    __path_change_alert_rule, __path_create_alert_rule, __path_delete_alert_rule, __path_list_alert_rules, change_alert_rule,
    create_alert_rule, delete_alert_rule, list_alert_rules,
};
