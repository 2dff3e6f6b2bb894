//! Bodies of `/api/v2/notifications`.

use std::collections::BTreeMap;

use coinlink_domain::notifications::{Notification, Webhook};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::wire::rfc3339;

/// What a notification is about, for the document.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(not(test), expect(dead_code, reason = "bodies hold the kind's own name"))]
pub(super) enum NotificationKindName {
    PriceAlert,
    NewsUpdate,
    SystemAlert,
    TradeUpdate,
    SecurityAlert,
}

/// How much it may disturb, for the document.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(not(test), expect(dead_code, reason = "bodies hold the priority's own name"))]
pub(super) enum PriorityName {
    Low,
    Medium,
    High,
    Critical,
}

/// Which of your notifications.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct InboxParams {
    /// Of this kind only.
    #[param(value_type = Option<NotificationKindName>)]
    pub type_filter: Option<String>,
    /// Not those that were read.
    #[param(value_type = Option<bool>, default = false)]
    pub unread_only: Option<String>,
    /// Notifications in one answer.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100, default = 50)]
    pub limit: Option<String>,
    /// Without the newest so many.
    #[param(value_type = Option<u32>, minimum = 0, maximum = 1000, default = 0)]
    pub offset: Option<String>,
}

/// A notification.
#[derive(Serialize, ToSchema)]
pub(crate) struct NotificationBody {
    /// The same on every way it takes to you.
    pub id: Uuid,
    /// What it is about.
    #[schema(value_type = NotificationKindName)]
    pub r#type: &'static str,
    /// A few words; plain text.
    pub title: String,
    /// A sentence or two; plain text.
    pub message: String,
    /// What is `critical` does not wait for the end of quiet hours.
    #[schema(value_type = PriorityName)]
    pub priority: &'static str,
    /// You have seen it.
    pub is_read: bool,
    /// RFC 3339.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// From then on it is not shown any more, RFC 3339.
    #[schema(format = DateTime)]
    pub expires_at: Option<String>,
    /// Where a click leads: a path of the front end or an `https://` address.
    pub action_url: Option<String>,
    /// Further facts by name, such as the symbol and the price of an alert.
    #[schema(value_type = Object, additional_properties = true)]
    pub metadata: BTreeMap<String, String>,
}

impl From<Notification> for NotificationBody {
    fn from(of: Notification) -> Self {
        Self {
            id: of.id.0,
            r#type: of.kind.name(),
            title: of.title,
            message: of.message,
            priority: of.priority.name(),
            is_read: of.is_read,
            created_at: rfc3339(of.created_at),
            expires_at: of.expires_at.map(rfc3339),
            action_url: of.action_url,
            metadata: of.facts.into_iter().collect(),
        }
    }
}

/// It was done.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct NoticeDoneBody {
    /// For people.
    pub message: String,
}

/// How many were not read.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct UnreadBody {
    /// Those that are still shown.
    pub unread_count: u64,
}

/// How the routes of notifications are.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct NotificationsHealthBody {
    /// `healthy`, or `degraded` while the store does not answer.
    pub status: &'static str,
    /// `notifications`.
    pub service: &'static str,
    /// When this was looked at, RFC 3339.
    #[schema(format = DateTime)]
    pub timestamp: String,
    /// The routes under `/api/v2/notifications`.
    pub endpoints: Vec<&'static str>,
}

/// A new webhook.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"url": "https://hooks.example.com/coinlink"}))]
pub(in crate::http) struct NewWebhookBody {
    /// Where notifications go: `https`, port 443 or 8443, a host of the public internet, no user name and no part after `#`.
    #[schema(pattern = "^https://", max_length = 2048)]
    pub url: String,
}

/// A webhook, without its secret.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct WebhookBody {
    /// Its id.
    pub id: Uuid,
    /// Where notifications go.
    pub url: String,
    /// When it was made, RFC 3339.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// Notifications that were given up since one was taken.
    pub failures: u32,
    /// Since when nothing is sent to it any more, RFC 3339: too many were given up in a row. Remove it and make it anew.
    #[schema(format = DateTime)]
    pub disabled_at: Option<String>,
    /// When the last call of it ended, RFC 3339; null before the first.
    #[schema(format = DateTime)]
    pub last_attempt_at: Option<String>,
    /// When it last took a notification, RFC 3339.
    #[schema(format = DateTime)]
    pub last_success_at: Option<String>,
    /// Why the last call failed, such as `it answers 500` or `no connection`; null where it did not.
    #[schema(example = "it answers 500")]
    pub last_error: Option<String>,
}

impl From<&Webhook> for WebhookBody {
    fn from(of: &Webhook) -> Self {
        Self {
            id: of.id.0,
            url: of.url.clone(),
            created_at: rfc3339(of.created_at),
            failures: of.failures,
            disabled_at: of.disabled_at.map(rfc3339),
            last_attempt_at: of.calls.last_at.map(rfc3339),
            last_success_at: of.calls.last_success_at.map(rfc3339),
            last_error: of.calls.last_error.clone(),
        }
    }
}

/// The webhook that was made, with its secret.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct CreatedWebhookBody {
    /// What requests to it are signed with. It is shown this once: store it where only the receiver reads it.
    #[schema(pattern = "^whsec_[0-9a-f]{64}$")]
    pub secret: String,
    #[serde(flatten)]
    pub made: WebhookBody,
}

/// Your webhooks.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct WebhooksBody {
    /// Oldest first; at most 5.
    pub webhooks: Vec<WebhookBody>,
}

/// The test is on its way.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct WebhookTestBody {
    /// Of the notification that was left; the request carries it.
    pub notification_id: Uuid,
    /// For people.
    pub message: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use coinlink_domain::notifications::{NotificationKind, Priority};

    #[test]
    fn the_document_names_every_kind_and_priority_as_it_is() {
        use NotificationKindName::{NewsUpdate, PriceAlert, SecurityAlert, SystemAlert, TradeUpdate};
        let named =
            [PriceAlert, NewsUpdate, SystemAlert, TradeUpdate, SecurityAlert].map(|name| serde_json::to_value(name).unwrap());
        assert_eq!(named, NotificationKind::ALL.map(NotificationKind::name));
        let named = [PriorityName::Low, PriorityName::Medium, PriorityName::High, PriorityName::Critical];
        assert_eq!(named.map(|name| serde_json::to_value(name).unwrap()), Priority::ALL.map(Priority::name));
    }
}
