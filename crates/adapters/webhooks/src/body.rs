//! What a webhook is sent.

use coinlink_domain::notifications::Notification;
use serde::Serialize;
use serde_json::{Map, Value};
use time::{OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339};

/// The notification as `/api/v2/notifications` shows it.
#[derive(Serialize)]
struct Body<'a> {
    id: String,
    r#type: &'static str,
    title: &'a str,
    message: &'a str,
    priority: &'static str,
    created_at: String,
    expires_at: Option<String>,
    action_url: Option<&'a str>,
    metadata: Map<String, Value>,
}

fn rfc3339(at: OffsetDateTime) -> String {
    // Only years before 0 and after 9999 cannot be written.
    at.to_offset(UtcOffset::UTC).format(&Rfc3339).unwrap_or_default()
}

pub(crate) fn body(of: &Notification) -> Result<Vec<u8>, serde_json::Error> {
    serde_json::to_vec(&Body {
        id: of.id.to_string(),
        r#type: of.kind.name(),
        title: &of.title,
        message: &of.message,
        priority: of.priority.name(),
        created_at: rfc3339(of.created_at),
        expires_at: of.expires_at.map(rfc3339),
        action_url: of.action_url.as_deref(),
        metadata: of.facts.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect(),
    })
}
