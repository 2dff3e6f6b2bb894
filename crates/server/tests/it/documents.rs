//! Documents that say what protects accounts, held against what the code has.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;

use crate::http_support::{Server, gated::Holder, json};
use coinlink::http::{SIGN_INS, openapi_json};
use coinlink_domain::identity::{GuardPolicies, Password};
use coinlink_testkit::identity::an_account;
use serde_json::Value;
use time::Duration;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// A file of the repository.
fn page(name: &str) -> String {
    std::fs::read_to_string(format!("{ROOT}/{name}")).unwrap()
}

/// The part under a title of any depth, up to the next one.
fn part(page: &str, title: &str) -> String {
    let after = page.split(&format!("# {title}\n")).nth(1).unwrap_or_else(|| panic!("there is no part {title}"));
    after.lines().take_while(|line| !line.starts_with('#')).fold(String::new(), |all, line| all + line + "\n")
}

/// The rows of its table, cut into cells.
fn rows(part: &str) -> Vec<Vec<&str>> {
    let rows = part.lines().filter(|line| line.starts_with("| ")).skip(1);
    rows.map(|row| row.trim_matches('|').split(" | ").map(str::trim).collect()).collect()
}

#[test]
fn the_page_of_accounts_says_what_holds_guessing_up_as_it_is() {
    let page = page("docs/authentication.md");
    let guessing = part(&page, "Guessing").replace('\n', " ");
    let of = GuardPolicies::default();
    assert_eq!(
        (of.account.cap, of.address.cap, of.pair.cap, of.device.cap),
        (of.pair.cap, of.pair.cap, of.pair.cap, of.pair.cap)
    );
    assert_eq!((of.account.forget_after, of.account.locks_at), (Duration::DAY, Some(100)));
    for said in [
        format!("counted for the account ({} are free)", of.account.free),
        format!("for the address they come from ({}) and for both together ({})", of.address.free, of.pair.free),
        format!("from {} s (account: {} s)", of.pair.base.whole_seconds(), of.account.base.whole_seconds()),
        format!("to {} min", of.pair.cap.whole_minutes()),
        "All is forgotten after a day without a failure".to_owned(),
        format!("counted by itself alone ({} are free)", of.device.free),
        "After a hundred failures in a row".to_owned(),
        "nobody can prolong it by trying".to_owned(),
        "does not keep its owner out on a device that was used before".to_owned(),
    ] {
        assert!(guessing.contains(&said), "{said:?} is not in\n{guessing}");
    }
    let factor = part(&page, "Second factor").replace('\n', " ");
    let said = format!("{} wrong codes for an account across tickets", of.second_factor.free + 1);
    assert!(factor.contains(&said) && factor.contains("then one each 15 minutes"), "{factor}");
    assert_eq!(of.second_factor.base, Duration::minutes(15));
}

#[test]
fn the_page_of_accounts_says_the_limits_as_they_are() {
    let (page, defaults) = (page("docs/authentication.md"), page("config/default.toml"));
    let limits = part(&page, "Limits");
    let rows = rows(&limits);
    for row in &rows {
        let variable = row[3].trim_matches('`');
        let line = defaults.lines().find(|line| line.contains(&format!("# {variable}."))).unwrap_or_else(|| panic!("{variable}"));
        let default = line.split(['=', '#']).nth(1).unwrap().trim();
        assert_eq!(row[1], default, "{variable}");
    }
    assert!(rows.len() >= 5, "{rows:?}");
}

#[test]
fn the_page_of_accounts_lists_the_words_that_no_password_may_hold() {
    let signing_in = part(&page("docs/authentication.md"), "Signing in").replace('\n', " ");
    for word in Password::WORDS_OF_THE_PRODUCT {
        assert!(signing_in.contains(&format!("`{word}`")), "{word}");
    }
    let lengths = format!("A password has {} to {} characters", Password::MIN_CHARS, Password::MAX_CHARS);
    for said in [&*lengths, "common password in disguise", "the name in the address", "passwords do not expire"] {
        assert!(signing_in.contains(said), "{said}");
    }
}

/// Whether a body of this schema holds a field of such a name, at any depth.
fn holds(document: &Value, schema: &Value, names: &[&str], depth: u32) -> bool {
    let inner = |schema: &Value| depth < 12 && holds(document, schema, names, depth + 1);
    if let Some(named) = schema["$ref"].as_str() {
        return document.pointer(named.trim_start_matches('#')).is_some_and(inner);
    }
    let fields = schema["properties"].as_object().into_iter().flatten();
    let listed = ["oneOf", "anyOf", "allOf"].into_iter().filter_map(|key| schema[key].as_array()).flatten();
    fields.clone().any(|(name, _)| names.contains(&name.as_str()))
        || fields.map(|(_, schema)| schema).chain(listed).any(inner)
        || schema["items"].is_object() && inner(&schema["items"])
}

/// Every route whose answer holds something that opens the door.
fn routes_that_give_out(names: &[&str]) -> BTreeSet<String> {
    let document: Value = serde_json::from_str(openapi_json()).unwrap();
    let mut found = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, route) in methods.as_object().unwrap() {
            let good = route["responses"].as_object().into_iter().flatten().filter(|(status, _)| status.starts_with('2'));
            let mut bodies = good.map(|(_, answer)| &answer["content"]["application/json"]["schema"]);
            if bodies.any(|schema| holds(&document, schema, names, 0)) {
                found.insert(format!("{} {path}", method.to_uppercase()));
            }
        }
    }
    found
}

#[test]
fn every_way_in_is_in_the_list_with_what_it_takes() {
    let page = page("docs/authentication.md");
    let part = part(&page, "Ways in");
    let rows = rows(&part);
    assert!(rows.iter().all(|row| row.len() == 4 && row.iter().all(|cell| !cell.is_empty())), "{rows:?}");
    let listed: BTreeSet<String> = rows
        .iter()
        .flat_map(|row| row[1].split('`').skip(1).step_by(2))
        .filter(|route| route.contains('/'))
        .map(str::to_owned)
        .collect();
    let tokens = routes_that_give_out(&["access_token", "refresh_token", "csrf_token", "ticket", "key"]);
    let opens: BTreeSet<String> = tokens.into_iter().filter(|route| route.starts_with("POST ")).collect();
    assert_eq!(listed, opens, "what gives out a token is a way in");
    for route in SIGN_INS {
        assert!(listed.contains(&format!("POST {route}")), "{route}");
    }
}

/// The fields of a schema of the document.
fn fields(document: &Value, name: &str) -> BTreeSet<String> {
    let fields = document["components"]["schemas"][name]["properties"].as_object().unwrap_or_else(|| panic!("{name}"));
    fields.keys().cloned().collect()
}

#[test]
fn the_page_of_administration_says_who_sees_and_sets_each_field_of_an_account() {
    let document: Value = serde_json::from_str(openapi_json()).unwrap();
    let page = page("docs/administration.md");
    let part = part(&page, "Fields of an account");
    let rows = rows(&part);
    let who = |column: usize| -> BTreeSet<String> {
        rows.iter().filter(|row| row[column] == "yes").map(|row| row[0].trim_matches('`').to_owned()).collect()
    };
    assert_eq!(who(1), fields(&document, "ProfileBody"), "what its owner sees");
    assert_eq!(who(2), fields(&document, "ProfileChangeBody"), "what its owner sets");
    assert_eq!(who(3), fields(&document, "AccountBody"), "what an administrator sees");
    assert!(rows.iter().all(|row| row.len() == 5 && !row[4].is_empty()));
}

#[actix_web::test]
async fn fields_that_do_not_fit_together_are_refused_as_the_page_of_input_says() {
    let page = page("docs/input.md");
    let server = Server::start();
    server.tick(1);
    let account = an_account("ada@example.net");
    server.behind.store.put_account(&account);
    let bearer = Holder { user: account.user.id, ..Holder::new() }.bearer();
    let rows = rows(&page);
    for row in &rows {
        let (method, path) = row[0].trim_matches('`').split_once(' ').unwrap();
        let request = server.request(method.parse().unwrap(), path);
        // Whoever signs up is signed in nowhere.
        let request = if path.ends_with("/signup") { request } else { request.header("authorization", &bearer) };
        let request = match row[2].trim_matches('`') {
            body if body.starts_with('{') => request.header("content-type", "application/json").body(body.to_owned()),
            _ => request,
        };
        let answered = request.send().await.unwrap();
        let (status, body) = (answered.status().as_u16(), json(answered).await);
        assert_eq!(status, 400, "{row:?}: {body}");
        let why = &body["error"]["details"][row[3].trim_matches('`')];
        assert!(why.is_string(), "{row:?}: {body}");
    }
    assert!(rows.len() >= 8, "{rows:?}");
    server.stop().await;
}
