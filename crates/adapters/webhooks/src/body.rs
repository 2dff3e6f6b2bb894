//! What a webhook is sent.

use coinlink_domain::notifications::Notification;
use serde::Serialize;
use serde_json::{Map, Value};
use time::{OffsetDateTime, UtcOffset, format_description::StaticFormatDescription, macros::format_description};

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

/// As the server writes it: as long for every moment.
const MOMENT: StaticFormatDescription =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]Z");

fn rfc3339(at: OffsetDateTime) -> String {
    at.to_offset(UtcOffset::UTC).format(&MOMENT).unwrap_or_default()
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

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn every_moment_is_as_long_as_the_server_writes_it() {
        for (moment, text) in [
            (datetime!(2026-01-01 1:00 +1), "2026-01-01T00:00:00.000000Z"),
            (datetime!(2026-01-01 0:00:00.1234567 UTC), "2026-01-01T00:00:00.123456Z"),
        ] {
            assert_eq!(rfc3339(moment), text);
        }
    }
}
