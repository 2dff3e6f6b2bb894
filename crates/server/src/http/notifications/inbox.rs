//! `/api/v2/notifications`: your inbox.

use actix_web::{
    HttpResponse,
    web::{Data, Path, Query},
};
use coinlink_application::notifications::{ReadInbox, TendInbox};
use coinlink_domain::notifications::{NotificationId, NotificationKind};
use coinlink_ports::notifications::InboxQuery;
use time::OffsetDateTime;
use uuid::Uuid;

use super::shapes::{InboxParams, NoticeDoneBody, NotificationBody, NotificationsHealthBody, UnreadBody};
use crate::{
    http::{ApiError, ENDPOINTS, error_codes, gate::Account, lists::read_number, private::private},
    wire::rfc3339,
};

const LIMIT: u32 = 50;
const MOST: u32 = 100;
/// No inbox keeps more.
const FARTHEST: u32 = 1_000;

impl TryFrom<InboxParams> for InboxQuery {
    type Error = ApiError;

    fn try_from(asked: InboxParams) -> Result<Self, ApiError> {
        let kind = |name: String| {
            NotificationKind::from_name(&name).ok_or_else(|| ApiError::invalid_query("type_filter", "is no type of notification"))
        };
        let unread_only = asked.unread_only.as_deref().map_or(Ok(false), str::parse);
        Ok(Self {
            kind: asked.type_filter.map(kind).transpose()?,
            unread_only: unread_only.map_err(|_| ApiError::invalid_query("unread_only", "true or false"))?,
            limit: read_number("limit", asked.limit.as_deref(), LIMIT, 1..=MOST)?,
            offset: read_number("offset", asked.offset.as_deref(), 0, 0..=FARTHEST)?,
        })
    }
}

fn no_such() -> ApiError {
    ApiError::new(error_codes::NOTIFICATION_NOT_FOUND)
}

fn done(message: &str) -> HttpResponse {
    private(NoticeDoneBody { message: message.to_owned() })
}

/// Your notifications, newest first.
///
/// The newest 1000 are kept, each until it expires.
#[utoipa::path(
    get,
    path = "/api/v2/notifications",
    tag = "notifications",
    params(InboxParams),
    responses((status = 200, description = "Those that were asked for", body = Vec<NotificationBody>)),
    security(("bearer" = []))
)]
pub(in crate::http) async fn list_notifications(
    caller: Account,
    use_case: Data<ReadInbox>,
    asked: Query<InboxParams>,
) -> Result<HttpResponse, ApiError> {
    let found = use_case.execute(caller.user, asked.into_inner().try_into()?).await?;
    Ok(private(found.into_iter().map(NotificationBody::from).collect::<Vec<_>>()))
}

/// How many of your notifications were not read.
#[utoipa::path(
    get,
    path = "/api/v2/notifications/unread-count",
    tag = "notifications",
    responses((status = 200, description = "Counted now", body = UnreadBody)),
    security(("bearer" = []))
)]
pub(in crate::http) async fn unread_count(caller: Account, use_case: Data<ReadInbox>) -> Result<HttpResponse, ApiError> {
    Ok(private(UnreadBody { unread_count: use_case.unread(caller.user).await? }))
}

/// Note that a notification was read.
///
/// Once or more often is the same.
#[utoipa::path(
    put,
    path = "/api/v2/notifications/{id}/read",
    tag = "notifications",
    params(("id" = Uuid, Path, description = "One of your notifications")),
    responses(
        (status = 200, description = "It is noted", body = NoticeDoneBody),
        (status = 404, description = "`notification_not_found`")
    ),
    security(("bearer" = []))
)]
pub(in crate::http) async fn mark_read(
    caller: Account,
    use_case: Data<TendInbox>,
    id: Path<Uuid>,
) -> Result<HttpResponse, ApiError> {
    if !use_case.mark_read(caller.user, NotificationId(id.into_inner())).await? {
        return Err(no_such());
    }
    Ok(done("The notification is marked as read."))
}

/// Note that all your notifications were read.
#[utoipa::path(
    put,
    path = "/api/v2/notifications/read-all",
    tag = "notifications",
    responses((status = 200, description = "It is noted", body = NoticeDoneBody)),
    security(("bearer" = []))
)]
pub(in crate::http) async fn mark_all_read(caller: Account, use_case: Data<TendInbox>) -> Result<HttpResponse, ApiError> {
    let marked = use_case.mark_all_read(caller.user).await?;
    Ok(done(&format!("Notifications marked as read: {marked}.")))
}

/// Remove a notification.
///
/// Whatever of it is still on its way is not delivered.
#[utoipa::path(
    delete,
    path = "/api/v2/notifications/{id}",
    tag = "notifications",
    params(("id" = Uuid, Path, description = "One of your notifications")),
    responses(
        (status = 200, description = "It is gone", body = NoticeDoneBody),
        (status = 404, description = "`notification_not_found`")
    ),
    security(("bearer" = []))
)]
pub(in crate::http) async fn remove_notification(
    caller: Account,
    use_case: Data<TendInbox>,
    id: Path<Uuid>,
) -> Result<HttpResponse, ApiError> {
    if !use_case.remove(caller.user, NotificationId(id.into_inner())).await? {
        return Err(no_such());
    }
    Ok(done("The notification is removed."))
}

/// Whether inboxes can be read, and what else there is.
#[utoipa::path(
    get,
    path = "/api/v2/notifications/health",
    tag = "notifications",
    responses((status = 200, description = "How it is", body = NotificationsHealthBody))
)]
pub(in crate::http) async fn notifications_health(use_case: Data<ReadInbox>) -> HttpResponse {
    let endpoints = ENDPOINTS.iter().map(|endpoint| endpoint.path);
    private(NotificationsHealthBody {
        status: if use_case.answers().await { "healthy" } else { "degraded" },
        service: "notifications",
        timestamp: rfc3339(OffsetDateTime::now_utc()),
        endpoints: endpoints.filter(|path| path.starts_with("/api/v2/notifications")).collect(),
    })
}
