//! Sessions in cookies, in a real browser: a page of ours works with them, and no page of another origin does anything with them
//! or reads anything of them.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use coinlink_end_to_end_tests::{Browser, Node, PASSWORD, UNLIMITED};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

/// What every script here begins with: requests with JSON, and what came of them.
const ASK: &str = "
    const ask = async (method, url, {body, token, ...more} = {}) => {
        const headers = {};
        if (body !== undefined) headers['Content-Type'] = 'application/json';
        if (token !== undefined) headers['X-CSRF-Token'] = token;
        const response = await fetch(url, {method, headers, body: body && JSON.stringify(body), ...more});
        const text = await response.text();
        let json = null;
        try { json = JSON.parse(text) } catch {}
        return {status: response.status, text, json};
    };";

async fn ask(browser: &mut Browser, method: &str, path: &str, options: Value) -> Value {
    let (method, path) = (json!(method), json!(path));
    browser.run(&format!("{ASK} return await ask({method}, {path}, {options});")).await
}

/// Serves an empty page on a port of its own, for ever.
async fn another_server() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let page = "<!doctype html><title>elsewhere</title>";
                let length = page.len();
                let answer = format!(
                    "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{page}"
                );
                let _ = stream.read(&mut [0; 4096]).await;
                let _ = stream.write_all(answer.as_bytes()).await;
            });
        }
    });
    port
}

struct Ours {
    node: Node,
    home: String,
    browser: Browser,
}

impl Ours {
    /// A node, and a browser at its page.
    async fn start() -> Self {
        Self::start_with(&[]).await
    }

    async fn start_with(settings: &[(&str, &str)]) -> Self {
        let node = Node::dev_with(&["--feed", "simulated"], &[&UNLIMITED, settings].concat()).await;
        let home = format!("http://localhost:{}", node.address.port());
        let browser = Browser::open(&format!("{home}/livez"), &node.process.directory().join("browser")).await;
        let mut ours = Self { node, home, browser };
        ours.go_home().await;
        ours
    }

    async fn go_home(&mut self) {
        let page = format!("{}/livez", self.home);
        self.browser.go(&page).await;
    }

    /// Signs up at our page; what was answered.
    async fn sign_up(&mut self) -> Value {
        let body = json!({"email": "ada@example.org", "password": PASSWORD, "first_name": "Ada", "cookies": true});
        let answer = ask(&mut self.browser, "POST", "/api/v2/auth/signup", json!({ "body": body })).await;
        assert_eq!(answer["status"], 201, "{answer}");
        answer
    }

    async fn session_cookies(&mut self) -> Vec<Value> {
        let ours = ["__Host-coinlink-access", "__Secure-coinlink-refresh"];
        let mut cookies = self.browser.cookies().await;
        cookies.retain(|cookie| ours.contains(&cookie["name"].as_str().unwrap()));
        cookies.sort_by_key(|cookie| cookie["name"].to_string());
        cookies
    }

    /// How often a route answered this.
    async fn answered(&self, method: &str, route: &str, status: u16) -> u64 {
        let series = format!("http_requests_total{{method=\"{method}\",route=\"{route}\",status=\"{status}\"}}");
        self.node.metric_if_any(&series).await.unwrap_or(0)
    }
}

#[tokio::test]
async fn a_page_of_ours_signs_in_works_refreshes_and_signs_out_and_its_scripts_see_no_token() {
    let mut ours = Ours::start().await;
    let answer = ours.sign_up().await;
    let text = answer["text"].as_str().unwrap();
    assert!(!text.contains("eyJ") && !text.contains("v4.local."), "{text}");
    let token = answer["json"]["tokens"]["csrf_token"].clone();
    assert_eq!(ours.browser.evaluate("document.cookie").await, "", "no script sees them");

    let kept = ours.session_cookies().await;
    let facts = |cookie: &Value| ["domain", "path", "httpOnly", "secure", "sameSite"].map(|name| cookie[name].clone());
    let told: Vec<_> = kept.iter().map(facts).collect();
    let expected = |path: &str| [json!("localhost"), json!(path), json!(true), json!(true), json!("Lax")];
    assert_eq!(told, [expected("/"), expected("/api/v2/auth")]);

    let browser = &mut ours.browser;
    let verified = ask(browser, "GET", "/api/v2/auth/verify", json!({})).await;
    assert_eq!((&verified["status"], &verified["json"]["user"]["email"]), (&json!(200), &json!("ada@example.org")));
    let with = |token: &Value, name: &str| json!({"body": {"first_name": name}, "token": token});
    let changed = ask(browser, "PUT", "/api/v2/user/profile", with(&token, "Augusta")).await;
    assert_eq!(changed["status"], 200, "{changed}");
    let wrong = json!("0".repeat(64));
    for options in [json!({"body": {"first_name": "Eve"}}), with(&wrong, "Eve")] {
        let refused = ask(browser, "PUT", "/api/v2/user/profile", options).await;
        assert_eq!((&refused["status"], &refused["json"]["error"]["code"]), (&json!(403), &json!("csrf_failed")));
    }
    let profile = ask(browser, "GET", "/api/v2/user/profile", json!({})).await;
    assert!(profile["text"].as_str().unwrap().contains("Augusta"), "{profile}");

    // Opened anew the page has lost its token, and gets it again.
    ours.go_home().await;
    let browser = &mut ours.browser;
    let again = ask(browser, "GET", "/api/v2/auth/csrf", json!({})).await;
    assert_eq!(again["json"]["csrf_token"], token);
    let without = ask(browser, "POST", "/api/v2/auth/token/refresh", json!({"body": {}})).await;
    assert_eq!(without["status"], 403, "{without}");
    let refreshed = ask(browser, "POST", "/api/v2/auth/token/refresh", json!({"body": {}, "token": token})).await;
    assert_eq!((&refreshed["status"], &refreshed["json"]["token_type"]), (&json!(200), &json!("cookie")), "{refreshed}");
    let renewed = ours.session_cookies().await;
    assert!(kept.iter().zip(&renewed).all(|(before, after)| before["value"] != after["value"]) && renewed.len() == 2);
    let browser = &mut ours.browser;
    assert_eq!(ask(browser, "GET", "/api/v2/auth/verify", json!({})).await["status"], 200);

    let left = ask(browser, "POST", "/api/v2/auth/logout", json!({ "token": token })).await;
    assert_eq!(left["status"], 200, "{left}");
    assert_eq!(ours.session_cookies().await, Vec::<Value>::new(), "they are gone");
    let over = ask(&mut ours.browser, "GET", "/api/v2/auth/verify", json!({})).await;
    assert_eq!(over["json"]["error"]["code"], "authentication_required");
}

/// What a page can have a browser send elsewhere, and read of it. `true` for each request that left, and for each answer that could
/// be read.
const ATTACK: &str = "
    const went = {};
    const form = document.createElement('form');
    const frame = document.createElement('iframe');
    frame.name = 'hidden';
    document.body.append(frame, form);
    Object.assign(form, {method: 'post', action: home + '/api/v2/auth/logout-all', target: 'hidden', enctype: 'text/plain'});
    const loaded = new Promise(done => frame.addEventListener('load', done, {once: true}));
    form.submit();
    await loaded;
    const quietly = (path, body) =>
        fetch(home + path, {method: 'POST', mode: 'no-cors', credentials: 'include', body, headers: {'Content-Type': 'text/plain'}});
    went.quiet = (await quietly('/api/v2/auth/logout-all')).type;
    await quietly('/api/v2/auth/logout');
    await quietly('/api/v2/auth/token/refresh', '{}');
    await quietly('/api/v2/auth/login', JSON.stringify({email: 'eve@example.org', password, cookies: true}));
    const read = async (method, path, body) => {
        try {
            const answer = await ask(method, home + path, {body, token: 'a guess', credentials: 'include'});
            return answer.text;
        } catch (error) {
            return error.name;
        }
    };
    went.change = await read('PUT', '/api/v2/user/profile', {first_name: 'Eve'});
    went.end = await read('POST', '/api/v2/auth/logout-all');
    went.sign_in = await read('POST', '/api/v2/auth/login', {email: 'eve@example.org', password, cookies: true});
    went.profile = await fetch(home + '/api/v2/user/profile', {credentials: 'include'}).then(a => a.text(), e => e.name);
    went.token = await fetch(home + '/api/v2/auth/csrf', {credentials: 'include'}).then(a => a.text(), e => e.name);
    return went;";

#[tokio::test]
async fn a_page_of_another_origin_neither_does_nor_reads_anything_with_the_cookies() {
    let mut ours = Ours::start_with(&[("ALLOWED_ORIGINS", "https://app.example.org")]).await;
    ours.sign_up().await;
    let kept = ours.session_cookies().await;
    let port = another_server().await;
    let script = |home: &str| format!("{ASK} const home = {}, password = {}; {ATTACK}", json!(home), json!(PASSWORD));

    // Another port of this host is another origin, but the same site: the browser sends the cookies.
    ours.browser.go(&format!("http://localhost:{port}/")).await;
    let told = ours.browser.run(&script(&ours.home)).await;
    let refused = json!({"quiet": "opaque", "change": "TypeError", "end": "TypeError", "sign_in": "TypeError", "profile": "TypeError", "token": "TypeError"});
    assert_eq!(told, refused, "what the page could read");
    assert_eq!(
        ours.answered("POST", "/api/v2/auth/logout-all", 403).await,
        2,
        "the form and the quiet request came, with the cookies"
    );
    assert_eq!(ours.answered("POST", "/api/v2/auth/logout", 403).await, 1);

    // Another name of this machine is another site: the browser keeps the cookies back.
    ours.browser.go(&format!("http://127.0.0.1:{port}/")).await;
    let told = ours.browser.run(&script(&ours.home)).await;
    assert_eq!(told, refused, "what the page could read");
    assert_eq!(ours.answered("POST", "/api/v2/auth/logout-all", 401).await, 2);
    assert_eq!(ours.answered("POST", "/api/v2/auth/logout-all", 200).await, 0);

    // Nothing happened.
    ours.go_home().await;
    assert_eq!(ours.session_cookies().await, kept);
    let sessions = ask(&mut ours.browser, "GET", "/api/v2/user/sessions", json!({})).await;
    assert_eq!(sessions["status"], 200, "{sessions}");
    let profile = ask(&mut ours.browser, "GET", "/api/v2/user/profile", json!({})).await;
    assert_eq!(profile["status"], 200, "{profile}");
    assert!(profile["text"].as_str().unwrap().contains("\"Ada\""), "{profile}");
    assert_eq!(ours.answered("PUT", "/api/v2/user/profile", 200).await, 0);
}

#[tokio::test]
async fn a_page_of_an_allowed_origin_works_with_the_cookies_where_it_is_of_the_same_site() {
    let port = another_server().await;
    let (beside, elsewhere) = (format!("http://localhost:{port}"), format!("http://127.0.0.1:{port}"));
    let mut ours = Ours::start_with(&[("ALLOWED_ORIGINS", &format!("{beside},{elsewhere}"))]).await;
    ours.sign_up().await;
    let at = |path: &str| format!("{}{path}", ours.home);
    let (token_at, profile_at) = (at("/api/v2/auth/csrf"), at("/api/v2/user/profile"));

    ours.browser.go(&format!("{beside}/")).await;
    let told = ask(&mut ours.browser, "GET", &token_at, json!({"credentials": "include"})).await;
    let token = told["json"]["csrf_token"].clone();
    assert_eq!((&told["status"], token.is_string()), (&json!(200), true), "{told}");
    let change = |token: &Value| json!({"body": {"first_name": "Grace"}, "token": token, "credentials": "include"});
    let refused = ask(&mut ours.browser, "PUT", &profile_at, change(&json!("a guess"))).await;
    assert_eq!((&refused["status"], &refused["json"]["error"]["code"]), (&json!(403), &json!("csrf_failed")));
    let changed = ask(&mut ours.browser, "PUT", &profile_at, change(&token)).await;
    assert_eq!(changed["status"], 200, "{changed}");

    // What it reads from another site is to nobody: the browser keeps the cookies back.
    ours.browser.go(&format!("{elsewhere}/")).await;
    for (method, url, options) in [
        ("GET", &profile_at, json!({"credentials": "include"})),
        ("GET", &token_at, json!({"credentials": "include"})),
        ("PUT", &profile_at, change(&token)),
    ] {
        let told = ask(&mut ours.browser, method, url, options).await;
        assert_eq!(
            (&told["status"], &told["json"]["error"]["code"]),
            (&json!(401), &json!("authentication_required")),
            "{method} {url}"
        );
    }
}
