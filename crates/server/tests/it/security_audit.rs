//! `docs/SECURITY_AUDIT.md` shows every route as the code has it: who gets in is asked of each, and not written down.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fmt::Write as _;

use crate::http_support::{Server, gated::Holder};
use coinlink::http::{ENDPOINTS, Endpoint, Gated, KEY_ACCESS, KeyAccess, METRICS, SIGN_INS, openapi_json};
use coinlink_testkit::identity::an_account;
use reqwest::{Method, RequestBuilder};
use serde_json::Value;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/SECURITY_AUDIT.md");
const BEGIN: &str = "<!-- routes: UPDATE_DOCS=1 cargo test -p coinlink --test it security_audit -->\n";
const END: &str = "<!-- end of routes -->";

fn path_of(endpoint: &Endpoint) -> String {
    let path = endpoint.path.replace("{id}", "018f3e9a-5b7c-7def-8123-456789abcdef");
    path.replace("{file:.*}", "index.html").replace("{symbol}", "btc")
}

/// The body that the document shows for it.
fn example(document: &Value, method: &str, path: &str) -> String {
    let schema = &document["paths"][path][method.to_lowercase()]["requestBody"]["content"]["application/json"]["schema"];
    let named = schema["$ref"].as_str().or_else(|| schema["oneOf"].as_array()?.iter().find_map(|one| one["$ref"].as_str()));
    let example = named.and_then(|named| document.pointer(named.trim_start_matches('#'))).map(|schema| &schema["example"]);
    example.filter(|example| example.is_object()).map_or_else(|| "{}".to_owned(), Value::to_string)
}

/// Whether it is refused, and why: `401` for want of credentials, else the code.
async fn refused(request: RequestBuilder) -> Option<String> {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    if status < 400 {
        // A stream has no end to wait for.
        return None;
    }
    let body: Value = serde_json::from_str(&response.text().await.unwrap_or_default()).unwrap_or_default();
    let code = body["error"]["code"].as_str().unwrap_or_default();
    let of_the_body = ["invalid_credentials", "invalid_token", "invalid_mfa_ticket", "invalid_signature", "invalid_code"];
    let signed_out = status == 401 && !of_the_body.contains(&code);
    Some(if signed_out { "401".to_owned() } else { code.to_owned() })
}

fn counted_as(gated: Gated) -> &'static str {
    match gated {
        Gated::Exempt => "none",
        Gated::General => "general",
        Gated::Price => "price",
        Gated::Chat => "chat",
        Gated::Prompts => "general (prompts)",
        Gated::Credentials => "credentials",
        Gated::Link => "general; POST credentials",
        Gated::Session => "session",
    }
}

fn key(endpoint: &Endpoint, method: &str) -> String {
    match KeyAccess::of(Some(endpoint.path), method) {
        KeyAccess::Public => "any".to_owned(),
        KeyAccess::Forbidden => "none".to_owned(),
        access => access.needed().map(|scope| format!("`{}`", scope.name())).collect::<Vec<_>>().join(" and "),
    }
}

/// What a browser's cookies need there.
fn cookies(path: &str, method: &str, gated: Gated) -> &'static str {
    match (method, gated) {
        (_, Gated::Exempt) => "not read",
        ("GET", _) => "read",
        _ if SIGN_INS.contains(&path) => "page of ours",
        _ => "page of ours and token",
    }
}

async fn table(server: &Server, bearer: &str) -> String {
    let document: Value = serde_json::from_str(openapi_json()).unwrap();
    let mut table = String::from("| method | path | access | API key | counted as | cookies |\n|---|---|---|---|---|---|\n");
    for endpoint in ENDPOINTS.iter().chain([&METRICS]) {
        for method in endpoint.methods.split(", ").filter(|method| *method != "HEAD") {
            let request = server.request(method.parse::<Method>().unwrap(), &path_of(endpoint));
            let request = request.header("content-type", "application/json").body(example(&document, method, endpoint.path));
            let nobody = refused(request.try_clone().unwrap()).await;
            let user = refused(request.header("authorization", bearer)).await;
            let access = match (nobody.as_deref(), user.as_deref()) {
                (Some("401"), Some("forbidden" | "second_factor_required")) => "administrator, fresh second factor",
                (Some("401"), _) => "signed in",
                _ => "public",
            };
            let (key, class) = (key(endpoint, method), counted_as(endpoint.gated));
            let cookies = cookies(endpoint.path, method, endpoint.gated);
            writeln!(table, "| {method} | `{}` | {access} | {key} | {class} | {cookies} |", endpoint.path).unwrap();
        }
    }
    table
}

#[actix_web::test]
async fn the_table_of_routes_in_the_audit_is_what_the_code_says() {
    let server = Server::start();
    server.tick(1);
    let account = an_account("ada@example.org");
    server.behind.store.put_account(&account);
    let table = table(&server, &Holder { user: account.user.id, ..Holder::new() }.bearer()).await;
    server.stop().await;
    let under = |path: &str, access: &str| table.lines().filter(|row| row.contains(path)).all(|row| row.contains(access));
    assert!(under("`/api/v2/admin/", "administrator, fresh second factor"));
    assert!(under("`/api/v2/user/sessions", "signed in") && under("`/livez`", "public"));
    assert!(KEY_ACCESS.len() >= ENDPOINTS.len() && table.lines().count() > ENDPOINTS.len());

    let page = std::fs::read_to_string(PAGE).unwrap();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (written, after) = rest.split_once(END).unwrap();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(PAGE, format!("{before}{BEGIN}\n{table}\n{END}{after}")).unwrap();
        return;
    }
    assert_eq!(written.trim(), table.trim(), "run `UPDATE_DOCS=1 cargo test -p coinlink --test it security_audit`");
}
