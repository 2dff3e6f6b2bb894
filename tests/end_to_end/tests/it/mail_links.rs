//! Links in mail, asked of the real binary: the letter is read where it is delivered, and its page opened in a real browser.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{fs, path::Path, time::Duration};

use coinlink_end_to_end_tests::{Api, Browser, Node, PASSWORD, UNLIMITED, eventually, somebody};
use reqwest::Method;
use serde_json::json;

const SOON: Duration = Duration::from_secs(20);
const NEW: &str = "Another-horse-8-stable";

/// What stands in the text part of a letter: the path of its link, with the token, and its code.
struct Letter {
    page: String,
    token: String,
    code: String,
}

/// Letters of this template to this address that were delivered, oldest first.
fn delivered(node: &Node, to: &str, template: &str) -> Vec<String> {
    let folder = node.process.directory().join("data/mail");
    let Ok(files) = fs::read_dir(folder) else { return Vec::new() };
    let wanted = |path: &Path| {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        path.extension().is_some_and(|kind| kind == "eml") && name.contains(&format!("-{template}-"))
    };
    let mut paths: Vec<_> = files.map(|file| file.unwrap().path()).filter(|path| wanted(path)).collect();
    paths.sort();
    // Undoes what quoted-printable does to a line.
    let read = |path: &Path| fs::read_to_string(path).unwrap().replace("=\r\n", "").replace("=3D", "=");
    paths.iter().map(|path| read(path)).filter(|text| text.contains(&format!("To: {to}"))).collect()
}

/// The newest of them, once there are `count`.
async fn letter(node: &Node, to: &str, template: &str, count: usize) -> Letter {
    let there = async || delivered(node, to, template).len() >= count;
    eventually(&format!("{template} to {to}"), SOON, there).await;
    let text = delivered(node, to, template).pop().unwrap();
    let (_, rest) = text.split_once("/account/").unwrap();
    let link: String = rest.chars().take_while(|c| !c.is_whitespace()).collect();
    let token = link.rsplit_once("token=").unwrap().1.to_owned();
    let is_code = |line: &&str| {
        line.len() == 9 && line.chars().enumerate().all(|(n, c)| if n == 4 { c == ' ' } else { c.is_ascii_digit() })
    };
    let code = text.lines().map(str::trim).find(is_code).unwrap_or_else(|| panic!("no code in {text}")).to_owned();
    Letter { page: format!("/account/{link}"), token, code }
}

/// Leaves for the page of a link, which takes its token out of the address bar at once.
async fn follow(browser: &mut Browser, url: &str) {
    browser.run(&format!("setTimeout(() => location.assign({}), 0); return null;", json!(url))).await;
}

/// What the page says, once it says something else than "One moment."
async fn said(browser: &mut Browser, wanted: &str) {
    let mut text = String::new();
    for _ in 0..100 {
        let script = "['status', 'problem'].map((id) => document.getElementById(id)?.textContent).join(' | ')";
        browser.evaluate(script).await.as_str().unwrap_or_default().clone_into(&mut text);
        if text.contains(wanted) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the page says {text:?}, not {wanted:?}");
}

const SEND: &str = "document.getElementById('form').requestSubmit(); return null;";

#[tokio::test]
async fn who_signs_up_in_a_browser_verifies_there_with_one_click_and_a_scanner_with_none() {
    let node = Node::dev_with(&["--feed", "simulated"], &UNLIMITED).await;
    let home = format!("http://localhost:{}", node.address.port());
    let mut browser = Browser::open(&format!("{home}/livez"), &node.process.directory().join("browser")).await;
    browser.go(&format!("{home}/livez")).await;
    let ada = somebody();
    let body = json!({"email": ada, "password": PASSWORD, "cookies": true}).to_string();
    let script = format!(
        "const answer = await fetch('/api/v2/auth/signup', {{method: 'POST', headers: {{'Content-Type': 'application/json'}}, \
         body: JSON.stringify({body})}}); return answer.status;"
    );
    assert_eq!(browser.run(&script).await, 201);

    let letter = letter(&node, &ada, "verify_email", 1).await;
    let api = Api::at(node.url(""));
    for method in [Method::GET, Method::HEAD].iter().cycle().take(50) {
        let _ = api.send(api.request(method.clone(), &letter.page)).await.expect(200);
        let look = format!("/api/v2/auth/email/verify?token={}", letter.token);
        let _ = api.send(api.request(method.clone(), &look)).await.expect(200);
    }
    let scripted = api.post("/api/v2/auth/email/verify", &json!({"token": letter.token})).await;
    assert_eq!(scripted.code(), "code_required");

    follow(&mut browser, &format!("{home}{}", letter.page)).await;
    said(&mut browser, "The letter went to").await;
    let shown = "return [...document.querySelectorAll('label')].every((label) => label.hidden) && !location.search;";
    assert_eq!(browser.run(shown).await, true, "neither a code nor a password is asked for, and the address bar shows no token");
    browser.run(SEND).await;
    said(&mut browser, "Your e-mail address is verified.").await;
    let profile = api.get_as(&api.sign_in(&ada).await.access, "/api/v2/user/profile").await.expect(200);
    assert_eq!(profile.json["is_verified"], true);
}

#[tokio::test]
async fn a_forgotten_password_is_set_anew_from_another_browser_with_the_code() {
    let node = Node::dev_with(&["--feed", "simulated"], &UNLIMITED).await;
    let home = format!("http://localhost:{}", node.address.port());
    let api = Api::at(node.url(""));
    let ada = somebody();
    let held = api.sign_up(&ada).await;
    let _ = api.post("/api/v2/auth/password/forgot", &json!({"email": ada})).await.expect(202);
    let _ = api.post("/api/v2/auth/password/forgot", &json!({"email": somebody()})).await.expect(202);
    let letter = letter(&node, &ada, "reset_password", 1).await;

    let mut browser = Browser::open(&format!("{home}/livez"), &node.process.directory().join("browser")).await;
    browser.go(&format!("{home}/livez")).await;
    follow(&mut browser, &format!("{home}{}", letter.page)).await;
    said(&mut browser, "The letter went to").await;
    let fill = |code: &str| {
        format!(
            "document.getElementById('code').value = {}; document.getElementById('password').value = {}; {SEND}",
            json!(code),
            json!(NEW)
        )
    };
    browser.run(&fill("0000 0000")).await;
    said(&mut browser, "is another").await;
    browser.run(&fill(&letter.code)).await;
    said(&mut browser, "Your password is changed").await;

    assert_eq!(api.get_as(&held.access, "/api/v2/user/profile").await.code(), "session_revoked");
    let old = api.post("/api/v2/auth/login", &json!({"email": ada, "password": PASSWORD})).await;
    assert_eq!(old.code(), "invalid_credentials");
    let _ = api.post("/api/v2/auth/login", &json!({"email": ada, "password": NEW})).await.expect(200);
    eventually("the owner is told", SOON, async || delivered(&node, &ada, "password_changed").len() == 1).await;
}

#[tokio::test]
async fn of_fifty_who_use_one_link_at_once_on_a_real_database_one_does() {
    let node = Node::dev_with(&["--feed", "simulated"], &UNLIMITED).await;
    let api = Api::at(node.url(""));
    let ada = somebody();
    let held = api.sign_up(&ada).await;
    let letter = letter(&node, &ada, "verify_email", 1).await;
    let tries: Vec<_> = (0..50)
        .map(|_| {
            let (api, access, body) = (api.clone(), held.access.clone(), json!({"token": letter.token}));
            tokio::spawn(async move { api.post_as(&access, "/api/v2/auth/email/verify", &body).await.status })
        })
        .collect();
    let mut used = 0;
    for status in tries {
        let status = status.await.unwrap();
        assert!([200, 400, 503].contains(&status), "{status}");
        used += u32::from(status == 200);
    }
    assert_eq!(used, 1);
}
