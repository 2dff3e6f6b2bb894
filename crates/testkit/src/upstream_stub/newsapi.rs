//! `/v2/everything` as NewsAPI answers it: what was removed is told as `[Removed]`, and texts end in `[+N chars]`.

use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};

use super::http::Recorded;

pub(super) fn answer(request: &Recorded) -> (u16, String) {
    if request.path != "/newsapi/v2/everything" {
        return (404, error("notFound", "The requested resource could not be found"));
    }
    if request.header("x-api-key").is_none_or(str::is_empty) {
        return (
            401,
            error(
                "apiKeyMissing",
                "Your API key is missing. Append this to the URL with the apiKey param, or use the x-api-key HTTP header.",
            ),
        );
    }
    let count = request.query("pageSize").and_then(|count| count.parse().ok()).unwrap_or(100_usize).min(100);
    let now = OffsetDateTime::now_utc().replace_nanosecond(0).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let removed = r#"{"source":{"id":null,"name":"[Removed]"},"author":null,"title":"[Removed]","description":"[Removed]","url":"https://removed.com","urlToImage":null,"publishedAt":"1970-01-01T00:00:00Z","content":"[Removed]"}"#.to_owned();
    let rows: Vec<_> = std::iter::once(removed).chain((1..count).map(|n| row(n, now))).collect();
    (200, format!(r#"{{"status":"ok","totalResults":8123,"articles":[{}]}}"#, rows.join(",")))
}

fn error(code: &str, message: &str) -> String {
    format!(r#"{{"status":"error","code":"{code}","message":"{message}"}}"#)
}

fn row(n: usize, now: OffsetDateTime) -> String {
    let at =
        (now - Duration::hours(24) - Duration::minutes(7) * u32::try_from(n).unwrap_or(0)).format(&Rfc3339).unwrap_or_default();
    let mood = [
        "Bitcoin rallies as ETF inflows surge",
        "Crypto exchange hacked, losses feared",
        "Miners &amp; markets wait for the Fed",
    ][n % 3];
    format!(
        r#"{{"source":{{"id":null,"name":"Outlet {n}"}},"author":"A. Writer","title":"{mood} ({n})","description":"<p>What happened on day {n}.</p>","url":"https://news.example.org/{n}","urlToImage":"https://news.example.org/{n}.jpg","publishedAt":"{at}","content":"What happened… [+1834 chars]"}}"#
    )
}
