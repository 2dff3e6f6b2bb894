//! WebSockets to providers, opened through the same HTTP client as everything else: one TLS stack, one set of trusted
//! roots, the same proxy settings.

use std::time::Duration;

use reqwest::{
    Client, StatusCode, Upgraded, Url,
    header::{CONNECTION, HeaderName, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE},
    redirect,
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        handshake::{client::generate_key, derive_accept_key},
        protocol::{Role, WebSocketConfig},
    },
};

use crate::{InvalidSettings, USER_AGENT, settings};

/// An open WebSocket.
pub type Socket = WebSocketStream<Upgraded>;

/// How a provider's socket is opened.
#[derive(Debug, Clone)]
pub struct SocketSettings {
    /// The provider's name in failures and logs.
    pub name: &'static str,
    /// `wss://…`, or `ws://…` for a stub.
    pub url: String,
    /// For the whole handshake.
    pub timeout: Duration,
    /// The longest message that is read, in bytes.
    pub max_message: usize,
}

/// Opens a provider's sockets, one after the other.
pub struct SocketConnector {
    http: Client,
    url: Url,
    timeout: Duration,
    limits: WebSocketConfig,
}

impl SocketConnector {
    pub fn new(settings: &SocketSettings) -> Result<Self, InvalidSettings> {
        let name = settings.name;
        let url = settings::base_url(name, &settings.url, ["ws", "wss"])?;
        // The HTTP client knows the two schemes under the names of the protocol the handshake is made in.
        let url = Url::parse(&url.as_str().replacen("ws", "http", 1))
            .map_err(|_| InvalidSettings { name, problem: "the URL is no socket's" })?;
        let http = Client::builder().user_agent(USER_AGENT).http1_only().redirect(redirect::Policy::none()).build();
        let http = http.map_err(|_| InvalidSettings { name, problem: "no TLS client could be built" })?;
        let limits = WebSocketConfig::default()
            .max_message_size(Some(settings.max_message))
            .max_frame_size(Some(settings.max_message))
            .read_buffer_size(16 * 1024);
        Ok(Self { http, url, timeout: settings.timeout, limits })
    }

    /// Opens a socket. The error is for logs and holds no URL.
    pub async fn open(&self) -> Result<Socket, String> {
        let opened = tokio::time::timeout(self.timeout, self.handshake()).await;
        opened.unwrap_or_else(|_| Err(format!("no handshake within {:?}", self.timeout)))
    }

    async fn handshake(&self) -> Result<Socket, String> {
        let told = |error: reqwest::Error| error.without_url().to_string();
        let key = generate_key();
        let offer: [(HeaderName, &str); 4] =
            [(CONNECTION, "Upgrade"), (UPGRADE, "websocket"), (SEC_WEBSOCKET_VERSION, "13"), (SEC_WEBSOCKET_KEY, &key)];
        let request =
            offer.into_iter().fold(self.http.get(self.url.clone()), |request, (name, value)| request.header(name, value));
        let response = request.send().await.map_err(told)?;
        if response.status() != StatusCode::SWITCHING_PROTOCOLS {
            return Err(format!("the handshake was answered with status {}", response.status().as_u16()));
        }
        let accepted = response.headers().get(SEC_WEBSOCKET_ACCEPT).map(reqwest::header::HeaderValue::as_bytes);
        if accepted != Some(derive_accept_key(key.as_bytes()).as_bytes()) {
            return Err("the handshake was answered for another key".to_owned());
        }
        let stream = response.upgrade().await.map_err(told)?;
        Ok(WebSocketStream::from_raw_socket(stream, Role::Client, Some(self.limits)).await)
    }
}
