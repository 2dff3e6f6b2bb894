//! Every route that the front end has a call for, with what it reads of the answer.

use reqwest::Method;
use serde_json::json;

use super::{
    Visit,
    client::Ask,
    shape::{self, Field, Kind},
};

/// A call: what is asked, the status, and the fields that are read.
#[derive(Clone, Copy)]
struct Call {
    path: &'static str,
    /// What is posted; without it the call is a GET.
    body: Option<&'static str>,
    signed_in: bool,
    status: u16,
    fields: &'static [Field],
}

const fn read(path: &'static str, fields: &'static [Field]) -> Call {
    Call { path, body: None, signed_in: false, status: 200, fields }
}

/// The list of prices, which may be empty.
const TICKER: &str = "/api/crypto/ticker";

const CALLS: &[Call] = &[
    read(
        "/api/bitcoin/price",
        &[("/data/price", Kind::Number), ("/data/change_24h", Kind::MaybeNumber), ("/data/timestamp", Kind::Words)],
    ),
    read(
        TICKER,
        &[("/data", Kind::List), ("/data/0/symbol", Kind::Words), ("/data/0/price", Kind::Number), ("/timestamp", Kind::Words)],
    ),
    read(
        "/api/bitcoin/sentiment",
        &[("/data/score", Kind::MaybeNumber), ("/data/label", Kind::Words), ("/timestamp", Kind::Words)],
    ),
    read(
        "/api/bitcoin/market-summary",
        &[("/data/price", Kind::Number), ("/data/volume_24h", Kind::MaybeNumber), ("/data/stale", Kind::Bool)],
    ),
    read(
        "/api/bitcoin/news?limit=10",
        &[
            ("/articles", Kind::List),
            ("/articles/0/title", Kind::Words),
            ("/articles/0/url", Kind::Words),
            ("/count", Kind::Number),
        ],
    ),
    Call {
        path: "/api/bitcoin/analyze",
        body: Some(r#"{"text":"Bitcoin rallies as fear fades"}"#),
        fields: &[("/sentiment", Kind::Words), ("/score", Kind::Number), ("/model", Kind::Words), ("/keywords", Kind::List)],
        ..read("", &[])
    },
    read("/api/alerts", &[("/alerts", Kind::List), ("/count", Kind::Number)]),
    read("/api/alerts/history?limit=20", &[("/history", Kind::List), ("/limit", Kind::Number)]),
    read("/api/chat/history", &[("/history", Kind::List), ("/count", Kind::Number)]),
    read(
        "/api/prompts",
        &[("/prompts/11/content", Kind::Words), ("/prompts/0/kind", Kind::Words), ("/prompts/0/title", Kind::Words)],
    ),
    read("/api/connections", &[("/active_connections", Kind::Number), ("/websocket_stats/redis_connected", Kind::Bool)]),
    read(
        "/api/v2/auth/rate-limit",
        &[("/prompts_left", Kind::Number), ("/prompts_max", Kind::Number), ("/ip_limits", Kind::List)],
    ),
    read("/health", &[("/status", Kind::Words), ("/connections", Kind::Number), ("/routes_loaded/websocket", Kind::Bool)]),
    read(
        "/",
        &[("/message", Kind::Words), ("/version", Kind::Words), ("/api_endpoints", Kind::Object), ("/features", Kind::List)],
    ),
    // A link that is none: the page shows why.
    Call { status: 400, fields: &[("/detail", Kind::Words)], ..read("/api/auth/verify?token=no-such-token", &[]) },
    Call {
        signed_in: true,
        fields: &[("/user/email", Kind::Words), ("/message", Kind::Words)],
        ..read("/api/v2/auth/verify", &[])
    },
    // As somebody: the few questions of an address stay for whoever else has it.
    Call {
        path: "/api/chat",
        body: Some(r#"{"message":"What is the price of bitcoin?","session_id":"default","token":null}"#),
        signed_in: true,
        fields: &[("/type", Kind::Words), ("/bot_response", Kind::Words)],
        ..read("", &[])
    },
];

/// What routes say while nobody who knows has answered yet. Any other 503, a gateway's for one, is wrong.
const OF_PROVIDERS: [&str; 2] = ["not_known_yet", "price_unavailable"];
const AWAY: &str = "a provider does not answer: see whether it can be reached (docs/providers.md)";

fn is_a_providers(status: u16, code: &str) -> bool {
    status == 503 && OF_PROVIDERS.contains(&code)
}

pub(super) async fn check(visit: &mut Visit<'_>) {
    for call in CALLS {
        let path = call.path.split('?').next().unwrap_or_default();
        let method = if call.body.is_some() { Method::POST } else { Method::GET };
        let check = format!("{method} {path}");
        let mut ask = Ask::new(method, call.path);
        if let Some(body) = call.body {
            ask = ask.text(body);
        }
        if call.signed_in {
            match visit.access().await {
                Ok(access) => ask = ask.bearer(&access),
                Err(why) => {
                    visit.report.skip(&check, why);
                    continue;
                }
            }
        }
        let Some(answer) = visit.ask(&check, ask).await else { continue };
        if is_a_providers(answer.status, answer.code()) {
            visit.report.others(&check, answer.told(), AWAY);
            continue;
        }
        if answer.status != call.status {
            let advice = "the front end shows an error here: see the server's log by its X-Trace-Id";
            visit.report.fail(&check, answer.told(), advice);
            continue;
        }
        let is_empty = answer.json["data"].as_array().is_some_and(Vec::is_empty);
        if path == TICKER && is_empty {
            visit.report.others(&check, "no price was ever known", AWAY);
            continue;
        }
        let faults = shape::faults(&answer.json, call.fields);
        let seen =
            if faults.is_empty() { format!("{}, {} ms", answer.status, answer.took.as_millis()) } else { faults.join("; ") };
        visit.report.must(
            faults.is_empty(),
            &check,
            seen,
            "the front end reads another shape: let the server's answer through as it is",
        );
    }
    trailing_slash(visit).await;
}

/// Older clients ask for some paths with a slash after them.
async fn trailing_slash(visit: &mut Visit<'_>) {
    const CHECK: &str = "paths with a slash after them";
    let Some(answer) = visit.ask(CHECK, Ask::get("/api/prompts/")).await else { return };
    visit.report.must(answer.status == 200, CHECK, answer.told(), "a proxy must not redirect or refuse them");
    let unknown = Ask::post("/api/bitcoin/analyze", &json!({"text": "a", "unknown": 1}));
    let Some(answer) = visit.ask("unknown fields are refused", unknown).await else { return };
    visit.report.must(
        answer.status == 400,
        "unknown fields are refused",
        answer.told(),
        "find what answers in the server's place",
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::error_codes;

    #[test]
    fn only_what_a_provider_has_not_answered_is_somebody_elses_fault() {
        for code in error_codes::ALL {
            let of_others = matches!(code.code, "not_known_yet" | "price_unavailable");
            assert_eq!(is_a_providers(code.status, code.code), of_others, "{}", code.code);
        }
        assert!(!is_a_providers(503, "") && !is_a_providers(502, "not_known_yet"), "a gateway's own");
        assert!(OF_PROVIDERS.iter().all(|name| error_codes::ALL.iter().any(|code| code.code == *name)), "they are codes of ours");
    }
}
