//! What stands on every answer, and the shape of failures.

use reqwest::Method;
use uuid::Uuid;

use super::{
    Visit,
    client::{Answer, Ask},
    headers_cors, headers_tls,
};

/// To the letter, on every answer.
const SECURITY: [(&str, &str); 7] = [
    ("strict-transport-security", "max-age=31536000; includeSubDomains"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("x-xss-protection", "0"),
    ("referrer-policy", "strict-origin-when-cross-origin"),
    ("permissions-policy", "camera=(), microphone=(), geolocation=()"),
    ("content-security-policy", "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'"),
];
const PROXY: &str = "CoinLink sends it: a proxy takes it away or writes it anew; let it through as it is";
const SHAPE: &str = "errors have one shape";
const TRACED: &str = "errors carry their trace id";
/// Rows of their own say why.
const NO_ANSWER: &str = "no answer could be looked at";
const PRIVATE: &str = "private answers are kept by nobody";
/// A route whose answer is its user's alone.
const OWN: &str = "/api/v2/auth/verify";

pub(super) async fn check(visit: &mut Visit<'_>) {
    let answers = of_every_kind(visit).await;
    for (name, expected) in SECURITY {
        if answers.is_empty() {
            visit.report.skip(name, NO_ANSWER);
            continue;
        }
        let wrong: Vec<_> = answers
            .iter()
            .filter(|(_, answer)| answer.header(name) != expected)
            .map(|(what, answer)| lack(what, answer, name))
            .collect();
        let seen = if wrong.is_empty() { format!("on all of {} kinds of answers", answers.len()) } else { wrong.join("; ") };
        visit.report.must(wrong.is_empty(), name, seen, PROXY);
    }
    failures(visit, &answers);
    software(visit, &answers);
    private_answers(visit).await;
    conditional(visit).await;
    headers_cors::check(visit).await;
    headers_tls::check(visit, answers.first().map(|(_, answer)| answer)).await;
}

fn lack(what: &str, answer: &Answer, name: &str) -> String {
    let value = answer.header(name);
    if value.is_empty() { format!("{what} has no {name}") } else { format!("{what} has {value:?}") }
}

/// An answer of each status that asking politely brings about. 429 is not among them: it would take other people's requests.
async fn of_every_kind(visit: &mut Visit<'_>) -> Vec<(&'static str, Answer)> {
    let broken = Ask::new(Method::POST, "/api/bitcoin/analyze").text("{");
    let asked = [
        ("200 /", 200, Ask::get("/")),
        ("200 /livez", 200, Ask::get("/livez")),
        ("404", 404, Ask::get("/nothing/is/here")),
        ("401", 401, Ask::get(OWN)),
        ("405", 405, Ask::new(Method::DELETE, "/api/bitcoin/price")),
        ("400", 400, broken),
        ("403", 403, headers_cors::preflight("https://foreign.invalid")),
    ];
    let mut answers = Vec::new();
    for (what, status, ask) in asked {
        let check = format!("answers {what}");
        let Some(answer) = visit.ask(&check, ask).await else { continue };
        if answer.status == status {
            answers.push((what, answer));
        } else {
            visit.report.fail(&check, answer.told(), "find what answers in the server's place");
        }
    }
    answers
}

fn failures(visit: &mut Visit<'_>, answers: &[(&'static str, Answer)]) {
    let failed: Vec<_> = answers.iter().filter(|(_, answer)| answer.status >= 400).collect();
    if failed.is_empty() {
        visit.report.skip_all(&[SHAPE, TRACED], NO_ANSWER);
        return;
    }
    let wrong: Vec<_> = failed.iter().filter_map(|(what, answer)| Some(format!("{what}: {}", misshapen(answer)?))).collect();
    let seen = if wrong.is_empty() { format!("{} failures have it", failed.len()) } else { wrong.join("; ") };
    visit.report.must(wrong.is_empty(), SHAPE, seen, "let the server's own errors through");
    let untraced = |answer: &Answer| answer.json["error"]["trace_id"].as_str().is_none_or(|id| id != answer.header("x-trace-id"));
    let wrong: Vec<_> =
        failed.iter().filter(|(_, answer)| untraced(answer)).map(|(what, answer)| lack_of_trace(what, answer)).collect();
    let seen = if wrong.is_empty() { "the same in body and header".to_owned() } else { wrong.join("; ") };
    visit.report.must(wrong.is_empty(), TRACED, seen, PROXY);
}

fn lack_of_trace(what: &str, answer: &Answer) -> String {
    let header = answer.header("x-trace-id");
    if header.is_empty() { format!("{what} has no x-trace-id") } else { format!("{what} has another one in its body") }
}

fn misshapen(answer: &Answer) -> Option<&'static str> {
    let (error, text) = (&answer.json["error"], |value: &serde_json::Value| value.as_str().is_some_and(|text| !text.is_empty()));
    if !answer.header("content-type").starts_with("application/json") {
        Some("no JSON")
    } else if !text(&error["code"]) || !text(&error["message"]) || !error["details"].is_object() {
        Some("no error with code, message and details")
    } else if error["trace_id"].as_str().is_none_or(|id| Uuid::try_parse(id).is_err()) {
        Some("no trace_id")
    } else if answer.json["detail"] != error["message"] {
        Some("detail is not the message")
    } else {
        None
    }
}

/// Which software answers, and in which version, is of use to nobody but attackers.
fn software(visit: &mut Visit<'_>, answers: &[(&'static str, Answer)]) {
    let told = answers.iter().flat_map(|(_, answer)| ["server", "x-powered-by", "via"].map(|name| answer.header(name)));
    let versions: Vec<_> =
        told.filter(|value| value.contains('/') && value.chars().any(|character| character.is_ascii_digit())).collect();
    match versions.first() {
        None => visit.report.ok("no software is named with its version", "none is"),
        Some(seen) => {
            visit.report.warn("no software is named with its version", seen, "have the proxy keep its version to itself");
        }
    }
}

/// Asks for something private with a token, then for the same without: what stands between must not have kept it.
async fn private_answers(visit: &mut Visit<'_>) {
    let access = match visit.access().await {
        Ok(access) => access,
        Err(why) => return visit.report.skip(PRIVATE, why),
    };
    let Some(own) = visit.ask(PRIVATE, Ask::get(OWN).bearer(&access)).await else { return };
    let Some(nobodys) = visit.ask(PRIVATE, Ask::get(OWN)).await else { return };
    let control = own.header("cache-control");
    let kept = ["age", "x-cache", "x-cache-status", "cf-cache-status"].map(|name| nobodys.header(name).to_ascii_lowercase());
    let advice =
        "have the proxy or content network keep no answer to a request with Authorization, and leave Cache-Control as it is";
    if own.status != 200 {
        visit.report.fail(PRIVATE, format!("with a token it is answered {}", own.told()), "see the checks of auth");
    } else if nobodys.status == 200 || kept.iter().any(|value| value.contains("hit")) {
        visit.report.fail(PRIVATE, "one user's answer is given to others: a cache kept it", advice);
    } else {
        let seen = format!("cache-control: {control}");
        visit.report.must(control.contains("no-store"), PRIVATE, seen, advice);
    }
}

async fn conditional(visit: &mut Visit<'_>) {
    const CHECK: &str = "what is unchanged is not sent again";
    let Some(first) = visit.ask(CHECK, Ask::get("/asyncapi.json")).await else { return };
    let tag = first.header("etag");
    if tag.is_empty() {
        return visit.report.fail(CHECK, "there is no ETag", PROXY);
    }
    let Some(again) = visit.ask(CHECK, Ask::get("/asyncapi.json").with("if-none-match", &tag)).await else { return };
    visit.report.must(again.status == 304, CHECK, format!("answered {}", again.status), PROXY);
}
