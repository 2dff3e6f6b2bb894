//! Paths and hosts: nothing is read but what a route names, and no header of a request says where we are.

use std::{fs, time::Duration};

use coinlink_end_to_end_tests::{Api, Node, UNLIMITED, eventually, somebody};
use reqwest::Method;
use serde_json::json;

use super::wire::{exchange, header, statuses};

const SOON: Duration = Duration::from_secs(20);

/// Ways of writing "the folder above".
const UP: [&str; 14] = [
    "..",
    "%2e%2e",
    "%2E%2E",
    ".%2e",
    "%252e%252e",
    "%c0%ae%c0%ae",
    "%e0%80%ae%e0%80%ae",
    "..;",
    "..%00",
    "....",
    "..%5c..",
    "%uff0e%uff0e",
    "..%0d%0a",
    "..%09",
];
/// Ways of writing what stands between folders.
const BETWEEN: [&str; 5] = ["/", "%2f", "%252f", "\\", "%5c"];
/// What nobody may be shown.
const TARGETS: [&str; 4] = ["etc/passwd", "data/secrets/jwt", "Cargo.toml", "proc/self/environ"];

/// Every path with a part that the client chooses.
const OPEN: [&str; 7] = [
    "/docs/{}",
    "/account/{}",
    "/api/v2/market/{}/candles",
    "/api/v2/user/sessions/{}",
    "/api/v2/user/alerts/{}",
    "/api/v2/admin/users/{}/lock",
    "/{}",
];

#[tokio::test]
async fn no_spelling_of_a_path_leads_out_of_what_is_served() {
    let node = Node::dev_with(&["--feed", "simulated"], &UNLIMITED).await;
    let mut asked = 0;
    for up in UP {
        for between in BETWEEN {
            for (target, depth) in TARGETS.iter().zip([8, 3, 4, 8]) {
                let climb = format!("{}{}", format!("{up}{between}").repeat(depth), target.replace('/', between));
                for open in OPEN {
                    let path = open.replace("{}", &climb);
                    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
                    let said = exchange(node.address, request.as_bytes());
                    let found = statuses(&said);
                    assert!(matches!(found[..], [400..=499]), "{path}: {said}");
                    for secret in ["root:", "[workspace]", "PATH="] {
                        assert!(!said.contains(secret), "{path}: {said}");
                    }
                    asked += 1;
                }
            }
        }
    }
    assert!(asked > 1900, "{asked}");
    for path in ["//etc/passwd", "/docs//etc/passwd", "/docs/file:///etc/passwd", "/docs/%00", "/docs/C:%5cWindows%5cwin.ini"] {
        let said = exchange(node.address, format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").as_bytes());
        assert!(matches!(statuses(&said)[..], [400..=499]), "{path}: {said}");
    }
    assert_eq!(node.get("/livez").await.0, 200);
}

#[tokio::test]
async fn where_a_browser_is_led_is_always_a_page_of_ours() {
    let node = Node::dev_with(&["--feed", "simulated"], &UNLIMITED).await;
    let mut led = 0;
    for target in [
        "/docs",
        "/docs?next=https://evil.example",
        "//evil.example/docs",
        "/docs//evil.example",
        "/docs/..//evil.example",
        "/.well-known/change-password",
        "/.well-known/change-password?return=//evil.example",
        "/api/auth/verify?next=//evil.example",
        "/%5cevil.example",
        "/\\evil.example/%2e%2e",
        "/docs%0d%0aLocation:%20https://evil.example",
        "http://evil.example/docs",
    ] {
        let request =
            format!("GET {target} HTTP/1.1\r\nHost: evil.example\r\nX-Forwarded-Host: evil.example\r\nConnection: close\r\n\r\n");
        let said = exchange(node.address, request.as_bytes());
        let location = header(&said, "location");
        let ours =
            location.is_empty() || (location.starts_with('/') && !location.starts_with("//") && !location.starts_with("/\\"));
        assert!(ours && !location.contains("evil"), "{target} leads to {location}");
        led += usize::from(!location.is_empty());
    }
    assert!(led >= 2, "{led} of them lead anywhere");
}

/// Headers that tell a server, or a cache before it, another address, path or method.
const CLAIMS: [(&str, &str); 12] = [
    ("X-Forwarded-Host", "evil.example"),
    ("X-Forwarded-Server", "evil.example"),
    ("X-Forwarded-Proto", "http"),
    ("X-Forwarded-Scheme", "nothttps"),
    ("X-Forwarded-Prefix", "/evil"),
    ("X-Original-URL", "/api/v2/admin/stats"),
    ("X-Rewrite-URL", "/api/v2/admin/stats"),
    ("X-Original-Host", "evil.example"),
    ("X-HTTP-Method-Override", "DELETE"),
    ("X-Method-Override", "DELETE"),
    ("Forwarded", "host=evil.example;proto=http"),
    ("X-Host", "evil.example"),
];

#[tokio::test]
async fn what_a_cache_may_keep_depends_on_no_header_that_it_does_not_name() {
    let node = Node::dev_with(&["--feed", "simulated"], &UNLIMITED).await;
    let api = Api::at(node.url(""));
    for path in
        ["/", "/openapi.json", "/asyncapi.json", "/.well-known/jwks.json", "/docs/", "/api/v2/market/health", "/account/verify"]
    {
        let plain = api.send(api.request(Method::GET, path).header("accept", "text/html")).await;
        assert!(plain.status < 400, "{path}: {}", plain.text);
        for (name, value) in CLAIMS {
            let asked = api.request(Method::GET, path).header("accept", "text/html").header(name, value);
            let answer = api.send(asked).await;
            assert_eq!(answer.status, plain.status, "{path} with {name}");
            assert!(!answer.text.contains("evil"), "{path} with {name}: {}", answer.text);
            assert!(
                answer.headers.values().all(|value| !value.as_bytes().windows(4).any(|part| part == b"evil")),
                "{path} {name}"
            );
            for kept in ["etag", "cache-control", "content-type"] {
                assert_eq!(answer.header(kept), plain.header(kept), "{path} with {name}");
            }
        }
    }
}

#[tokio::test]
async fn links_in_mail_lead_to_our_own_address_whatever_host_was_asked() {
    let own = ("PUBLIC_URL", "https://coinlink.example.org");
    let node = Node::dev_with(&["--feed", "simulated"], &[&UNLIMITED[..], &[own]].concat()).await;
    let api = Api::at(node.url(""));
    let ada = somebody();
    let forged = |request: reqwest::RequestBuilder| {
        let claimed = CLAIMS.iter().filter(|(name, _)| !name.contains("Override"));
        claimed.fold(request.header("host", "evil.example"), |request, (name, value)| request.header(*name, *value))
    };
    let sign_up = json!({"email": ada, "password": coinlink_end_to_end_tests::PASSWORD});
    let _ = api.send(forged(api.with_json(Method::POST, "/api/v2/auth/signup", &sign_up))).await.expect(201);
    let forgot = forged(api.with_json(Method::POST, "/api/v2/auth/password/forgot", &json!({"email": ada})));
    let answer = api.send(forgot).await;
    assert!(answer.status < 300, "{}", answer.text);
    let folder = node.process.directory().join("data/mail");
    let letters = || -> Vec<String> {
        let files = fs::read_dir(&folder).into_iter().flatten().flatten().map(|file| file.path());
        let whole = files.filter(|path| path.extension().is_some_and(|kind| kind == "eml"));
        whole.map(|path| fs::read_to_string(path).unwrap().replace("=\r\n", "").replace("=3D", "=")).collect()
    };
    eventually("both letters", SOON, async || letters().len() >= 2).await;
    for letter in letters() {
        assert!(letter.contains("https://coinlink.example.org/account/"), "{letter}");
        assert!(!letter.contains("evil") && !letter.contains("127.0.0.1"), "{letter}");
    }
}
