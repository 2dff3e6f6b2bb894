//! One socket of a verification: opened through the same HTTP client as everything else, bounded in time and size.

use std::time::{Duration, Instant};

use futures_util::{SinkExt as _, StreamExt as _};
use reqwest::{
    Method, StatusCode, Upgraded,
    header::{CONNECTION, HeaderMap, ORIGIN, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE},
};
use serde_json::Value;
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Message,
        handshake::{client::generate_key, derive_accept_key},
        protocol::{Role, WebSocketConfig},
    },
};

use super::client::{Client, Trouble, unreachable_because};

/// The longest message that is read: a list of prices takes some 20 KB.
const MAX_MESSAGE: usize = 1 << 20;
/// Frames that are kept; a socket says a dozen things in the time it is looked at.
const MAX_FRAMES: usize = 200;

/// How a handshake ended.
pub(super) enum Opened {
    Open(Box<Line>),
    /// With this status and these headers.
    Refused(u16, HeaderMap),
}

impl Opened {
    /// The headers, where a limiter refused it.
    fn refusal(&self) -> Option<&HeaderMap> {
        match self {
            Self::Refused(429, headers) => Some(headers),
            _ => None,
        }
    }
}

/// An open socket, and what it said so far.
pub(super) struct Line {
    socket: WebSocketStream<Upgraded>,
    pub(super) frames: Vec<Value>,
    /// What came and was no JSON object with a type.
    pub(super) strange: usize,
    /// How the server closed it.
    pub(super) closed: Option<u16>,
}

pub(super) async fn open(client: &Client, origin: Option<&str>) -> Result<Opened, Trouble> {
    client.patiently(("GET /ws".to_owned(), false), Opened::refusal, async || shake(client, origin).await).await
}

async fn shake(client: &Client, origin: Option<&str>) -> Result<Opened, Trouble> {
    let patience = client.patience()?;
    let key = generate_key();
    let mut request = client.request(Method::GET, client.url("/ws")?)?;
    let handshake =
        [(CONNECTION, "Upgrade"), (UPGRADE, "websocket"), (SEC_WEBSOCKET_VERSION, "13"), (SEC_WEBSOCKET_KEY, key.as_str())];
    for (name, value) in handshake {
        request = request.header(name, value);
    }
    if let Some(origin) = origin {
        request = request.header(ORIGIN, origin);
    }
    let shake = async {
        let response = request.send().await.map_err(|error| unreachable_because(&error))?;
        if response.status() != StatusCode::SWITCHING_PROTOCOLS {
            return Ok(Opened::Refused(response.status().as_u16(), response.headers().clone()));
        }
        let accepted = response.headers().get(SEC_WEBSOCKET_ACCEPT).map(|value| value.as_bytes().to_vec());
        if accepted.as_deref() != Some(derive_accept_key(key.as_bytes()).as_bytes()) {
            return Err(Trouble::Unreachable("the handshake's answer is of no WebSocket".to_owned()));
        }
        let upgraded = response.upgrade().await.map_err(|error| unreachable_because(&error))?;
        let limits = WebSocketConfig::default().max_message_size(Some(MAX_MESSAGE)).max_frame_size(Some(MAX_MESSAGE));
        let socket = WebSocketStream::from_raw_socket(upgraded, Role::Client, Some(limits)).await;
        Ok(Opened::Open(Box::new(Line { socket, frames: Vec::new(), strange: 0, closed: None })))
    };
    tokio::time::timeout(patience, shake).await.unwrap_or(Err(Trouble::Slow(patience)))
}

impl Line {
    pub(super) async fn say(&mut self, text: String) {
        // A socket that is gone is told by what it does not answer.
        let _ = self.socket.send(Message::text(text)).await;
    }

    /// Listens until a frame of its own is the one, and returns its place among the frames; else `None` once it closed or `within` is over.
    pub(super) async fn until(&mut self, within: Duration, mut is_it: impl FnMut(&Value) -> bool) -> Option<usize> {
        let before = Instant::now() + within;
        while self.frames.len() < MAX_FRAMES && self.closed.is_none() {
            let left = before.saturating_duration_since(Instant::now());
            let message = tokio::time::timeout(left, self.socket.next()).await.ok()??;
            match message {
                Ok(Message::Text(text)) => match serde_json::from_str::<Value>(&text) {
                    Ok(frame) if frame["type"].is_string() => {
                        let found = is_it(&frame);
                        self.frames.push(frame);
                        if found {
                            return Some(self.frames.len() - 1);
                        }
                    }
                    _ => self.strange += 1,
                },
                Ok(Message::Close(frame)) => self.closed = Some(frame.map_or(1005, |frame| frame.code.into())),
                Ok(Message::Binary(_)) => self.strange += 1,
                Ok(_) => {}
                Err(_) => self.closed = Some(1006),
            }
        }
        None
    }

    /// Those of a type.
    pub(super) fn of(&self, kind: &str) -> impl Iterator<Item = &Value> {
        self.frames.iter().filter(move |frame| frame["type"] == kind)
    }

    /// Says goodbye.
    pub(super) async fn leave(mut self) {
        let _ = tokio::time::timeout(Duration::from_secs(1), self.socket.close(None)).await;
    }
}
