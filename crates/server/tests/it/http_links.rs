//! What the routes of links in mail take and answer.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use crate::http_support::{
    Server,
    gated::{Setup, all},
    header,
};
use coinlink_domain::{
    identity::{Email, GuardKey, GuardPolicies},
    shared::mail::OutgoingMail,
};
use coinlink_ports::identity::IdentityStore as _;
use coinlink_testkit::identity::NOON;
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use reqwest::{Method, Response};
use serde_json::{Value, json};
use time::Duration;

const ADA: &str = "ada@example.org";
const GOOD: &str = "Correct-horse-9-battery";
const NEW: &str = "Another-horse-8-stable";
/// Where a person sits: what its browser sends back.
type Jar = Option<String>;

struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Value,
}

impl Answer {
    async fn of(response: Response) -> Self {
        let status = response.status().as_u16();
        let headers = response.headers().iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
        Self {
            status,
            headers: headers.collect(),
            body: serde_json::from_str(&response.text().await.unwrap()).unwrap_or(Value::Null),
        }
    }

    fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or_default()
    }

    fn cookie(&self, name: &str) -> Option<String> {
        let cookies = self.headers.iter().filter(|(header, _)| header == "set-cookie");
        let mut pairs = cookies.map(|(_, value)| value.split(';').next().unwrap_or_default());
        pairs.find(|pair| pair.starts_with(&format!("{name}="))).map(str::to_owned)
    }

    /// The cookie by which the browser is recognised when it opens a link.
    fn browser(&self) -> Jar {
        self.cookie("__Host-coinlink-browser")
    }

    /// All of it that does not differ from one request to the next.
    fn lasting(mut self) -> (u16, Vec<(String, String)>, Value) {
        self.headers.retain(|(name, _)| !["x-request-id", "x-trace-id", "date"].contains(&name.as_str()));
        for (name, value) in &mut self.headers {
            if name == "set-cookie"
                && let Some((before, rest)) = value.clone().split_once('=')
            {
                let attributes = rest.split_once(';').map_or("", |(_, attributes)| attributes);
                *value = format!("{before}=…;{attributes}");
            }
        }
        if self.body["error"].is_object() {
            self.body["error"]["trace_id"] = Value::Null;
        }
        (self.status, self.headers, self.body)
    }
}

async fn send(server: &Server, method: Method, path: &str, jar: &Jar, token: Option<&str>, body: Option<Value>) -> Answer {
    let mut request = server.request(method, path);
    if let Some(cookie) = jar {
        request = request.header("cookie", cookie);
    }
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    if let Some(body) = body {
        request = request.header("content-type", "application/json").body(body.to_string());
    }
    Answer::of(request.send().await.unwrap()).await
}

async fn post(server: &Server, path: &str, jar: &Jar, body: Value) -> Answer {
    send(server, Method::POST, &format!("/api/v2/auth/{path}"), jar, None, Some(body)).await
}

async fn signs_up(server: &Server, email: &str) -> Answer {
    let answer = post(server, "signup", &None, json!({"email": email, "password": GOOD})).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    answer
}

fn access(answer: &Answer) -> String {
    answer.body["tokens"]["access_token"].as_str().unwrap().to_owned()
}

fn letters(server: &Server, to: &str, template: &str) -> Vec<OutgoingMail> {
    server.behind.store.mails().into_iter().filter(|mail| mail.to == to && mail.template == template).collect()
}

/// The token and the code of the newest letter of this template.
fn letter(server: &Server, to: &str, template: &str) -> (String, String) {
    let mail = letters(server, to, template).pop().unwrap_or_else(|| panic!("no {template} to {to}"));
    let link = &mail.fields["link"];
    assert!(link.starts_with("https://api.example.com/account/"), "{link}");
    (link.rsplit_once("?token=").unwrap().1.to_owned(), mail.fields["code"].clone())
}

/// Everything that is kept, as far as a link could change it.
fn kept(server: &Server) -> String {
    let store = &server.behind.store;
    format!("{:?} {:?} {:?} {:?}", store.accounts(), store.sessions(), store.mail_links(), store.mails().len())
}

#[actix_web::test]
async fn fifty_openings_and_a_scripted_form_change_nothing_and_then_the_person_succeeds() {
    let server = Server::start();
    let jar = signs_up(&server, ADA).await.browser();
    let (token, _) = letter(&server, ADA, "verify_email");
    let before = kept(&server);
    for path in ["/api/v2/auth/email/verify", "/api/auth/verify", "/account/verify"] {
        for method in [Method::GET, Method::HEAD].iter().cycle().take(50) {
            let opened = send(&server, method.clone(), &format!("{path}?token={token}"), &None, None, None).await;
            assert_eq!(opened.status, 200, "{method} {path}");
        }
    }
    let scripted = post(&server, "email/verify", &None, json!({"token": token})).await;
    assert_eq!((scripted.status, scripted.code()), (403, "code_required"));
    assert_eq!(kept(&server), before);
    let person = post(&server, "email/verify", &jar, json!({"token": token})).await;
    assert_eq!(person.status, 200, "{}", person.body);
    assert!(server.behind.store.users()[0].is_verified);
    server.stop().await;
}

#[actix_web::test]
async fn a_link_is_looked_at_before_it_is_used_and_tells_what_it_takes() {
    let server = Server::start();
    let jar = signs_up(&server, ADA).await.browser();
    let (token, _) = letter(&server, ADA, "verify_email");
    let path = format!("/api/v2/auth/email/verify?token={token}");
    let elsewhere = send(&server, Method::GET, &path, &None, None, None).await;
    assert_eq!(
        elsewhere.body,
        json!({"valid": true, "purpose": "verify_email", "email": "a…@example.org", "usable_here": true, "code_needed": true,
               "csrf_needed": false, "expires_at": "2026-01-02T00:00:00.000000Z", "message": "Enter the code that came with the link."})
    );
    assert!(elsewhere.headers.contains(&("cache-control".to_owned(), "no-store".to_owned())));
    let here = send(&server, Method::GET, &path, &jar, None, None).await;
    assert_eq!(here.body["code_needed"], false);
    for wrong in ["0".repeat(96), "nonsense".to_owned(), String::new(), token[1..].to_owned()] {
        let answer = send(&server, Method::GET, &format!("/api/v2/auth/email/verify?token={wrong}"), &jar, None, None).await;
        assert_eq!((answer.status, &answer.body["valid"], &answer.body["email"]), (200, &json!(false), &Value::Null));
    }
    let other = send(&server, Method::GET, &format!("/api/v2/auth/password/reset?token={token}"), &jar, None, None).await;
    assert_eq!(other.body["valid"], false, "it is for something else");
    let none = send(&server, Method::GET, "/api/v2/auth/email/verify", &jar, None, None).await;
    assert_eq!((none.status, none.code()), (400, "invalid_query"));
    server.stop().await;
}

#[actix_web::test]
async fn the_older_front_end_hears_whether_the_address_is_verified() {
    let server = Server::start();
    let jar = signs_up(&server, ADA).await.browser();
    let (token, _) = letter(&server, ADA, "verify_email");
    let path = format!("/api/auth/verify?token={token}");
    let before = send(&server, Method::GET, &path, &None, None, None).await;
    assert_eq!((before.status, &before.body["success"]), (200, &json!(false)));
    assert_eq!(before.body["next"], format!("/account/verify?token={token}"));
    assert_eq!(post(&server, "email/verify", &jar, json!({"token": token})).await.status, 200);
    let after = send(&server, Method::GET, &path, &None, None, None).await;
    assert_eq!((after.status, &after.body["success"], &after.body["next"]), (200, &json!(true), &Value::Null));
    let wrong = send(&server, Method::GET, "/api/auth/verify?token=1", &None, None, None).await;
    assert_eq!((wrong.status, wrong.code()), (400, "invalid_link"));
    assert!(wrong.body["detail"].is_string());
    server.stop().await;
}

#[actix_web::test]
async fn elsewhere_it_takes_the_code_and_a_new_password() {
    let server = Server::start();
    let stranger = access(&signs_up(&server, ADA).await);
    let (token, code) = letter(&server, ADA, "verify_email");
    for none in ["", "1", "- -", "abcdefgh", "123456789"] {
        let refused = post(&server, "email/verify", &None, json!({"token": token, "code": none})).await;
        assert_eq!((refused.status, refused.code()), (403, "code_required"), "{none}");
    }
    let wrong = post(&server, "email/verify", &None, json!({"token": token, "code": "0000 0000"})).await;
    assert_eq!((wrong.status, wrong.code()), (401, "invalid_code"));
    assert_eq!(wrong.body["error"]["details"]["code"], "is another; 4 more tries");
    let bare = post(&server, "email/verify", &None, json!({"token": token, "code": code})).await;
    assert_eq!(
        (bare.status, bare.code(), &bare.body["error"]["details"]["password"]),
        (400, "invalid_input", &json!("set a password"))
    );
    let weak = post(&server, "email/verify", &None, json!({"token": token, "code": code, "password": "short"})).await;
    assert_eq!((weak.status, weak.code()), (400, "weak_password"));
    let typed = code.replace(' ', "-");
    let done = post(&server, "email/verify", &None, json!({"token": token, "code": typed, "password": NEW})).await;
    assert_eq!(done.status, 200, "{}", done.body);
    assert!(done.body["message"].as_str().unwrap().contains("your new password is set"), "{}", done.body);
    let over = send(&server, Method::GET, "/api/v2/auth/verify", &None, Some(&stranger), None).await;
    assert_eq!(over.code(), "session_revoked");
    let again = post(&server, "email/verify", &None, json!({"token": token, "code": code, "password": NEW})).await;
    assert_eq!((again.status, again.code()), (400, "invalid_link"));
    server.stop().await;
}

#[actix_web::test]
async fn the_session_that_signed_up_needs_neither_cookie_nor_code() {
    let server = Server::start();
    let token = access(&signs_up(&server, ADA).await);
    let (link, _) = letter(&server, ADA, "verify_email");
    let path = "/api/v2/auth/email/verify";
    let done = send(&server, Method::POST, path, &None, Some(&token), Some(json!({"token": link}))).await;
    assert_eq!(done.status, 200, "{}", done.body);
    server.stop().await;
}

#[actix_web::test]
async fn the_session_that_signed_up_verifies_by_the_code_alone() {
    let server = Server::start_with(Setup::strict());
    let bearer = access(&signs_up(&server, ADA).await);
    let (_, code) = letter(&server, ADA, "verify_email");
    let verify = async |bearer: Option<&str>, body: Value| {
        let answer = send(&server, Method::POST, "/api/v2/auth/email/verify", &None, bearer, Some(body)).await;
        (answer.status, answer.code().to_owned(), answer.body["error"]["details"]["code"].as_str().unwrap_or_default().to_owned())
    };
    let (nobody, _, _) = verify(None, json!({"code": code})).await;
    assert_eq!(nobody, 401);
    let none = verify(Some(&bearer), json!({})).await;
    assert_eq!((none.0, none.1.as_str()), (400, "invalid_input"));
    let wrong = verify(Some(&bearer), json!({"code": "0000 0000"})).await;
    assert_eq!(wrong, (401, "invalid_code".to_owned(), "is another; 4 more tries".to_owned()));
    // Who opens a second account with the address hears the same, owned or not.
    let other = access(&signs_up(&server, ADA).await);
    let theirs = verify(Some(&other), json!({"code": code})).await;
    assert_eq!(theirs, (401, "invalid_code".to_owned(), "is another; 4 more tries".to_owned()));
    assert_eq!(verify(Some(&bearer), json!({"code": code})).await.0, 200);
    let late = access(&signs_up(&server, ADA).await);
    let (_, wrong) = letter(&server, ADA, "verify_email");
    let owned = verify(Some(&late), json!({"code": wrong})).await;
    assert_eq!(owned, (401, "invalid_code".to_owned(), "is another; 4 more tries".to_owned()));
    assert_eq!(post(&server, "login", &None, json!({"email": ADA, "password": GOOD})).await.status, 200, "the password stays");
    server.stop().await;
}

#[actix_web::test]
async fn browsers_find_where_to_change_a_password_an_icon_and_a_page_for_what_was_mistyped() {
    let server = Server::start();
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let change = client.get(format!("{}/.well-known/change-password", server.base)).send().await.unwrap();
    assert_eq!((change.status().as_u16(), change.headers()["location"].to_str().unwrap()), (302, "/account/reset"));
    assert_eq!(server.get("/favicon.ico").await.status(), 200);
    let mistyped = server.get("/account/verfy?token=1").await;
    assert_eq!(mistyped.status(), 404);
    assert_eq!(mistyped.headers()["content-type"], "text/html; charset=utf-8");
    server.stop().await;
}

#[actix_web::test]
async fn a_forgotten_password_is_set_anew_in_the_browser_that_asked() {
    let server = Server::start();
    let old = access(&signs_up(&server, ADA).await);
    let asked = post(&server, "password/forgot", &None, json!({"email": "Ada@Example.org"})).await;
    assert_eq!(asked.status, 202);
    let jar = asked.browser();
    for attribute in ["HttpOnly", "Secure", "SameSite=Lax", "Path=/"] {
        assert!(asked.headers.iter().any(|(name, value)| name == "set-cookie" && value.contains(attribute)), "{attribute}");
    }
    let (token, _) = letter(&server, ADA, "reset_password");
    let elsewhere = post(&server, "password/reset", &None, json!({"token": token, "password": NEW})).await;
    assert_eq!((elsewhere.status, elsewhere.code()), (403, "code_required"));
    let done = post(&server, "password/reset", &jar, json!({"token": token, "password": NEW})).await;
    assert_eq!(done.status, 200, "{}", done.body);
    assert!(done.body.get("tokens").is_none() && done.cookie("__Host-coinlink-access").is_none(), "nobody is signed in");
    assert_eq!(
        done.cookie("__Host-coinlink-device").unwrap(),
        format!("__Host-coinlink-device={}", done.body["device_token"].as_str().unwrap())
    );
    let over = send(&server, Method::GET, "/api/v2/auth/verify", &None, Some(&old), None).await;
    assert_eq!(over.code(), "session_revoked");
    assert_eq!(post(&server, "login", &None, json!({"email": ADA, "password": GOOD})).await.status, 401);
    assert_eq!(post(&server, "login", &None, json!({"email": ADA, "password": NEW})).await.status, 200);
    server.stop().await;
}

#[actix_web::test]
async fn an_address_is_changed_and_changed_back() {
    let server = Server::start();
    let up = signs_up(&server, ADA).await;
    let (bearer, jar) = (access(&up), up.browser());
    let (verify, _) = letter(&server, ADA, "verify_email");
    assert_eq!(post(&server, "email/verify", &jar, json!({"token": verify})).await.status, 200);
    let change = async |email: &str, word: &str| {
        let body = Some(json!({"email": email, "password": word}));
        send(&server, Method::POST, "/api/v2/auth/email/change", &jar, Some(&bearer), body).await
    };
    assert_eq!(change("new@example.org", "wrong").await.code(), "invalid_input");
    assert_eq!(change(ADA, GOOD).await.body["error"]["details"]["email"], "is your present address");
    assert_eq!(change("new@example.org", GOOD).await.status, 202);
    let (confirm, _) = letter(&server, "new@example.org", "confirm_email_change");
    assert_eq!(post(&server, "email/change/confirm", &None, json!({"token": confirm})).await.code(), "code_required");
    assert_eq!(post(&server, "email/change/confirm", &jar, json!({"token": confirm})).await.status, 200);
    let profile = send(&server, Method::GET, "/api/v2/user/profile", &None, Some(&bearer), None).await;
    assert_eq!(profile.body["email"], "new@example.org");
    let (undo, code) = letter(&server, ADA, "undo_email_change");
    let looked = send(&server, Method::GET, &format!("/api/v2/auth/email/change/undo?token={undo}"), &jar, None, None).await;
    assert_eq!((&looked.body["valid"], &looked.body["code_needed"]), (&json!(true), &json!(true)));
    assert_eq!(post(&server, "email/change/undo", &None, json!({"token": undo, "code": code})).await.status, 200);
    assert_eq!(server.behind.store.users()[0].email.as_str(), ADA);
    let over = send(&server, Method::GET, "/api/v2/user/profile", &None, Some(&bearer), None).await;
    assert_eq!(over.code(), "session_revoked");
    server.stop().await;
}

#[actix_web::test]
async fn no_code_moves_somebodys_address_to_a_strangers_account() {
    for setup in [Setup::default(), Setup::strict()] {
        let server = Server::start_with(setup);
        let up = signs_up(&server, "eve@example.org").await;
        let (stranger, strangers) = (access(&up), up.browser());
        let body = json!({"email": ADA, "password": GOOD});
        let asked = send(&server, Method::POST, "/api/v2/auth/email/change", &strangers, Some(&stranger), Some(body)).await;
        assert_eq!(asked.status, 202, "{}", asked.body);
        let (token, code) = letter(&server, ADA, "confirm_email_change");
        let victim = signs_up(&server, ADA).await;
        let (bearer, jar) = (access(&victim), victim.browser());
        let before = kept(&server);
        for (jar, token_of) in [(&None, None), (&jar, None), (&jar, Some(bearer.as_str()))] {
            let path = format!("/api/v2/auth/email/change/confirm?token={token}");
            let looked = send(&server, Method::GET, &path, jar, token_of, None).await;
            assert_eq!((&looked.body["usable_here"], &looked.body["code_needed"]), (&json!(false), &json!(false)));
            let told = looked.body["message"].as_str().unwrap().to_owned();
            for body in [json!({"token": token}), json!({"token": token, "code": code})] {
                let path = "/api/v2/auth/email/change/confirm";
                let refused = send(&server, Method::POST, path, jar, token_of, Some(body)).await;
                assert_eq!((refused.status, refused.code()), (403, "code_required"));
                assert_eq!(refused.body["detail"], told);
                assert!(told.contains("where you asked for the change") && told.contains("signed in"), "{told}");
            }
        }
        assert_eq!(kept(&server), before);
        let (verify, _) = letter(&server, ADA, "verify_email");
        assert_eq!(post(&server, "email/verify", &jar, json!({"token": verify})).await.status, 200);
        server.stop().await;
    }
}

#[actix_web::test]
async fn a_change_is_confirmed_signed_in_to_the_account_that_asked() {
    let server = Server::start();
    let bearer = access(&signs_up(&server, ADA).await);
    let body = json!({"email": "new@example.org", "password": GOOD});
    assert_eq!(send(&server, Method::POST, "/api/v2/auth/email/change", &None, Some(&bearer), Some(body)).await.status, 202);
    let (token, _) = letter(&server, "new@example.org", "confirm_email_change");
    let elsewhere = access(&post(&server, "login", &None, json!({"email": ADA, "password": GOOD})).await);
    let path = "/api/v2/auth/email/change/confirm";
    let done = send(&server, Method::POST, path, &None, Some(&elsewhere), Some(json!({"token": token}))).await;
    assert_eq!(done.status, 200, "{}", done.body);
    assert_eq!(server.behind.store.users()[0].email.as_str(), "new@example.org");
    server.stop().await;
}

/// Bytes and headers, the windows of the rate limits among them.
#[actix_web::test]
async fn nothing_in_an_answer_tells_whether_there_is_an_account() {
    let server = Server::start_with(Setup::limited(all(10)).behind_a_proxy());
    let jar = signs_up(&server, ADA).await.browser();
    let (token, _) = letter(&server, ADA, "verify_email");
    post(&server, "email/verify", &jar, json!({"token": token})).await;
    signs_up(&server, "unverified@example.org").await;
    let mut off = server.behind.store.accounts().remove(0);
    off.user.id = coinlink_domain::identity::UserId(uuid::Uuid::now_v7());
    off.user.email = Email::try_new("off@example.org").unwrap();
    off.user.is_active = false;
    server.behind.store.put_account(&off);
    // Guessed at so often that only a reset lets anybody in.
    signs_up(&server, "locked@example.org").await;
    let key = [GuardKey::Account(Email::try_new("locked@example.org").unwrap())];
    let mut tx = server.behind.store.begin().await.unwrap();
    for failure in 0..100 {
        let at = NOON + Duration::minutes(16) * failure;
        tx.guards().reserve(&key, at, &GuardPolicies::default()).await.unwrap().unwrap();
    }
    tx.commit().await.unwrap();
    for path in ["password/forgot", "email/resend"] {
        let mut said = Vec::new();
        for (n, email) in
            [ADA, "nobody@example.org", "unverified@example.org", "off@example.org", "locked@example.org"].iter().enumerate()
        {
            for round in 0..12 {
                let request = server
                    .request(Method::POST, &format!("/api/v2/auth/{path}"))
                    .header("x-forwarded-for", format!("203.0.{}.{round}", n + 1))
                    .header("content-type", "application/json")
                    .body(json!({"email": email}).to_string());
                said.push((round, Answer::of(request.send().await.unwrap()).await.lasting()));
            }
        }
        let (first, others) = said.split_at(12);
        for (round, answer) in others {
            assert_eq!(answer, &first[*round].1, "{path} {round}");
        }
        assert_eq!((first[0].1.0, first[11].1.0), (202, 429));
    }
    server.stop().await;
}

#[actix_web::test]
async fn where_addresses_must_be_verified_signing_up_does_not_tell_either() {
    let server = Server::start_with(Setup::strict());
    let jar = signs_up(&server, ADA).await.browser();
    let (token, _) = letter(&server, ADA, "verify_email");
    assert_eq!(post(&server, "login", &None, json!({"email": ADA, "password": GOOD})).await.status, 401, "not before");
    assert_eq!(post(&server, "email/verify", &jar, json!({"token": token})).await.status, 200);
    assert_eq!(post(&server, "login", &None, json!({"email": ADA, "password": GOOD})).await.status, 200);
    let mut said = Vec::new();
    for email in [ADA, "new@example.org"] {
        let (status, headers, mut body) = signs_up(&server, email).await.lasting();
        assert_eq!((&body["user"]["email"], &body["user"]["is_verified"]), (&json!(email), &json!(false)));
        for secret in ["tokens", "device_token", "data", "user"] {
            let shape = body[secret].as_object().map(|fields| fields.keys().cloned().collect::<Vec<_>>());
            body[secret] = json!(shape);
        }
        // The address itself is as long as it is, and both come from here.
        let differs = ["content-length", "ratelimit", "x-ratelimit-remaining"];
        let headers: Vec<_> = headers.into_iter().filter(|(name, _)| !differs.contains(&name.as_str())).collect();
        said.push((status, headers, body));
    }
    assert_eq!(said[0], said[1]);
    assert_eq!(letters(&server, ADA, "already_registered").len(), 1);
    assert_eq!(letters(&server, ADA, "verify_email").len(), 1);
    server.stop().await;
}

#[actix_web::test]
async fn what_takes_a_verified_address_says_so_until_it_is() {
    let server = Server::start_with(Setup::strict());
    let up = signs_up(&server, ADA).await;
    let (bearer, jar) = (access(&up), up.browser());
    let tries = async || {
        let key = json!({"name": "bot", "scopes": ["market:read"], "password": GOOD});
        let keys = send(&server, Method::POST, "/api/v2/user/api-keys", &None, Some(&bearer), Some(key)).await;
        let setup = json!({"password": GOOD});
        let factor = send(&server, Method::POST, "/api/v2/auth/2fa/setup", &None, Some(&bearer), Some(setup)).await;
        let wallet = json!({"password": "wrong", "challenge": "none", "signature": "none"});
        let wallet = send(&server, Method::POST, "/api/v2/auth/wallet/link", &None, Some(&bearer), Some(wallet)).await;
        [keys, factor, wallet].map(|answer| (answer.status, answer.code().to_owned()))
    };
    let refused = (403, "email_not_verified".to_owned());
    assert_eq!(tries().await, [refused.clone(), refused.clone(), refused]);
    let (token, _) = letter(&server, ADA, "verify_email");
    assert_eq!(post(&server, "email/verify", &jar, json!({"token": token})).await.status, 200);
    let after = tries().await;
    assert!(after[..2].iter().all(|(status, _)| (200..300).contains(status)), "{after:?}");
    assert_eq!(after[2].1, "invalid_input", "the password is looked at");
    server.stop().await;
}

#[actix_web::test]
async fn who_asks_for_another_letter_is_signed_in_or_names_an_address() {
    let server = Server::start();
    let bearer = access(&signs_up(&server, ADA).await);
    let path = "/api/v2/auth/email/resend";
    let nobody = send(&server, Method::POST, path, &None, None, Some(json!({}))).await;
    assert_eq!((nobody.status, nobody.code()), (401, "authentication_required"));
    let wrong = send(&server, Method::POST, path, &None, None, Some(json!({"email": "ada"}))).await;
    assert_eq!((wrong.status, wrong.code()), (400, "invalid_input"));
    let own = send(&server, Method::POST, path, &None, Some(&bearer), Some(json!({}))).await;
    assert_eq!(own.status, 202);
    assert_eq!(letters(&server, ADA, "verify_email").len(), 2);
    let (token, _) = letter(&server, ADA, "verify_email");
    let done = post(&server, "email/verify", &own.browser(), json!({"token": token})).await;
    assert_eq!(done.status, 200, "the browser that asked, signed in: {}", done.body);
    server.stop().await;
}

#[actix_web::test]
async fn looking_is_counted_as_reading_and_using_as_trying_a_password() {
    let mut limits = all(1_000);
    limits.credentials = 3;
    let server = Server::start_with(Setup::limited(limits));
    let path = format!("/api/v2/auth/password/reset?token={}", "0".repeat(96));
    for _ in 0..20 {
        assert_eq!(send(&server, Method::GET, &path, &None, None, None).await.status, 200);
    }
    let body = json!({"token": "0", "password": NEW});
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(post(&server, "password/reset", &None, body.clone()).await.status);
    }
    assert_eq!(statuses, [400, 400, 400, 429]);
    // A token that is over is as none: whoever follows a link need not know that their session ended.
    let stale = crate::http_support::gated::Holder::new().token(-Duration::HOUR, -Duration::minutes(30));
    let looked = send(&server, Method::GET, &path, &None, Some(&stale), None).await;
    assert_eq!(looked.status, 200, "{}", looked.body);
    server.stop().await;
}

#[actix_web::test]
async fn the_pages_are_kept_by_nobody_tell_nobody_and_run_no_script_of_their_own() {
    let server = Server::start();
    for path in ["/account/verify", "/account/reset", "/account/change", "/account/undo"] {
        let response = server.get(&format!("{path}?token=1")).await;
        assert_eq!(header(&response, "cache-control"), Some("no-store"), "{path}");
        assert_eq!(header(&response, "referrer-policy"), Some("no-referrer"), "{path}");
        assert_eq!(header(&response, "x-frame-options"), Some("DENY"), "{path}");
        assert!(header(&response, "content-security-policy").unwrap().contains("script-src 'self'"));
        let text = response.text().await.unwrap();
        assert_eq!(text.matches("<script").count(), 1, "{path}");
        assert!(text.contains("<script src=\"/account/page.js\"></script>") && !text.contains("token=1"), "{path}");
    }
    let script = server.get("/account/page.js").await;
    assert_eq!((script.status().as_u16(), header(&script, "content-type")), (200, Some("text/javascript; charset=utf-8")));
    server.stop().await;
}

#[actix_web::test]
async fn a_store_that_is_down_is_503_and_the_link_stays_good() {
    let server = Server::start();
    let jar = signs_up(&server, ADA).await.browser();
    let (token, _) = letter(&server, ADA, "verify_email");
    server.behind.store.fail_after(0);
    for (path, body) in [
        ("email/verify", json!({"token": token})),
        ("password/reset", json!({"token": token, "password": NEW})),
        ("email/change/confirm", json!({"token": token})),
        ("email/change/undo", json!({"token": token})),
        ("email/resend", json!({"email": ADA})),
        ("password/forgot", json!({"email": ADA})),
    ] {
        let answer = post(&server, path, &jar, body).await;
        assert_eq!((answer.status, answer.code()), (503, "dependency_unavailable"), "{path}");
    }
    let looked = send(&server, Method::GET, &format!("/api/v2/auth/email/verify?token={token}"), &jar, None, None).await;
    assert_eq!(looked.status, 503);
    server.behind.store.recover();
    assert_eq!(post(&server, "email/verify", &jar, json!({"token": token})).await.status, 200);
    server.stop().await;
}

#[test]
fn no_token_and_no_code_panics_or_is_our_fault() {
    let texts = prop_oneof![".{0,120}", "[0-9a-fA-F]{90,100}", "[0-9a-f]{96}"];
    let mut runner = TestRunner::new(Config { cases: 64, failure_persistence: None, ..Config::default() });
    runner
        .run(&(texts, ".{0,20}"), |(token, code)| {
            let statuses: Vec<u16> = actix_web::rt::System::new().block_on(async {
                let server = Server::start();
                let mut statuses = Vec::new();
                for path in ["email/verify", "password/reset", "email/change/confirm", "email/change/undo"] {
                    let mut body = json!({"token": token, "code": code});
                    if path == "password/reset" {
                        body["password"] = json!(NEW);
                    }
                    statuses.push(post(&server, path, &None, body).await.status);
                    let encoded = token.bytes().fold(String::new(), |text, byte| text + &format!("%{byte:02x}"));
                    let request = server.request(Method::GET, &format!("/api/v2/auth/{path}?token={encoded}"));
                    statuses.push(request.send().await.unwrap().status().as_u16());
                }
                server.stop().await;
                statuses
            });
            prop_assert!(statuses.iter().all(|status| [200, 400].contains(status)), "{:?}", statuses);
            Ok(())
        })
        .unwrap();
}
