//! The existing front end's socket class, by what `coinlink-api.md` says of it (section 2): a tab of four sockets that ping, watch
//! for silence, come back by a ladder of waits, and render what they get. What would be dropped or would crash the page is a fault.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use tokio::{net::TcpStream, task::JoinSet};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{
        Message,
        protocol::{CloseFrame, frame::coding::CloseCode},
    },
};

/// Sockets of one tab: App has two, the status line one, the feed of prompts one.
const SOCKETS: usize = 4;
/// Waits before each attempt to come back; after the last one the page stays dead until it is reloaded.
const LADDER_MS: [u64; 10] = [1_000, 1_500, 2_250, 3_375, 5_063, 7_594, 11_391, 17_086, 25_629, 30_000];
/// Prompts that are shown at most; there should be as many.
const PROMPTS: usize = 12;

/// How fast the tab's clock runs.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Between pings.
    pub ping_every: Duration,
    /// The last ping or pong may be so old when the next ping is due.
    pub silence: Duration,
}

impl Pace {
    /// As in the browser.
    pub const REAL: Self = Self { ping_every: Duration::from_secs(25), silence: Duration::from_secs(30) };

    /// So many times as fast.
    #[must_use]
    pub fn faster(self, times: u32) -> Self {
        Self { ping_every: self.ping_every / times, silence: self.silence / times }
    }
}

/// What the sockets of a tab met.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Frames by type.
    pub frames: BTreeMap<String, usize>,
    /// Connections that were opened.
    pub opened: usize,
    /// Ends of connections by code; 1006 where there was no close frame.
    pub closed: BTreeMap<u16, usize>,
    /// Pings that were sent.
    pub pings: usize,
    /// Sockets that gave up.
    pub dead: usize,
    /// What a frame would have done to the page.
    pub faults: Vec<String>,
    /// The longest the page waited for a list once it had one, over all sockets.
    pub longest_gap: Duration,
}

impl Tally {
    /// Frames of that type.
    #[must_use]
    pub fn of(&self, kind: &str) -> usize {
        self.frames.get(kind).copied().unwrap_or(0)
    }

    /// All frames.
    #[must_use]
    pub fn total(&self) -> usize {
        self.frames.values().sum()
    }
}

/// One browser tab. Dropped, it is closed.
pub struct Tab {
    tally: Arc<Mutex<Tally>>,
    _sockets: JoinSet<()>,
}

impl Tab {
    /// Opens it on the node at `address`.
    #[must_use]
    pub fn open(address: SocketAddr, pace: Pace) -> Self {
        let (tally, mut sockets) = (Arc::default(), JoinSet::new());
        for _ in 0..SOCKETS {
            sockets.spawn(live(address, pace, Arc::clone(&tally)));
        }
        Self { tally, _sockets: sockets }
    }

    /// What was met so far.
    #[must_use]
    pub fn tally(&self) -> Tally {
        lock(&self.tally).clone()
    }
}

fn lock(tally: &Mutex<Tally>) -> MutexGuard<'_, Tally> {
    tally.lock().unwrap_or_else(PoisonError::into_inner)
}

fn iso_now() -> String {
    OffsetDateTime::now_utc().format(&Rfc3339).unwrap_or_default()
}

/// One socket, for as long as the page is open.
async fn live(address: SocketAddr, pace: Pace, tally: Arc<Mutex<Tally>>) {
    let mut failures = 0;
    loop {
        let opened = async {
            let stream = TcpStream::connect(address).await.ok()?;
            client_async(format!("ws://{address}/ws"), stream).await.ok()
        };
        let code = match opened.await {
            Some((socket, _)) => {
                failures = 0;
                lock(&tally).opened += 1;
                let code = serve(socket, pace, &tally).await;
                *lock(&tally).closed.entry(code).or_default() += 1;
                code
            }
            None => 1006,
        };
        // 1000 is a farewell: the page does not come back.
        let Some(wait) = LADDER_MS.get(failures).filter(|_| code != 1000) else {
            lock(&tally).dead += 1;
            return;
        };
        failures += 1;
        tokio::time::sleep(Duration::from_millis(*wait)).await;
    }
}

/// One connection, until its end; its close code.
async fn serve(mut socket: WebSocketStream<TcpStream>, pace: Pace, tally: &Mutex<Tally>) -> u16 {
    let mut shown = Page::default();
    let mut every = tokio::time::interval_at(tokio::time::Instant::now() + pace.ping_every, pace.ping_every);
    let mut alive: Option<Instant> = None;
    loop {
        tokio::select! {
            _ = every.tick() => {
                if alive.is_some_and(|alive| alive.elapsed() > pace.silence) {
                    let frame = CloseFrame { code: CloseCode::from(4000), reason: "Ping timeout".into() };
                    let _ = socket.send(Message::Close(Some(frame))).await;
                    return 4000;
                }
                lock(tally).pings += 1;
                let ping = json!({ "type": "ping", "timestamp": iso_now() });
                if socket.send(Message::text(ping.to_string())).await.is_err() {
                    return 1006;
                }
            }
            message = socket.next() => match message {
                None | Some(Err(_)) => return 1006,
                Some(Ok(Message::Close(frame))) => return frame.map_or(1005, |frame| frame.code.into()),
                Some(Ok(Message::Text(text))) => {
                    let kind = shown.receive(&text, tally);
                    if matches!(kind.as_deref(), Some("ping" | "pong")) {
                        alive = Some(Instant::now());
                    }
                    if kind.as_deref() == Some("ping") {
                        let pong = json!({ "type": "pong", "timestamp": iso_now() });
                        let _ = socket.send(Message::text(pong.to_string())).await;
                    }
                }
                Some(Ok(_)) => {}
            }
        }
    }
}

/// What the page keeps between frames.
#[derive(Default)]
struct Page {
    listed: Option<Instant>,
}

impl Page {
    /// The frame's type, where it passes the filters.
    fn receive(&mut self, text: &str, tally: &Mutex<Tally>) -> Option<String> {
        let fault = |why: String| lock(tally).faults.push(format!("{why}: {}", text.chars().take(300).collect::<String>()));
        let Ok(frame) = serde_json::from_str::<Value>(text) else {
            fault("not JSON".to_owned());
            return None;
        };
        let kind = frame["type"].as_str().unwrap_or_default().to_owned();
        let dropped = ["target", "currentTarget"].iter().any(|key| frame.get(key).is_some())
            || kind.is_empty()
            || kind == "Event"
            || (kind == "error" && frame.get("error").is_some());
        if dropped {
            fault("the page drops it".to_owned());
            return None;
        }
        *lock(tally).frames.entry(kind.clone()).or_default() += 1;
        if let Err(why) = self.render(&kind, &frame) {
            fault(why);
        }
        if kind == "crypto_ticker_update" && !frame["data"].as_array().is_none_or(Vec::is_empty) {
            let gap = self.listed.replace(Instant::now()).map(|last| last.elapsed()).unwrap_or_default();
            let mut tally = lock(tally);
            tally.longest_gap = tally.longest_gap.max(gap);
        }
        Some(kind)
    }

    fn render(&self, kind: &str, frame: &Value) -> Result<(), String> {
        match kind {
            "bitcoin_update" => Err("the page falls to its error boundary".to_owned()),
            "error" => Err("nothing this page says is wrong".to_owned()),
            "notification" | "price_alert" => Err("private, and the page is nobody's".to_owned()),
            "crypto_ticker_update" => self.render_ticker(&frame["data"]),
            "prompt_feed" => render_prompts(&frame["data"]),
            "chat_agent_message" if !frame["content"].is_string() => Err("a bubble without text".to_owned()),
            _ => Ok(()),
        }
    }

    fn render_ticker(&self, data: &Value) -> Result<(), String> {
        let lines = data.as_array().ok_or("the list is no array")?;
        if lines.is_empty() && self.listed.is_some() {
            return Err("the list goes blank".to_owned());
        }
        let mut symbols = BTreeSet::new();
        for line in lines {
            let symbol = line["symbol"].as_str().ok_or("a symbol is no text")?;
            if !symbols.insert(symbol) {
                return Err(format!("{symbol} twice: React keys are unique"));
            }
            format_price(&line["price"]).ok_or_else(|| format!("the price of {symbol} cannot be formatted"))?;
            if !(line["change_24h"].is_null() || line["change_24h"].is_number()) {
                return Err(format!("the change of {symbol} is no number"));
            }
        }
        let ranked = lines.iter().filter(|line| line["rank"].is_number()).count();
        if ranked == 0 || ranked == lines.len() { Ok(()) } else { Err("some have a rank and some have none".to_owned()) }
    }
}

/// As the page does it: `toFixed` and `toLocaleString` exist on numbers alone.
fn format_price(price: &Value) -> Option<String> {
    let price = price.as_f64().filter(|price| price.is_finite() && *price > 0.0)?;
    Some(match price {
        1.0.. => format!("${price:.2}"),
        0.01.. => format!("${price:.4}"),
        0.0001.. => format!("${price:.6}"),
        _ => format!("${price:.2e}"),
    })
}

fn render_prompts(data: &Value) -> Result<(), String> {
    let prompts = data.as_array().ok_or("the prompts are no array")?;
    if prompts.len() < PROMPTS {
        return Err(format!("{} prompts: the strip has gaps", prompts.len()));
    }
    for prompt in prompts {
        let texts = ["kind", "subtype", "title", "content", "timestamp"].iter().all(|field| prompt[field].is_string());
        let shown_at = prompt["timestamp"].as_str().is_some_and(|at| OffsetDateTime::parse(at, &Rfc3339).is_ok());
        if !texts || !shown_at || prompt["content"].as_str() == Some("") {
            return Err("a prompt that cannot be shown".to_owned());
        }
    }
    Ok(())
}
