//! Which pages may ask, and read what is answered.

use std::collections::BTreeSet;

use reqwest::Method;

use super::{
    Visit,
    client::{Answer, Ask},
};

const ALLOWED: &str = "access-control-allow-origin";
const FOREIGN: &str = "https://coinlink-verify.invalid";
const METHODS: [&str; 6] = ["get", "post", "put", "patch", "delete", "options"];
const HEADERS: [&str; 8] =
    ["authorization", "content-type", "accept", "origin", "x-csrf-token", "x-request-id", "x-api-key", "idempotency-key"];
const EXPOSED: [&str; 5] = ["x-request-id", "x-trace-id", "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"];
const OWN: &str = "CoinLink answers CORS itself: take such headers out of the proxy's configuration";

/// What a browser asks before it lets a page of `origin` ask.
pub(super) fn preflight(origin: &str) -> Ask {
    let ask = Ask::new(Method::OPTIONS, "/api/chat").with("origin", origin).with("access-control-request-method", "POST");
    ask.with("access-control-request-headers", "authorization,content-type")
}

pub(super) async fn check(visit: &mut Visit<'_>) {
    known(visit).await;
    foreign(visit).await;
}

async fn known(visit: &mut Visit<'_>) {
    const CHECK: &str = "CORS: the known origin may ask";
    let origin = visit.options.known_origin();
    let Some(answer) = visit.ask(CHECK, preflight(&origin)).await else { return };
    let allowed = answer.header(ALLOWED);
    if allowed != origin {
        let seen = if allowed.is_empty() {
            format!("{origin} is refused ({})", answer.told())
        } else {
            format!("{origin} is answered {allowed:?}")
        };
        if visit.options.origin.is_none() && allowed.is_empty() && visit.options.is_local() {
            return visit.report.skip(CHECK, format!("{seen}: name an origin of ALLOWED_ORIGINS with --origin"));
        }
        let advice = if allowed.is_empty() { "add it to ALLOWED_ORIGINS (scheme://host[:port], exactly)" } else { OWN };
        return visit.report.fail(CHECK, seen, advice);
    }
    visit.report.ok(CHECK, format!("{origin}, preflight {}", answer.status));
    let credentials = answer.header("access-control-allow-credentials");
    visit.report.must(credentials == "true", "CORS: with credentials", format!("{credentials:?}"), OWN);
    let age = answer.header("access-control-max-age");
    visit.report.must(age == "3600", "CORS: preflights are kept for 3600 s", format!("{age:?}"), OWN);
    for (check, header, expected) in [
        ("CORS: methods", "access-control-allow-methods", &METHODS[..]),
        ("CORS: request headers", "access-control-allow-headers", &HEADERS[..]),
    ] {
        listed(visit, check, &answer, header, expected);
    }
    // Also on what fails: a page could not read why.
    let Some(answer) = visit.ask("CORS: errors", Ask::get("/nothing/is/here").with("origin", &origin)).await else { return };
    let seen = format!("{} on a 404", answer.header(ALLOWED));
    visit.report.must(answer.header(ALLOWED) == origin, "CORS: pages may read why something failed", seen, OWN);
    listed(visit, "CORS: headers that pages may read", &answer, "access-control-expose-headers", &EXPOSED);
    let vary = answer.header("vary").to_ascii_lowercase();
    let seen = if vary.contains("origin") { "vary: origin" } else { "caches are not told that answers depend on the origin" };
    visit.report.must(vary.contains("origin"), "CORS: caches keep origins apart", seen, OWN);
}

fn listed(visit: &mut Visit<'_>, check: &str, answer: &Answer, header: &str, expected: &[&str]) {
    let value = answer.header(header).to_ascii_lowercase();
    let there: BTreeSet<_> = value.split(',').map(str::trim).collect();
    let missing: Vec<_> = expected.iter().filter(|name| !there.contains(*name)).copied().collect();
    let seen =
        if missing.is_empty() { "all that the front end needs".to_owned() } else { format!("without {}", missing.join(", ")) };
    visit.report.must(missing.is_empty(), check, seen, OWN);
}

async fn foreign(visit: &mut Visit<'_>) {
    const CHECK: &str = "CORS: foreign origins may not read";
    let known = visit.options.known_origin();
    let mut strangers = vec![FOREIGN.to_owned(), "null".to_owned(), format!("{known}.coinlink-verify.invalid")];
    if let Some(rest) = known.strip_prefix("https://") {
        strangers.push(format!("http://{rest}"));
    }
    let mut asked = Vec::new();
    for stranger in &strangers {
        asked.push((stranger, Ask::get("/livez").with("origin", stranger)));
    }
    asked.push((&strangers[0], preflight(FOREIGN)));
    let count = asked.len();
    for (stranger, ask) in asked {
        let Some(answer) = visit.ask(CHECK, ask).await else { return };
        let allowed = answer.header(ALLOWED);
        if !allowed.is_empty() {
            let seen = format!("a page of {stranger} is answered {ALLOWED}: {allowed}");
            return visit.report.fail(
                CHECK,
                seen,
                "pages of anybody read what their visitors may read: name exact origins, here and in the proxy",
            );
        }
    }
    visit.report.ok(CHECK, format!("{count} requests of pages that are not known"));
}
