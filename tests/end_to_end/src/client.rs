//! A socket client that speaks the protocol, and as little else as the front end.

use std::{net::SocketAddr, time::Duration};

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::Value;
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{self, Message, client::IntoClientRequest as _},
};

/// Longer than any test waits for one frame.
const PATIENCE: Duration = Duration::from_secs(20);

/// What the server said.
#[derive(Debug, Clone)]
pub struct Frame {
    /// As it came.
    pub text: String,
    /// The same, read.
    pub json: Value,
}

impl Frame {
    fn read(text: String) -> Self {
        Self { json: serde_json::from_str(&text).expect("frames are JSON"), text }
    }

    /// Its `type`.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.json["type"].as_str().unwrap_or_default()
    }

    /// Its place in the order.
    #[must_use]
    pub fn id(&self) -> (u64, u64) {
        (self.json["epoch"].as_u64().unwrap_or_default(), self.json["seq"].as_u64().unwrap_or_default())
    }

    /// Whether the list is stale.
    #[must_use]
    pub fn is_stale(&self) -> bool {
        self.json["stale"] == true
    }

    /// Whether it repeats an older list because no new one came.
    #[must_use]
    pub fn is_replay(&self) -> bool {
        self.json.get("replay").is_some()
    }

    /// The line of `symbol`.
    #[must_use]
    pub fn line(&self, symbol: &str) -> Option<&Value> {
        self.json["data"].as_array()?.iter().find(|line| line["symbol"] == symbol)
    }
}

/// An open socket.
pub struct Client {
    socket: WebSocketStream<TcpStream>,
}

impl Client {
    /// Connects to `/ws`.
    pub async fn connect(address: SocketAddr) -> Self {
        Self::try_connect(address, "/ws", None).await.expect("a socket")
    }

    /// Connects to `path`, as a page of `origin`.
    pub async fn try_connect(address: SocketAddr, path: &str, origin: Option<&str>) -> Result<Self, tungstenite::Error> {
        let stream = TcpStream::connect(address).await?;
        let mut request = format!("ws://{address}{path}").into_client_request()?;
        if let Some(origin) = origin {
            request.headers_mut().insert("origin", origin.parse().expect("an origin"));
        }
        let (socket, _) = client_async(request, stream).await?;
        Ok(Self { socket })
    }

    /// The next message of any kind; `None` at the end of the connection.
    pub async fn message(&mut self) -> Option<Message> {
        timeout(PATIENCE, self.socket.next()).await.expect("a message in time")?.ok()
    }

    /// The next frame, however long it takes; `None` at the end of the connection.
    pub async fn next_frame(&mut self) -> Option<Frame> {
        loop {
            if let Message::Text(text) = self.socket.next().await?.ok()? {
                return Some(Frame::read(text.to_string()));
            }
        }
    }

    /// The next frame of the server, whatever its type.
    pub async fn frame(&mut self) -> Frame {
        loop {
            match self.message().await {
                Some(Message::Text(text)) => return Frame::read(text.to_string()),
                Some(Message::Ping(_) | Message::Pong(_)) => {}
                other => panic!("a frame was due, and there was {other:?}"),
            }
        }
    }

    /// The next frame of that type.
    pub async fn frame_of(&mut self, kind: &str) -> Frame {
        loop {
            let frame = self.frame().await;
            if frame.kind() == kind {
                return frame;
            }
        }
    }

    /// The next list.
    pub async fn update(&mut self) -> Frame {
        self.frame_of("crypto_ticker_update").await
    }

    /// The first list that `wanted` likes, within `within`.
    pub async fn update_when(&mut self, within: Duration, wanted: impl Fn(&Frame) -> bool) -> Frame {
        let found = timeout(within, async {
            loop {
                let frame = self.update().await;
                if wanted(&frame) {
                    return frame;
                }
            }
        });
        found.await.expect("a list as wanted in time")
    }

    /// Sends a message.
    pub async fn send(&mut self, message: Message) {
        self.socket.send(message).await.expect("it is sent");
    }

    /// Sends JSON text.
    pub async fn say(&mut self, json: &Value) {
        self.send(Message::text(json.to_string())).await;
    }

    /// Reads to the end, and gives the close frame's code and reason.
    pub async fn closed(&mut self) -> Option<(u16, String)> {
        loop {
            if let Message::Close(frame) = self.message().await? {
                return frame.map(|frame| (frame.code.into(), frame.reason.to_string()));
            }
        }
    }
}
