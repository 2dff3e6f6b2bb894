//! `/api/v2/notifications/webhooks`: addresses of your own that are told.

use actix_web::{
    HttpResponse,
    http::StatusCode,
    web::{Data, Path},
};
use coinlink_application::notifications::{AddWebhookError, KeepWebhooks, TestWebhookError};
use coinlink_domain::notifications::{TestRefused, Webhook, WebhookId};
use uuid::Uuid;

use super::shapes::{CreatedWebhookBody, NewWebhookBody, NoticeDoneBody, WebhookBody, WebhookTestBody, WebhooksBody};
use crate::http::{
    ApiError, error_codes,
    gate::SignedIn,
    json_object::JsonObject,
    private::{private, private_as},
};
use crate::wire::seconds_up;

impl From<AddWebhookError> for ApiError {
    fn from(error: AddWebhookError) -> Self {
        match error {
            AddWebhookError::Refused(why) => Self::new(error_codes::WEBHOOK_REFUSED)
                .message(format!("A webhook may not have this address: {why}."))
                .detail("url", why.to_string()),
            AddWebhookError::TooMany => Self::new(error_codes::TOO_MANY_WEBHOOKS)
                .message(format!("An account has at most {} webhooks; remove one first.", Webhook::MOST)),
            AddWebhookError::Sealing(error) => coinlink_ports::shared::StoreError::Unavailable(Box::new(error)).into(),
            AddWebhookError::Store(error) => error.into(),
        }
    }
}

impl From<TestWebhookError> for ApiError {
    fn from(error: TestWebhookError) -> Self {
        let wait = match error {
            TestWebhookError::NoSuch => return no_such(),
            TestWebhookError::Store(error) => return error.into(),
            TestWebhookError::NotNow(TestRefused::Waits) => 1,
            TestWebhookError::NotNow(TestRefused::TooSoon { after }) => {
                u32::try_from(seconds_up(after).max(1)).unwrap_or(u32::MAX)
            }
        };
        Self::new(error_codes::RATE_LIMITED)
            .message(format!(
                "A webhook is tested every {} seconds, and not while a test waits.",
                Webhook::BETWEEN_TESTS.whole_seconds()
            ))
            .retry_after(wait)
    }
}

fn no_such() -> ApiError {
    ApiError::new(error_codes::NOT_FOUND).message("You have no such webhook.")
}

/// Your webhooks.
#[utoipa::path(
    get,
    path = "/api/v2/notifications/webhooks",
    tag = "notifications",
    responses((status = 200, description = "Those there are", body = WebhooksBody)),
    security(("bearer" = []))
)]
pub(in crate::http) async fn list_webhooks(caller: SignedIn, use_case: Data<KeepWebhooks>) -> Result<HttpResponse, ApiError> {
    let hooks = use_case.list(caller.user).await?;
    Ok(private(WebhooksBody { webhooks: hooks.iter().map(WebhookBody::from).collect() }))
}

/// Make a webhook.
///
/// Each notification is sent there as JSON, signed with the secret that is shown in this answer and never again: `X-CoinLink-Signature`
/// holds `t=<seconds>,v1=<hex>`, where `v1` is the HMAC-SHA256 of `<seconds>.<body>` under the secret.
#[utoipa::path(
    post,
    path = "/api/v2/notifications/webhooks",
    tag = "notifications",
    request_body = NewWebhookBody,
    responses(
        (status = 201, description = "The webhook and its secret", body = CreatedWebhookBody),
        (status = 400, description = "`webhook_refused`: details say why"),
        (status = 409, description = "`too_many_webhooks`")
    ),
    security(("bearer" = []))
)]
pub(in crate::http) async fn add_webhook(
    caller: SignedIn,
    use_case: Data<KeepWebhooks>,
    JsonObject(body): JsonObject<NewWebhookBody>,
) -> Result<HttpResponse, ApiError> {
    let (webhook, secret) = use_case.add(caller.user, &body.url).await?;
    let body = CreatedWebhookBody { secret: secret.0, made: WebhookBody::from(&webhook) };
    Ok(private_as(StatusCode::CREATED, body))
}

/// Remove a webhook.
#[utoipa::path(
    delete,
    path = "/api/v2/notifications/webhooks/{id}",
    tag = "notifications",
    params(("id" = Uuid, Path, description = "One of your webhooks")),
    responses(
        (status = 200, description = "Nothing is sent to it any more", body = NoticeDoneBody),
        (status = 404, description = "You have no such webhook")
    ),
    security(("bearer" = []))
)]
pub(in crate::http) async fn remove_webhook(
    caller: SignedIn,
    use_case: Data<KeepWebhooks>,
    id: Path<Uuid>,
) -> Result<HttpResponse, ApiError> {
    if !use_case.remove(caller.user, WebhookId(id.into_inner())).await? {
        return Err(no_such());
    }
    Ok(private(NoticeDoneBody { message: "The webhook is removed.".to_owned() }))
}

/// Test a webhook.
///
/// Leaves a notification that goes to this webhook and nowhere else, quiet hours or not. Whether it was taken shows in
/// `last_success_at` and `last_error` of the webhook a moment later. Twelve seconds after a test there may be another; it takes the place of one
/// that was tried in vain.
#[utoipa::path(
    post,
    path = "/api/v2/notifications/webhooks/{id}/test",
    tag = "notifications",
    params(("id" = Uuid, Path, description = "One of your webhooks that is in use")),
    responses(
        (status = 202, description = "It is on its way", body = WebhookTestBody),
        (status = 404, description = "You have no such webhook in use")
    ),
    security(("bearer" = []))
)]
pub(in crate::http) async fn test_webhook(
    caller: SignedIn,
    use_case: Data<KeepWebhooks>,
    id: Path<Uuid>,
) -> Result<HttpResponse, ApiError> {
    let left = use_case.test(caller.user, WebhookId(id.into_inner())).await?;
    let body = WebhookTestBody { notification_id: left.0, message: "The test is on its way.".to_owned() };
    Ok(private_as(StatusCode::ACCEPTED, body))
}
