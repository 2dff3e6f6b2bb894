//! `/api/v2/notifications/settings`: on which ways you want to be told of what.

use actix_web::{HttpResponse, web::Data};
use coinlink_application::notifications::KeepNotificationSettings;
use coinlink_domain::notifications::{ClockOffset, NotificationSettings, QuietHours};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::{ApiError, gate::SignedIn, json_object::JsonObject, private::private};

/// Ways and kinds; what is not sent becomes the default. Whatever is set, the inbox keeps everything. What
/// `/api/v2/user/preferences` switches off is not sent either.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(example = json!({ "email_enabled": true, "quiet_hours_start": "22:00", "quiet_hours_end": "08:00", "timezone": "+01:00" }))]
#[expect(clippy::struct_excessive_bools, reason = "the shape is the contract's")]
pub(in crate::http) struct NotificationSettingsBody {
    /// Letters, to an address of yours that is verified; at most 10 an hour.
    #[schema(default = true)]
    pub email_enabled: bool,
    /// Frames to your open sockets, and your webhooks.
    #[schema(default = true)]
    pub push_enabled: bool,
    /// This server sends no text messages: only `false` is taken.
    #[schema(default = false)]
    pub sms_enabled: bool,
    /// Of what your alert rules wait for.
    #[schema(default = true)]
    pub price_alerts: bool,
    /// Of news.
    #[schema(default = true)]
    pub news_updates: bool,
    /// Of the service.
    #[schema(default = true)]
    pub system_alerts: bool,
    /// Of your portfolio.
    #[schema(default = true)]
    pub trade_updates: bool,
    /// Of your account; letters of these are sent whatever is set.
    #[schema(default = true)]
    pub security_alerts: bool,
    /// From when on letters and webhooks wait, `HH:MM`; with an end.
    #[schema(pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$")]
    pub quiet_hours_start: Option<String>,
    /// Until when, `HH:MM`; the next day where it is the earlier.
    #[schema(pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$")]
    pub quiet_hours_end: Option<String>,
    /// Which clock quiet hours are of: `UTC`, or an offset from it of at most 14 hours such as `+02:00`. It does not follow daylight saving time.
    #[schema(default = "UTC", pattern = "^(UTC|[+-]((0[0-9]|1[0-3]):[0-5][0-9]|14:00))$")]
    pub timezone: String,
}

impl Default for NotificationSettingsBody {
    fn default() -> Self {
        NotificationSettings::default().into()
    }
}

impl From<NotificationSettings> for NotificationSettingsBody {
    fn from(of: NotificationSettings) -> Self {
        Self {
            email_enabled: of.email_enabled,
            push_enabled: of.push_enabled,
            sms_enabled: false,
            price_alerts: of.price_alerts,
            news_updates: of.news_updates,
            system_alerts: of.system_alerts,
            trade_updates: of.trade_updates,
            security_alerts: of.security_alerts,
            quiet_hours_start: of.quiet_hours.map(|quiet| quiet.start()),
            quiet_hours_end: of.quiet_hours.map(|quiet| quiet.end()),
            timezone: of.clock.to_string(),
        }
    }
}

impl TryFrom<NotificationSettingsBody> for NotificationSettings {
    type Error = ApiError;

    fn try_from(of: NotificationSettingsBody) -> Result<Self, ApiError> {
        if of.sms_enabled {
            return Err(ApiError::invalid_input("sms_enabled", "this server sends no text messages"));
        }
        let quiet_hours = match (of.quiet_hours_start, of.quiet_hours_end) {
            (None, None) => None,
            (Some(start), Some(end)) => Some(
                QuietHours::try_new(&start, &end)
                    .map_err(|error| ApiError::invalid_input("quiet_hours_start", error.to_string()))?,
            ),
            (Some(_), None) => return Err(ApiError::invalid_input("quiet_hours_end", "is missing")),
            (None, Some(_)) => return Err(ApiError::invalid_input("quiet_hours_start", "is missing")),
        };
        Ok(Self {
            email_enabled: of.email_enabled,
            push_enabled: of.push_enabled,
            price_alerts: of.price_alerts,
            news_updates: of.news_updates,
            system_alerts: of.system_alerts,
            trade_updates: of.trade_updates,
            security_alerts: of.security_alerts,
            quiet_hours,
            clock: ClockOffset::try_new(&of.timezone).map_err(|error| ApiError::invalid_input("timezone", error.to_string()))?,
        })
    }
}

/// On which ways you are told of what.
#[utoipa::path(
    get,
    path = "/api/v2/notifications/settings",
    tag = "notifications",
    responses((status = 200, description = "What you set, and the defaults", body = NotificationSettingsBody)),
    security(("bearer" = []))
)]
pub(in crate::http) async fn notification_settings(
    caller: SignedIn,
    use_case: Data<KeepNotificationSettings>,
) -> Result<HttpResponse, ApiError> {
    Ok(private(NotificationSettingsBody::from(use_case.read(caller.user).await?)))
}

/// Set on which ways you are told of what.
#[utoipa::path(
    put,
    path = "/api/v2/notifications/settings",
    tag = "notifications",
    request_body = NotificationSettingsBody,
    responses(
        (status = 200, description = "What holds now", body = NotificationSettingsBody),
        (status = 400, description = "`invalid_input`")
    ),
    security(("bearer" = []))
)]
pub(in crate::http) async fn save_notification_settings(
    caller: SignedIn,
    use_case: Data<KeepNotificationSettings>,
    JsonObject(body): JsonObject<NotificationSettingsBody>,
) -> Result<HttpResponse, ApiError> {
    let set = NotificationSettings::try_from(body)?;
    use_case.save(caller.user, &set).await?;
    Ok(private(NotificationSettingsBody::from(set)))
}
