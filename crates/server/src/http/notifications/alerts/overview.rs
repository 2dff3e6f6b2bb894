//! `/api/alerts`: what the front end's wrappers ask for, signed in or not.

use actix_web::{
    HttpResponse,
    web::{Data, Query},
};
use coinlink_application::notifications::{AlertHistory, ListAlerts};
use coinlink_domain::shared::user_id::UserId;
use serde::Deserialize;
use utoipa::IntoParams;

use super::shapes::{AlertHistoryBody, OwnAlertsBody};
use crate::{
    http::{ApiError, error_codes, gate::Account, lists::read_limit, private::private},
    wire::rfc3339,
};

/// How much of the history.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct HistoryQuery {
    /// Firings in one answer.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100, default = 20)]
    limit: Option<String>,
}

/// Whose, where somebody is signed in.
fn whose(account: Result<Account, ApiError>) -> Result<Option<UserId>, ApiError> {
    match account {
        Ok(account) => Ok(Some(account.user)),
        Err(error) if error.code() == error_codes::AUTHENTICATION_REQUIRED => Ok(None),
        Err(error) => Err(error),
    }
}

/// Your active alerts.
///
/// Who is not signed in has none.
#[utoipa::path(
    get,
    path = "/api/alerts",
    tag = "alerts",
    responses((status = 200, description = "Your active rules", body = OwnAlertsBody)),
    security((), ("bearer" = []))
)]
pub(in crate::http) async fn own_alerts(
    account: Result<Account, ApiError>,
    use_case: Data<ListAlerts>,
) -> Result<HttpResponse, ApiError> {
    let rules = match whose(account)? {
        Some(user) => use_case.execute(user, true).await?,
        None => Vec::new(),
    };
    let alerts: Vec<_> = rules.iter().map(Into::into).collect();
    Ok(private(OwnAlertsBody { count: alerts.len(), alerts, timestamp: rfc3339(use_case.now()) }))
}

/// What fired.
///
/// Your rules that came true, newest first, whatever became of them. Who is not signed in has none.
#[utoipa::path(
    get,
    path = "/api/alerts/history",
    tag = "alerts",
    params(HistoryQuery),
    responses(
        (status = 200, description = "What fired", body = AlertHistoryBody),
        (status = 400, description = "`invalid_query`: `limit` cannot be read")
    ),
    security((), ("bearer" = []))
)]
pub(in crate::http) async fn alert_history(
    account: Result<Account, ApiError>,
    use_case: Data<AlertHistory>,
    query: Query<HistoryQuery>,
) -> Result<HttpResponse, ApiError> {
    let limit = read_limit(query.limit.as_deref())?;
    let fired = match whose(account)? {
        Some(user) => use_case.execute(user, limit).await?,
        None => Vec::new(),
    };
    let history: Vec<_> = fired.iter().map(Into::into).collect();
    Ok(private(AlertHistoryBody { count: history.len(), history, limit, timestamp: rfc3339(use_case.now()) }))
}
