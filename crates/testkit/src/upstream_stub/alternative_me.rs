//! `/fng/` as alternative.me answers it: every number is a string.

use time::{Duration, OffsetDateTime};

use super::http::Recorded;

pub(super) fn answer(request: &Recorded) -> (u16, String) {
    if request.path != "/alternative_me/fng/" {
        return (404, r#"{"message":"Not Found"}"#.to_owned());
    }
    let now = OffsetDateTime::now_utc();
    let midnight = now.replace_time(time::Time::MIDNIGHT);
    let left = (midnight + Duration::DAY - now).whole_seconds();
    let body = format!(
        r#"{{"name":"Fear and Greed Index","data":[{{"value":"39","value_classification":"Fear","timestamp":"{}","time_until_update":"{left}"}}],"metadata":{{"error":null}}}}"#,
        midnight.unix_timestamp()
    );
    (200, body)
}
