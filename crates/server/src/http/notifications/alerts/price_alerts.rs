//! `/api/v2/user/alerts`: prices that are waited for.

use actix_web::{
    HttpResponse,
    http::StatusCode,
    web::{Data, Path},
};
use coinlink_application::notifications::{CreateAlert, DeleteAlert, ListAlerts};
use uuid::Uuid;

use super::{errors::NewRuleRefused, requests::NewPriceAlertBody, rules::delete, shapes::PriceAlertBody};
use crate::http::{
    ApiError, error_codes,
    gate::Account,
    json_object::JsonObject,
    notifications::shapes::NoticeDoneBody,
    private::{private, private_as},
};

/// Prices that you wait for.
///
/// Those of your alert rules that wait for a price above or below, newest first. The same rules, with all others, are at
/// `/api/v2/notifications/alerts`.
#[utoipa::path(
    get,
    path = "/api/v2/user/alerts",
    tag = "alerts",
    responses(
        (status = 200, description = "Your rules, active or not", body = Vec<PriceAlertBody>, links(
            ("delete" = (operation_id = "delete_price_alert", parameters(("id" = "$response.body#/0/id"))))
        ))
    ),
    security(("bearer" = []))
)]
pub(in crate::http) async fn price_alerts(account: Account, use_case: Data<ListAlerts>) -> Result<HttpResponse, ApiError> {
    let rules = use_case.execute(account.user, false).await?;
    Ok(private(rules.iter().filter_map(PriceAlertBody::of).collect::<Vec<_>>()))
}

/// Wait for a price.
///
/// The rule fires once when the price is beyond the target, already with the next tick where it is so now. It fires again no sooner
/// than 5 minutes later, and after the price was back by 0.5 % of the target.
#[utoipa::path(
    post,
    path = "/api/v2/user/alerts",
    tag = "alerts",
    request_body = NewPriceAlertBody,
    responses(
        (status = 201, description = "The rule", body = PriceAlertBody, links(
            ("delete" = (operation_id = "delete_price_alert", parameters(("id" = "$response.body#/id"))))
        )),
        NewRuleRefused
    ),
    security(("bearer" = []))
)]
pub(in crate::http) async fn create_price_alert(
    account: Account,
    use_case: Data<CreateAlert>,
    JsonObject(body): JsonObject<NewPriceAlertBody>,
) -> Result<HttpResponse, ApiError> {
    let (symbol, condition) = body.read()?;
    let rule = use_case.execute(account.user, symbol, condition).await?;
    let body = PriceAlertBody::of(&rule).ok_or_else(|| ApiError::new(error_codes::INTERNAL_ERROR))?;
    Ok(private_as(StatusCode::CREATED, body))
}

/// Wait no more.
///
/// Any of your alert rules.
#[utoipa::path(
    delete,
    path = "/api/v2/user/alerts/{id}",
    tag = "alerts",
    params(("id" = Uuid, Path, description = "One of your rules")),
    responses(
        (status = 200, description = "The rule is deleted; what fired stays in the history", body = NoticeDoneBody),
        (status = 404, description = "`alert_not_found`")
    ),
    security(("bearer" = []))
)]
pub(in crate::http) async fn delete_price_alert(
    account: Account,
    use_case: Data<DeleteAlert>,
    id: Path<Uuid>,
) -> Result<HttpResponse, ApiError> {
    delete(account, &use_case, id.into_inner()).await
}
