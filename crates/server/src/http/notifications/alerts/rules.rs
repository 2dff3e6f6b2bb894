//! `/api/v2/notifications/alerts`: every kind of rule.

use actix_web::{
    HttpResponse,
    http::StatusCode,
    web::{Data, Path},
};
use coinlink_application::notifications::{ChangeAlert, CreateAlert, DeleteAlert, ListAlerts};
use coinlink_domain::notifications::alerts::AlertRuleId;
use uuid::Uuid;

use super::{
    errors::NewRuleRefused,
    requests::{AlertRuleChangeBody, NewAlertRuleBody},
    shapes::AlertRuleBody,
};
use crate::http::{
    ApiError, error_codes,
    gate::Account,
    json_object::JsonObject,
    notifications::shapes::NoticeDoneBody,
    private::{private, private_as},
};

/// Your alert rules.
///
/// Those that you did not delete, active or not, newest first.
#[utoipa::path(
    get,
    path = "/api/v2/notifications/alerts",
    tag = "alerts",
    responses(
        (status = 200, description = "Your rules", body = Vec<AlertRuleBody>, links(
            ("change" = (operation_id = "change_alert_rule", parameters(("id" = "$response.body#/0/id")))),
            ("delete" = (operation_id = "delete_alert_rule", parameters(("id" = "$response.body#/0/id"))))
        ))
    ),
    security(("bearer" = []))
)]
pub(in crate::http) async fn list_alert_rules(account: Account, use_case: Data<ListAlerts>) -> Result<HttpResponse, ApiError> {
    let rules = use_case.execute(account.user, false).await?;
    Ok(private(rules.iter().map(AlertRuleBody::from).collect::<Vec<_>>()))
}

/// Make an alert rule.
///
/// `above` and `below` fire when the price is beyond the target, already with the next tick where it is so now; `crosses_above`
/// and `crosses_below` when it comes from the other side; `percent_move` when it moved by so much, up or down, within the window.
/// After a rule fired it rests for 5 minutes; then a price must first be back by 0.5 % of the target, and a move counts from the price
/// at which the rule fired. An account has at most 100 active rules.
#[utoipa::path(
    post,
    path = "/api/v2/notifications/alerts",
    tag = "alerts",
    request_body = NewAlertRuleBody,
    responses(
        (status = 201, description = "The rule", body = AlertRuleBody, links(
            ("change" = (operation_id = "change_alert_rule", parameters(("id" = "$response.body#/id")))),
            ("delete" = (operation_id = "delete_alert_rule", parameters(("id" = "$response.body#/id"))))
        )),
        NewRuleRefused
    ),
    security(("bearer" = []))
)]
pub(in crate::http) async fn create_alert_rule(
    account: Account,
    use_case: Data<CreateAlert>,
    JsonObject(body): JsonObject<NewAlertRuleBody>,
) -> Result<HttpResponse, ApiError> {
    let (symbol, condition) = body.read()?;
    let rule = use_case.execute(account.user, symbol, condition).await?;
    Ok(private_as(StatusCode::CREATED, AlertRuleBody::from(&rule)))
}

/// Change an alert rule.
///
/// A rule that waits for something else, or is switched on again, waits as a new one does. Its asset cannot be changed.
#[utoipa::path(
    put,
    path = "/api/v2/notifications/alerts/{id}",
    tag = "alerts",
    params(("id" = Uuid, Path, description = "One of your rules")),
    request_body = AlertRuleChangeBody,
    responses(
        (status = 200, description = "The rule as it is now", body = AlertRuleBody),
        (status = 400, description = "`invalid_input`; details say what is wrong with which field"),
        (status = 404, description = "`alert_not_found`"),
        (status = 409, description = "`alert_exists` or `too_many_alerts`")
    ),
    security(("bearer" = []))
)]
pub(in crate::http) async fn change_alert_rule(
    account: Account,
    use_case: Data<ChangeAlert>,
    id: Path<Uuid>,
    JsonObject(change): JsonObject<AlertRuleChangeBody>,
) -> Result<HttpResponse, ApiError> {
    let id = AlertRuleId(id.into_inner());
    let rule = use_case.execute(account.user, id, |rule| change.read(rule)).await?;
    Ok(private(AlertRuleBody::from(&rule)))
}

/// Delete an alert rule.
#[utoipa::path(
    delete,
    path = "/api/v2/notifications/alerts/{id}",
    tag = "alerts",
    params(("id" = Uuid, Path, description = "One of your rules")),
    responses(
        (status = 200, description = "The rule is deleted; what fired stays in the history", body = NoticeDoneBody),
        (status = 404, description = "`alert_not_found`")
    ),
    security(("bearer" = []))
)]
pub(in crate::http) async fn delete_alert_rule(
    account: Account,
    use_case: Data<DeleteAlert>,
    id: Path<Uuid>,
) -> Result<HttpResponse, ApiError> {
    delete(account, &use_case, id.into_inner()).await
}

/// Deletes a rule, whichever view it is seen in.
pub(super) async fn delete(account: Account, use_case: &DeleteAlert, id: Uuid) -> Result<HttpResponse, ApiError> {
    if !use_case.execute(account.user, AlertRuleId(id)).await? {
        return Err(ApiError::new(error_codes::ALERT_NOT_FOUND));
    }
    Ok(private(NoticeDoneBody { message: "The alert is deleted.".to_owned() }))
}
