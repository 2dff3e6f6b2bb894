//! Debian's Chromium, headless, asked over its `DevTools` protocol.

use std::{
    env,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::{
    net::TcpStream,
    process::{Child, Command},
    time::timeout,
};
use tokio_tungstenite::{WebSocketStream, client_async, tungstenite::Message};

use crate::eventually;

/// The first of these that is installed, as in `tests/run`.
fn installed() -> PathBuf {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let folders: Vec<_> = env::split_paths(&env::var_os("PATH").unwrap_or_default()).collect();
    let mut found =
        names.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name))).filter(|path| path.is_file());
    found.next().unwrap_or_else(|| panic!("no browser is installed, of {names:?}: `bash tests/run` installs Debian's `chromium`"))
}

/// A browser with one page; it ends when dropped.
pub struct Browser {
    _process: Child,
    page: WebSocketStream<TcpStream>,
    calls: u64,
    /// What the page complained of: console errors, exceptions, refused resources.
    pub complaints: Vec<String>,
}

impl Browser {
    /// Opens `url` in a browser with an empty profile in `profile`.
    pub async fn open(url: &str, profile: &Path) -> Self {
        let process = Command::new(installed())
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"])
            .args(["--disable-background-networking", "--disable-component-update", "--remote-debugging-port=0"])
            .arg(format!("--user-data-dir={}", profile.display()))
            .arg(url)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("the browser starts");
        let announced = profile.join("DevToolsActivePort");
        // The file is there before it is written.
        let said = || std::fs::read_to_string(&announced).ok()?.split_once('\n')?.0.parse::<u16>().ok();
        eventually("the browser listens", Duration::from_mins(1), async || said().is_some()).await;
        let port = said().expect("a port");
        let listed = reqwest::get(format!("http://127.0.0.1:{port}/json/list")).await.expect("an answer");
        let pages: Value = serde_json::from_str(&listed.text().await.expect("a body")).expect("JSON");
        let page = pages.as_array().and_then(|pages| pages.iter().find(|page| page["type"] == "page")).expect("a page");
        let debugger = page["webSocketDebuggerUrl"].as_str().expect("its debugger");
        let stream = TcpStream::connect(("127.0.0.1", port)).await.expect("it listens");
        let (page, _) = client_async(debugger, stream).await.expect("a socket");
        let mut browser = Self { _process: process, page, calls: 0, complaints: Vec::new() };
        browser.call("Runtime.enable", &json!({})).await;
        browser.call("Log.enable", &json!({})).await;
        browser
    }

    /// The value of an expression in the page.
    pub async fn evaluate(&mut self, expression: &str) -> Value {
        self.call("Runtime.evaluate", &json!({ "expression": expression })).await["result"]["value"].take()
    }

    /// What a script of the page returns in the end: `script` is the body of an asynchronous function, and its result JSON.
    pub async fn run(&mut self, script: &str) -> Value {
        let expression = format!("(async () => {{ {script} }})()");
        let parameters = json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        let mut answer = self.call("Runtime.evaluate", &parameters).await;
        assert!(answer["exceptionDetails"].is_null(), "{}", answer["exceptionDetails"]);
        answer["result"]["value"].take()
    }

    /// Leaves for another page.
    pub async fn go(&mut self, url: &str) {
        self.call("Page.navigate", &json!({ "url": url })).await;
        let there = format!("document.readyState === 'complete' && location.href.startsWith({})", json!(url));
        let started = Instant::now();
        while self.evaluate(&there).await != true {
            assert!(started.elapsed() < Duration::from_secs(30), "{url} does not load");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Every cookie the browser keeps, also those no script sees.
    pub async fn cookies(&mut self) -> Vec<Value> {
        let mut answer = self.call("Storage.getCookies", &json!({})).await;
        answer["cookies"].as_array_mut().map(std::mem::take).expect("a list of cookies")
    }

    async fn call(&mut self, method: &str, parameters: &Value) -> Value {
        self.calls += 1;
        let call = json!({ "id": self.calls, "method": method, "params": parameters });
        self.page.send(Message::text(call.to_string())).await.expect("it is sent");
        loop {
            let message = timeout(Duration::from_secs(30), self.page.next()).await.expect("an answer in time");
            let Message::Text(text) = message.expect("the browser is there").expect("a message") else { continue };
            let mut message: Value = serde_json::from_str(&text).expect("JSON");
            if message["id"] == self.calls {
                return message["result"].take();
            }
            let is_error = message["params"]["entry"]["level"] == "error" || message["params"]["type"] == "error";
            if is_error || message["method"] == "Runtime.exceptionThrown" {
                self.complaints.push(message["params"].to_string());
            }
        }
    }
}
