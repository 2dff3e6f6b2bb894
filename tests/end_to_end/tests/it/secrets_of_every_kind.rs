//! Every kind of secret that there is, used once on the real binary at its most talkative: none is in a log line, in a span, or in
//! a report of an error. `secrets` looks at passwords and tokens more closely, in rows and error bodies too.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use coinlink_domain::identity::{AddressKind, Network};
use coinlink_end_to_end_tests::{Answer, Api, Client, Collector, Held, Node, PASSWORD, UNLIMITED, eventually, somebody};
use coinlink_testkit::identity::BitcoinWallet;
use reqwest::Method;
use serde_json::{Value, json};
use totp_rs::Totp;

const SOON: Duration = Duration::from_secs(20);
/// Those of the settings.
const OWN: [(&str, &str); 13] = [
    ("JWT_SECRET_KEY", "jwt-0123456789abcdef0123456789abcdef-kinds"),
    ("PASSWORD_PEPPER", "pepper-fedcba9876543210fedcba9876543210-kinds"),
    ("TOTP_ENCRYPTION_KEY", "a0e1d2c3b4a5968778695a4b3c2d1e0ff0e1d2c3b4a5968778695a4b3c2d1e0f"),
    ("TOTP_ENCRYPTION_KEY_PREVIOUS", "b0e1d2c3b4a5968778695a4b3c2d1e0ff0e1d2c3b4a5968778695a4b3c2d1e0f"),
    ("OTEL_EXPORTER_OTLP_HEADERS", "x-collector-key=collector-key-0123456789"),
    ("COINGECKO_API_KEY", "coingecko-key-0123456789"),
    ("COINBASE_API_KEY", "coinbase-key-0123456789"),
    ("COINBASE_API_SECRET", "coinbase-secret-0123456789"),
    ("NEWSAPI_API_KEY", "newsapi-key-0123456789"),
    ("LLM_API_KEY", "llm-key-0123456789"),
    ("LLM_MODEL", "none"),
    ("WALLET_NETWORK", "regtest"),
    ("WEBHOOK_ALLOWED_PRIVATE", "127.0.0.0/8"),
];

struct Run {
    node: Node,
    api: Api,
    secrets: BTreeSet<String>,
    /// Too short to be looked for anywhere but as a word of its own.
    codes: BTreeSet<String>,
}

impl Run {
    fn keep(&mut self, text: &str) -> String {
        assert!(text.len() > 8, "{text}");
        self.secrets.insert(text.to_owned());
        text.to_owned()
    }

    fn keep_held(&mut self, answer: &Answer) -> Held {
        let held = Held::of(answer);
        for token in [&held.access, &held.refresh, &held.device] {
            self.keep(token);
        }
        held
    }

    async fn signed_up(&mut self) -> (String, Held) {
        let email = somebody();
        let answer = self.api.post("/api/v2/auth/signup", &json!({"email": email, "password": PASSWORD})).await.expect(201);
        (email, self.keep_held(&answer))
    }

    async fn api_keys_tickets_and_webhooks(&mut self) {
        let (_, held) = self.signed_up().await;
        let body = json!({"name": "bot", "scopes": ["account:read"], "password": PASSWORD});
        let made = self.api.post_as(&held.access, "/api/v2/user/api-keys", &body).await.expect(201);
        let key = self.keep(made.json["key"].as_str().unwrap());
        for key in [key.clone(), format!("{key}x")] {
            let _ = self.api.send(self.api.request(Method::GET, "/api/v2/user/profile").header("X-API-Key", key)).await;
        }
        let ticket = self.api.post_as(&held.access, "/api/v2/auth/ws-ticket", &Value::Null).await.expect(201);
        let ticket = self.keep(ticket.json["ticket"].as_str().unwrap());
        let query = format!("/ws?token={}&ticket={ticket}", held.access);
        let mut socket = Client::try_connect(self.node.address, &query, None).await.unwrap();
        socket.say(&json!({"type": "authenticate", "ticket": ticket})).await;
        socket.frame_of("authenticated").await;
        socket.say(&json!({"type": "authenticate", "ticket": ticket})).await;
        socket.frame_of("error").await;

        let receiver = Collector::start().await;
        let url =
            format!("{}/in/{}?key={}", receiver.url(), self.keep("hook-path-0123456789"), self.keep("hook-query-0123456789"));
        let hooks = "/api/v2/notifications/webhooks";
        let made = self.api.post_as(&held.access, hooks, &json!({"url": url})).await.expect(201);
        self.keep(made.json["secret"].as_str().unwrap());
        let path = format!("{hooks}/{}/test", made.json["id"].as_str().unwrap());
        let _ = self.api.post_as(&held.access, &path, &Value::Null).await;
        eventually("the webhook is called", SOON, async || !receiver.posted().is_empty()).await;
    }

    async fn cookies(&mut self) {
        let (email, _) = self.signed_up().await;
        let body = json!({"email": email, "password": PASSWORD, "cookies": true});
        let login = self.api.with_json(Method::POST, "/api/v2/auth/login", &body).header("Origin", self.node.url(""));
        let answer = self.api.send(login).await;
        let cookies: Vec<String> =
            answer.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap().to_owned()).collect();
        assert!(answer.status == 200 && cookies.len() >= 2, "{} {cookies:?}", answer.text);
        let pairs: Vec<&str> = cookies.iter().map(|cookie| cookie.split(';').next().unwrap()).collect();
        for pair in &pairs {
            self.keep(pair.split_once('=').unwrap().1);
        }
        let csrf = self.keep(answer.json["tokens"]["csrf_token"].as_str().unwrap());
        for token in [csrf.clone(), format!("{csrf}0")] {
            let change = self.api.with_json(Method::PUT, "/api/v2/user/profile", &json!({"first_name": "Ada"}));
            let change =
                change.header("Cookie", pairs.join("; ")).header("X-CSRF-Token", token).header("Origin", self.node.url(""));
            let _ = self.api.send(change).await;
        }
    }

    async fn second_factor(&mut self) {
        let (email, held) = self.signed_up().await;
        let setup = self.api.post_as(&held.access, "/api/v2/auth/2fa/setup", &json!({"password": PASSWORD})).await.expect(200);
        let uri = setup.json["otpauth_uri"].as_str().unwrap();
        let secret = uri.split_once("secret=").unwrap().1.split('&').next().unwrap();
        self.keep(secret);
        let (app, step) = (Totp::from_url(uri).unwrap(), SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() / 30);
        let mut code = |step: u64| {
            let code = app.generate(step * 30).to_string();
            self.codes.insert(code.clone());
            code
        };
        let (first, second) = (code(step), code(step + 1));
        let confirmed = self.api.post_as(&held.access, "/api/v2/auth/2fa/confirm", &json!({"code": first})).await.expect(200);
        let codes: Vec<String> = serde_json::from_value(confirmed.json["recovery_codes"].clone()).unwrap();
        for code in &codes {
            self.keep(code);
        }
        for proof in [json!({"code": second}), json!({"recovery_code": codes[0]}), json!({"recovery_code": codes[0]})] {
            let asked = self.api.post("/api/v2/auth/login", &json!({"email": email, "password": PASSWORD})).await.expect(200);
            let ticket = self.keep(asked.json["mfa_ticket"].as_str().unwrap());
            let mut body = proof;
            body["mfa_ticket"] = ticket.into();
            let answer = self.api.post("/api/v2/auth/2fa/verify", &body).await;
            if answer.status == 200 {
                self.keep_held(&answer);
            }
        }
    }

    async fn wallets(&mut self) {
        let (_, held) = self.signed_up().await;
        let wallet = BitcoinWallet::new(AddressKind::P2wpkh, Network::Regtest, &held.user);
        let (challenge, link) = ("/api/v2/auth/wallet/challenge", "/api/v2/auth/wallet/link");
        let asked =
            self.api.post_as(&held.access, challenge, &json!({"address": wallet.address(), "purpose": "link"})).await.expect(200);
        let signature = self.keep(&wallet.sign(asked.json["message"].as_str().unwrap()));
        let secret = self.keep(asked.json["challenge"].as_str().unwrap());
        let body = json!({"challenge": secret, "signature": signature, "password": PASSWORD});
        let _ = self.api.post_as(&held.access, link, &body).await.expect(201);
        let asked = self.api.post(challenge, &json!({"address": wallet.address()})).await.expect(200);
        let (_, signature) = wallet.signatures(asked.json["message"].as_str().unwrap()).swap_remove(0);
        let (secret, signature) = (self.keep(asked.json["challenge"].as_str().unwrap()), self.keep(&signature));
        let body = json!({"challenge": secret, "signature": signature});
        let opened = self.api.post("/api/v2/auth/wallet/verify", &body).await.expect(200);
        self.keep_held(&opened);
    }

    async fn links_in_mail(&mut self) {
        let (email, _) = self.signed_up().await;
        let _ = self.api.post("/api/v2/auth/password/forgot", &json!({"email": email})).await.expect(202);
        let folder = self.node.process.directory().join("data/mail");
        eventually("the letter is delivered", SOON, async || letter(&folder, &email).is_some()).await;
        let text = letter(&folder, &email).unwrap();
        let (_, rest) = text.split_once("token=").unwrap();
        let token: String = rest.chars().take_while(|letter| !letter.is_whitespace()).collect();
        let is_code = |line: &&str| line.len() == 9 && line.as_bytes()[4] == b' ' && line.replace(' ', "").parse::<u32>().is_ok();
        let code = text.lines().map(str::trim).find(is_code).unwrap().to_owned();
        let (token, code) = (self.keep(&token), self.keep(&code));
        let page = "/api/v2/auth/password/reset";
        let _ = self.api.get(&format!("{page}?token={token}")).await;
        let _ = self.api.get(&format!("/account/reset?token={token}")).await;
        let new = self.keep("Another-horse-8-stable");
        for code in ["0000 0000", &code] {
            let _ = self.api.post(page, &json!({"token": token, "code": code, "password": new})).await;
        }
    }

    fn found_in(&self, text: &str) -> Vec<&str> {
        let alone = |code: &str| {
            let edge = |neighbour: Option<char>| neighbour.is_none_or(|letter| !letter.is_ascii_alphanumeric() && letter != '.');
            text.match_indices(code)
                .any(|(at, _)| edge(text[..at].chars().next_back()) && edge(text[at + code.len()..].chars().next()))
        };
        let words = self.codes.iter().filter(|code| alone(code)).map(String::as_str);
        self.secrets.iter().map(String::as_str).filter(|secret| text.contains(secret)).chain(words).collect()
    }
}

/// The newest letter that resets the password of this address.
fn letter(folder: &Path, to: &str) -> Option<String> {
    let files = fs::read_dir(folder).ok()?.map(|file| file.unwrap().path());
    let letters = files.filter(|path| {
        path.to_str().is_some_and(|name| name.contains("-reset_password-")) && path.extension() == Some("eml".as_ref())
    });
    // Undoes what quoted-printable does to a line.
    let read = |path: &Path| fs::read_to_string(path).unwrap().replace("=\r\n", "").replace("=3D", "=");
    letters.map(|path| read(&path)).find(|text| text.contains(&format!("To: {to}")))
}

#[tokio::test]
async fn no_secret_of_any_kind_is_in_the_log_in_a_span_or_in_a_report() {
    let (traces, reports) = (Collector::start().await, Collector::start().await);
    let (endpoint, dsn) = (traces.url(), reports.dsn());
    let nowhere = format!("{}/v1", reports.url());
    let told = [
        ("LOG_LEVEL", "trace"),
        ("LOG_FORMAT", "json"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &*endpoint),
        ("SENTRY_DSN", &*dsn),
        ("LLM_BASE_URL", &*nowhere),
    ];
    let node = Node::dev_with(&["--feed", "simulated"], &[&UNLIMITED[..], &OWN, &told].concat()).await;
    let api = Api::at(node.url(""));
    let mut secrets: BTreeSet<String> = OWN[..10].iter().map(|(_, value)| (*value).to_owned()).collect();
    secrets.extend(["collector-key-0123456789", "0123456789abcdef@", PASSWORD].map(str::to_owned));
    let mut run = Run { node, api, secrets, codes: BTreeSet::new() };
    run.api_keys_tickets_and_webhooks().await;
    run.cookies().await;
    run.second_factor().await;
    run.wallets().await;
    run.links_in_mail().await;
    let _ = run.api.post("/api/chat", &json!({"message": "What is the price of Bitcoin?"})).await;

    run.node.process.terminate();
    assert!(run.node.process.wait().await.success());
    assert!(run.secrets.len() > 50 && run.codes.len() == 2, "{} secrets", run.secrets.len());
    let log = run.node.process.log();
    assert!(log.lines().count() > 500 && log.contains("\"TRACE\""), "the log says much: {}", log.lines().count());
    for line in log.lines() {
        assert!(run.found_in(line).is_empty(), "{:?} in {line}", run.found_in(line));
    }
    assert!(traces.spans().len() > 200, "{} spans", traces.spans().len());
    assert!(
        traces.posted().iter().all(|posted| posted.head.contains("collector-key-0123456789")),
        "the collector's own key reaches it"
    );
    for posted in traces.posted().iter().chain(&reports.posted()).filter(|posted| !posted.head.contains("/chat/completions")) {
        let text = String::from_utf8_lossy(&posted.body);
        assert!(run.found_in(&text).is_empty(), "{:?} in {text}", run.found_in(&text));
    }
}
