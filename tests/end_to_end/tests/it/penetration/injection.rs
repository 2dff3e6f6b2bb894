//! Text that means something to a database, a browser, a letter or a shell: it stays text.

use coinlink_end_to_end_tests::{Answer, Api, Node, PASSWORD, Serve, UNLIMITED, somebody};
use coinlink_testkit::{
    servers::{fresh_database, shared_redis},
    upstream_stub::StubUpstream,
};
use reqwest::Method;
use serde_json::{Value, json};

const SQL: [&str; 10] = [
    "' OR '1'='1",
    "'; DROP TABLE users; --",
    "\" OR 1=1 --",
    "1) UNION SELECT id, password_hash, 1 FROM users --",
    "') OR pg_sleep(5) IS NULL --",
    "'||(SELECT version())||'",
    "%' OR email LIKE '%",
    "\\'; SELECT 1; --",
    "1; COPY users TO '/tmp/stolen'",
    "ＯＲ １＝１",
];
const SCRIPT: [&str; 5] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "</title><svg onload=alert(1)>",
    "javascript:alert(1)",
    "{{constructor.constructor('alert(1)')()}}",
];

/// A failure of ours, or anything that a database says of itself.
fn is_sound(answer: &Answer, what: &str) {
    assert!(answer.status < 500, "{what}: {} {}", answer.status, answer.text);
    // What was asked may be repeated.
    let told = SQL.iter().fold(answer.text.to_lowercase(), |told, text| told.replace(&text.to_lowercase(), ""));
    for leak in
        ["syntax error", "sqlstate", "sqlite", "postgres", "sqlx", "sea_orm", "password_hash", "panicked", "/crates/", "$2b$"]
    {
        assert!(!told.contains(leak), "{what}: {}", answer.text);
    }
    let kind = answer.header("content-type");
    assert!(answer.text.is_empty() || kind.starts_with("application/json") || kind.starts_with("text/html"), "{what}: {kind}");
    assert_eq!(answer.header("x-content-type-options"), "nosniff", "{what}");
}

/// Every query and path that takes text, and what has to be signed in for.
const PLACES: [&str; 17] = [
    "/api/v2/market/{}/candles?interval=1h",
    "/api/v2/market/btc/candles?interval={}",
    "/api/v2/market/btc/candles?interval=1h&from={}",
    "/api/v2/market/crypto/ticker?symbols={}",
    "/api/v2/market/trending?limit={}",
    "/api/v2/market/bitcoin/history?period={}",
    "/api/bitcoin/news?limit={}",
    "/api/auth/verify?token={}",
    "/api/v2/auth/password/reset?token={}",
    "/api/chat/history?session_id={}",
    "/api/v2/user/api-keys?cursor={}",
    "/api/v2/notifications?type_filter={}",
    "/api/v2/notifications?offset={}",
    "/api/alerts/history?limit={}",
    "/api/v2/admin/users?email={}",
    "/api/v2/user/sessions/{}",
    "/docs/{}",
];

async fn inject(api: &Api) {
    let (ada, eve) = (somebody(), somebody());
    let (held, other) = (api.sign_up(&ada).await, api.sign_up(&eve).await);
    for text in SQL {
        let encoded = text.bytes().fold(String::new(), |encoded, byte| format!("{encoded}%{byte:02x}"));
        for place in PLACES {
            is_sound(&api.get_as(&held.access, &place.replace("{}", &encoded)).await, &format!("{place} {text}"));
        }
        for (path, body) in [
            ("/api/v2/auth/login", json!({"email": text, "password": PASSWORD})),
            ("/api/v2/auth/login", json!({"email": ada, "password": text})),
            ("/api/v2/auth/login", json!({"email": format!("{ada}{text}"), "password": PASSWORD})),
            ("/api/v2/auth/token/refresh", json!({"refresh_token": text})),
            ("/api/v2/auth/2fa/verify", json!({"mfa_ticket": text, "code": text})),
            ("/api/v2/auth/wallet/challenge", json!({"address": text})),
            ("/api/v2/auth/password/forgot", json!({"email": text})),
        ] {
            let answer = api.post(path, &body).await;
            is_sound(&answer, &format!("{path} {text}"));
            assert!(answer.json["tokens"].is_null() && answer.json["access_token"].is_null(), "{path} {text}: {}", answer.text);
        }
        let key = api.send(api.request(Method::GET, "/api/v2/user/profile").header("x-api-key", text.replace('Ｏ', "O"))).await;
        is_sound(&key, text);
        let names = json!({"first_name": text, "last_name": text});
        let put = api.with_json(Method::PUT, "/api/v2/user/profile", &names).bearer_auth(&held.access);
        let _ = api.send(put).await.expect(200);
        let kept = api.get_as(&held.access, "/api/v2/user/profile").await.expect(200);
        assert!(kept.text.contains(&serde_json::to_string(text).unwrap()), "{text} is kept as it is: {}", kept.text);
        for asked in [text.to_owned(), format!("what is the price of {text}")] {
            is_sound(&api.post_as(&held.access, "/api/chat", &json!({"message": asked})).await, text);
        }
    }
    // Both accounts are what they were; of Ada's so many passwords were tried that hers is not looked at for a while.
    let _ = api.sign_in(&eve).await;
    let own = api.get_as(&held.access, "/api/v2/user/profile").await.expect(200);
    assert!(own.text.contains(&ada), "{}", own.text);
    let theirs = api.get_as(&other.access, "/api/v2/user/profile").await.expect(200);
    assert!(theirs.text.contains(&eve) && !theirs.text.contains(&ada), "{}", theirs.text);
}

#[tokio::test]
async fn sql_in_any_field_stays_text_on_the_embedded_store() {
    let node = Node::dev_with(&["--feed", "simulated"], &UNLIMITED).await;
    inject(&Api::at(node.url(""))).await;
}

#[tokio::test]
async fn sql_in_any_field_stays_text_on_postgresql() {
    let (database, redis, stub) = (fresh_database().await, shared_redis().await, StubUpstream::start().await);
    let cluster = Serve { database: &database.url, redis: &redis.url(), prefix: "coinlink-penetration" };
    let nodes = cluster.start_with(1, &stub, &UNLIMITED).await;
    inject(&Api::at(nodes[0].url(""))).await;
}

#[tokio::test]
async fn scripts_in_names_messages_and_rules_come_back_as_json_that_no_browser_runs() {
    let node = Node::dev_with(&["--feed", "simulated"], &UNLIMITED).await;
    let api = Api::at(node.url(""));
    let held = api.sign_up(&somebody()).await;
    for text in SCRIPT {
        let names = json!({"first_name": text});
        let put = api.with_json(Method::PUT, "/api/v2/user/profile", &names).bearer_auth(&held.access);
        is_sound(&api.send(put).await.expect(200), text);
        is_sound(&api.post_as(&held.access, "/api/chat", &json!({"message": text})).await, text);
        is_sound(&api.post("/api/feedback", &json!({"about": "chat", "note": text, "rating": 4})).await, text);
        is_sound(&api.post("/api/bitcoin/analyze", &json!({"text": text})).await, text);
        is_sound(&api.post_as(&held.access, "/api/v2/notifications/webhooks", &json!({"url": text})).await, text);
        is_sound(
            &api.post_as(
                &held.access,
                "/api/v2/user/api-keys",
                &json!({"name": text, "password": PASSWORD, "scopes": ["market:read"]}),
            )
            .await,
            text,
        );
        let encoded = text.bytes().fold(String::new(), |encoded, byte| format!("{encoded}%{byte:02x}"));
        for path in [
            format!("/{encoded}"),
            format!("/docs/{encoded}"),
            format!("/account/{encoded}"),
            format!("/account/verify?token={encoded}"),
        ] {
            let page = api.send(api.request(Method::GET, &path).header("accept", "text/html")).await;
            assert!(!page.text.contains(text), "{path}: {}", page.text);
            assert!(page.header("content-security-policy").contains("script-src 'self'"), "{path}");
        }
        for path in ["/api/v2/user/profile", "/api/chat/history", "/api/v2/user/api-keys", "/api/v2/user/sessions"] {
            let answer = api.get_as(&held.access, path).await.expect(200);
            assert!(answer.header("content-type").starts_with("application/json"), "{path}");
            is_sound(&answer, path);
        }
    }
}

#[tokio::test]
async fn line_ends_in_fields_reach_neither_a_header_nor_a_letter() {
    let node = Node::dev_with(&["--feed", "simulated"], &UNLIMITED).await;
    let api = Api::at(node.url(""));
    for end in ["\r\n", "\n", "\r", "\u{85}", "\0"] {
        let address = format!("ada{end}Bcc: eve@example.org@example.org");
        for (path, body) in [
            ("/api/v2/auth/signup", json!({"email": address, "password": PASSWORD})),
            (
                "/api/v2/auth/signup",
                json!({"email": somebody(), "password": PASSWORD, "first_name": format!("Ada{end}Bcc: eve@example.org")}),
            ),
        ] {
            let answer = api.post(path, &body).await;
            assert_eq!(answer.status, 400, "{end:?}: {}", answer.text);
        }
        // Whoever asks for a letter hears the same, and nobody gets one.
        is_sound(&api.post("/api/v2/auth/password/forgot", &json!({"email": address})).await, "forgot");
    }
    let letters = std::fs::read_dir(node.process.directory().join("data/mail")).into_iter().flatten().count();
    assert_eq!(letters, 0);
}

/// What a client may not say of itself, in every body there is.
#[tokio::test]
async fn no_body_takes_a_field_that_it_does_not_name() {
    let node = Node::dev_with(&["--feed", "simulated"], &UNLIMITED).await;
    let api = Api::at(node.url(""));
    let held = api.sign_up(&somebody()).await;
    let document = node.json("/openapi.json").await;
    let mut sent = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let Some(schema) = operation.pointer("/requestBody/content/application~1json/schema") else { continue };
            let reference =
                schema["$ref"].as_str().or_else(|| schema["oneOf"].as_array()?.iter().find_map(|one| one["$ref"].as_str()));
            let schema = document.pointer(reference.unwrap().trim_start_matches('#')).unwrap();
            let path = path.replace("{id}", "018f3e9a-5b7c-7def-8123-456789abcdef");
            for field in ["user_id", "id", "role", "is_admin", "email_verified", "__proto__", "constructor"] {
                if schema["properties"].get(field).is_some() {
                    continue;
                }
                let mut body = if schema["example"].is_object() { schema["example"].clone() } else { json!({}) };
                body[field] = Value::from("admin");
                let request = api.with_json(method.to_uppercase().parse().unwrap(), &path, &body).bearer_auth(&held.access);
                let answer = api.send(request).await;
                if ["forbidden", "second_factor_required"].contains(&answer.code()) {
                    // Administrators' bodies are not even looked at.
                    continue;
                }
                assert_eq!(
                    (answer.status, answer.code()),
                    (400, "invalid_json"),
                    "{method} {path} with {field}: {}",
                    answer.text
                );
                sent += 1;
            }
        }
    }
    assert!(sent > 150, "{sent}");
}
