//! Coinbase Exchange's socket feed: subscriptions, acknowledgements that name another channel than was asked for, refusals
//! of unknown products, and whatever a test sends.

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt, net::TcpStream, sync::mpsc};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Message, handshake::derive_accept_key, protocol::Role},
};

use super::{Shared, StubUpstream, coinbase, http::Recorded, lock};

/// A connected client of the feed.
#[derive(Debug)]
pub(super) struct Client {
    id: u64,
    products: Vec<String>,
    out: mpsc::UnboundedSender<Message>,
}

static IDS: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(1);
static SEQUENCES: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(1_000);

fn next(counter: &std::sync::atomic::AtomicU64) -> u64 {
    counter.fetch_add(1, std::sync::atomic::Ordering::Relaxed)
}

impl StubUpstream {
    /// Sets the asset's price and sends its ticker to every socket subscribed to it; answers how many there were.
    pub fn push_ticker(&self, symbol: &str, price: &str) -> usize {
        self.set_price(symbol, price);
        let product = format!("{symbol}-USD");
        let state = lock(&self.state);
        let Some(asset) = state.market.find(symbol) else { return 0 };
        let frame = coinbase::ticker(asset, next(&SEQUENCES));
        let told = state.sockets.iter().filter(|client| client.products.contains(&product));
        told.filter(|client| client.out.send(Message::text(frame.clone())).is_ok()).count()
    }

    /// Sends this text to every socket.
    pub fn push_frame(&self, text: &str) {
        self.send(&Message::text(text));
    }

    /// Pings every socket; see [`StubUpstream::pongs`].
    pub fn ping_sockets(&self) {
        self.send(&Message::Ping(b"stub".as_slice().into()));
    }

    /// Pongs that came back.
    pub fn pongs(&self) -> u64 {
        lock(&self.state).pongs
    }

    /// Closes every socket without a closing handshake.
    pub fn drop_sockets(&self) {
        lock(&self.state).sockets.clear();
    }

    /// Sockets connected now.
    pub fn sockets(&self) -> usize {
        lock(&self.state).sockets.len()
    }

    /// The products each connected socket is subscribed to.
    pub fn subscriptions(&self) -> Vec<Vec<String>> {
        lock(&self.state).sockets.iter().map(|client| client.products.clone()).collect()
    }

    fn send(&self, message: &Message) {
        for client in &lock(&self.state).sockets {
            let _ = client.out.send(message.clone());
        }
    }
}

/// The client is forgotten when its connection's task ends, in whatever way.
struct Registered(u64, Shared);

impl Drop for Registered {
    fn drop(&mut self) {
        lock(&self.1).sockets.retain(|client| client.id != self.0);
    }
}

pub(super) async fn serve(mut stream: TcpStream, request: &Recorded, state: Shared) {
    let accept = derive_accept_key(request.header("sec-websocket-key").unwrap_or_default().as_bytes());
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: {accept}\r\n\r\n"
    );
    if stream.write_all(answer.as_bytes()).await.is_err() {
        return;
    }
    let mut socket = WebSocketStream::from_raw_socket(stream, Role::Server, None).await;
    let (out, mut outbox) = mpsc::unbounded_channel();
    let id = next(&IDS);
    lock(&state).sockets.push(Client { id, products: Vec::new(), out });
    let _registered = Registered(id, state.clone());
    loop {
        tokio::select! {
            message = outbox.recv() => {
                let Some(message) = message else { return };
                if socket.send(message).await.is_err() {
                    return;
                }
            }
            message = socket.next() => match message {
                Some(Ok(Message::Text(text))) => {
                    for frame in replies(&state, id, &text) {
                        if socket.send(Message::text(frame)).await.is_err() {
                            return;
                        }
                    }
                }
                Some(Ok(Message::Pong(_))) => lock(&state).pongs += 1,
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return,
            },
        }
    }
}

fn replies(state: &Shared, id: u64, text: &str) -> Vec<String> {
    let Ok(asked) = serde_json::from_str::<Value>(text) else {
        return vec![json!({"type": "error", "message": "Malformed JSON"}).to_string()];
    };
    let products: Vec<String> = serde_json::from_value(asked["product_ids"].clone()).unwrap_or_default();
    let mut state = lock(state);
    let known = |product: &&String| product.strip_suffix("-USD").is_some_and(|symbol| coinbase::lists(&state, symbol));
    if let Some(unknown) = products.iter().find(|product| !known(product)) {
        let reason = format!("{unknown} is not a valid product");
        return vec![json!({"type": "error", "message": "Failed to subscribe", "reason": reason}).to_string()];
    }
    let subscribe = asked["type"] == "subscribe";
    let Some(client) = state.sockets.iter_mut().find(|client| client.id == id) else { return Vec::new() };
    client.products.retain(|product| !products.contains(product));
    if subscribe {
        client.products.extend(products.iter().cloned());
    }
    // Seen in 2026: `ticker_batch` is acknowledged under another name.
    let channels = json!([{"name": "ticker_1000", "product_ids": client.products, "account_ids": null}]);
    let mut frames = vec![json!({"type": "subscriptions", "channels": channels}).to_string()];
    if subscribe {
        let assets = products.iter().filter_map(|product| state.market.find(product.strip_suffix("-USD")?));
        frames.extend(assets.map(|asset| coinbase::ticker(asset, next(&SEQUENCES))));
    }
    frames
}
