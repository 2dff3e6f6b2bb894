//! The API's own documents: there, of this release, and in need of no other host.

use super::{Visit, client::Ask};
use crate::http::openapi_json;

const OPENAPI: &str = "/openapi.json";
const ASYNCAPI: &str = "/asyncapi.json";
const REFERENCE: &str = "/docs needs no other host";
const AGREE: &str = "versions agree";
const SAME: &str = "this command is of the server's release";
const PROXY: &str = "let the server's own documents through";
/// What the front end's developer looks for first.
const PATHS: [&str; 6] =
    ["/api/bitcoin/price", "/api/chat", "/api/v2/auth/signup", "/api/v2/auth/token/refresh", "/api/prompts", "/ws"];

pub(super) async fn check(visit: &mut Visit<'_>) {
    openapi(visit).await;
    asyncapi(visit).await;
    reference(visit).await;
}

async fn openapi(visit: &mut Visit<'_>) {
    let Some(answer) = visit.ask(OPENAPI, Ask::get(OPENAPI)).await else { return };
    let paths = answer.json["paths"].as_object();
    let missing: Vec<_> = PATHS.iter().filter(|path| paths.is_none_or(|paths| !paths.contains_key(**path))).copied().collect();
    let is_new = answer.json["openapi"].as_str().is_some_and(|version| version.starts_with("3.1"));
    let seen = if missing.is_empty() {
        format!("OpenAPI {}, {} paths", answer.json["openapi"], paths.map_or(0, serde_json::Map::len))
    } else {
        format!("{}: without {}", answer.told(), missing.join(", "))
    };
    visit.report.must(answer.status == 200 && is_new && missing.is_empty(), OPENAPI, seen, PROXY);

    let mut tell = vec![(OPENAPI, &answer.json["info"]["version"]), ("/health", &visit.health["version"])];
    tell.extend(visit.home.as_ref().map(|home| ("/", &home["version"])));
    let told: Vec<_> = tell.iter().map(|(_, version)| version.as_str().unwrap_or("none").to_owned()).collect();
    let seen: Vec<_> = tell.iter().zip(&told).map(|((path, _), version)| format!("{path} {version}")).collect();
    let (seen, agree) = (seen.join(", "), told[0] != "none" && told.iter().all(|version| *version == told[0]));
    visit.report.must(
        agree,
        AGREE,
        seen,
        "nodes of several releases answer, or a cache does: wait for the roll-out, or clear it",
    );

    let ours: serde_json::Value = serde_json::from_str(openapi_json()).unwrap_or_default();
    if ours == answer.json {
        visit.report.ok(SAME, format!("{}, the same routes", told[0]));
    } else {
        let seen = format!("this is {}, the server {}; their routes differ", env!("CARGO_PKG_VERSION"), told[0]);
        visit.report.warn(SAME, seen, "verify with the program that was deployed");
    }
}

async fn asyncapi(visit: &mut Visit<'_>) {
    let Some(answer) = visit.ask(ASYNCAPI, Ask::get(ASYNCAPI)).await else { return };
    let text = String::from_utf8_lossy(&answer.body);
    let whole = answer.json["channels"].is_object() && text.contains("crypto_ticker_update");
    let seen = format!("{}, AsyncAPI {}", answer.told(), answer.json["asyncapi"].as_str().unwrap_or("none"));
    visit.report.must(answer.status == 200 && whole, ASYNCAPI, seen, PROXY);
}

/// What a page loads: the values of `src` and `href`, and `@import`s and `url`s of a script's settings.
fn foreign_hosts(page: &str) -> Vec<&str> {
    let loaded = |part: &'_ str| part.starts_with("http://") || part.starts_with("https://") || part.starts_with("//");
    let mut found = Vec::new();
    for marker in ["src=", "href=", "url:", "\"url\":", "@import"] {
        for (at, _) in page.match_indices(marker) {
            let rest = page[at + marker.len()..].trim_start().trim_start_matches(['"', '\'', '(']);
            if loaded(rest) {
                found.push(rest.split(['"', '\'', '>', ')', ' ', ',']).next().unwrap_or_default());
            }
        }
    }
    found
}

async fn reference(visit: &mut Visit<'_>) {
    let mut foreign = Vec::new();
    for path in ["/docs/", "/docs/swagger-initializer.js"] {
        let Some(answer) = visit.ask(REFERENCE, Ask::get(path)).await else { return };
        if answer.status != 200 {
            return visit.report.fail(REFERENCE, format!("{path} is answered {}", answer.told()), PROXY);
        }
        let policy = answer.header("content-security-policy");
        if !policy.contains("default-src 'self'") || policy.contains("http") {
            return visit.report.fail(REFERENCE, format!("its Content-Security-Policy is {policy:?}"), PROXY);
        }
        let page = String::from_utf8_lossy(&answer.body).into_owned();
        foreign.extend(foreign_hosts(&page).into_iter().map(str::to_owned));
    }
    let seen =
        if foreign.is_empty() { "everything is the server's own".to_owned() } else { format!("it loads {}", foreign.join(", ")) };
    visit.report.must(foreign.is_empty(), REFERENCE, seen, PROXY);
    let Some(answer) = visit.ask("/docs", Ask::get("/docs")).await else { return };
    let leads = (300..400).contains(&answer.status) && answer.header("location").ends_with("/docs/");
    visit.report.must(leads || answer.status == 200, "/docs", format!("answered {}", answer.status), PROXY);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_loaded_from_elsewhere_is_found() {
        let page = r#"<link href="./a.css"><script src="https://cdn.example/x.js"></script><img src='//b.example/i.png'> url: "/openapi.json""#;
        assert_eq!(foreign_hosts(page), ["https://cdn.example/x.js", "//b.example/i.png"]);
    }

    proptest! {
        #[test]
        fn no_page_panics(page in "(src=|href=|url:|\"|'|https://|\\PC){0,60}") {
            let _ = foreign_hosts(&page);
        }
    }
}
