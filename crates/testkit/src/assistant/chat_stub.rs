//! A language model's API on a port of 127.0.0.1, which answers what a test tells it, and notes what it was asked.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
};

use crate::shared::lock;

/// What the stub does, one after the other; then it closes the connection.
#[derive(Debug, Clone)]
pub enum ChatStep {
    /// Sends these bytes.
    Send(Vec<u8>),
    /// Sends these bytes for as long as somebody reads them.
    Flood(Vec<u8>),
    /// Says nothing for a while.
    Wait(Duration),
    /// Says nothing any more.
    Hang,
}

/// One request as it came.
#[derive(Debug, Clone)]
pub struct ChatCall {
    /// Method and path.
    pub target: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Value,
}

impl ChatCall {
    /// `name` in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// What was said to it by `role`, joined.
    pub fn said_by(&self, role: &str) -> String {
        let messages = self.body["messages"].as_array().map_or(&[][..], Vec::as_slice);
        let said: Vec<&str> =
            messages.iter().filter(|message| message["role"] == role).filter_map(|message| message["content"].as_str()).collect();
        said.join("\n")
    }
}

/// The stub. It ends with this value.
pub struct ChatStub {
    address: SocketAddr,
    script: Arc<Mutex<Vec<ChatStep>>>,
    calls: Arc<Mutex<Vec<ChatCall>>>,
    accepting: JoinHandle<()>,
}

impl Drop for ChatStub {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl ChatStub {
    /// Answers every call with `script`.
    ///
    /// # Panics
    /// Where no port of 127.0.0.1 is free.
    pub async fn start(script: Vec<ChatStep>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap_or_else(|error| panic!("the stub cannot listen: {error}"));
        let address = listener.local_addr().unwrap_or_else(|error| panic!("the stub has no address: {error}"));
        let (script, calls) = (Arc::new(Mutex::new(script)), Arc::<Mutex<Vec<ChatCall>>>::default());
        let (told, noted) = (Arc::clone(&script), Arc::clone(&calls));
        let accepting = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, Arc::clone(&told), Arc::clone(&noted)));
            }
        });
        Self { address, script, calls, accepting }
    }

    /// What `LLM_BASE_URL` is set to.
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// Answers with `script` from now on.
    pub fn tell(&self, script: Vec<ChatStep>) {
        *lock(&self.script) = script;
    }

    /// Every call, in order.
    pub fn calls(&self) -> Vec<ChatCall> {
        lock(&self.calls).clone()
    }
}

/// A whole answer, in these pieces.
pub fn chat_answer(pieces: &[&str]) -> Vec<ChatStep> {
    let mut steps = chat_pieces(pieces);
    steps.push(chat_end("stop"));
    steps
}

/// The beginning of an answer.
pub fn chat_pieces(pieces: &[&str]) -> Vec<ChatStep> {
    std::iter::once(chat_head(200, "text/event-stream", "")).chain(pieces.iter().map(|piece| chat_piece(piece))).collect()
}

/// The head of an answer; its body ends with the connection.
pub fn chat_head(status: u16, content_type: &str, more: &str) -> ChatStep {
    ChatStep::Send(
        format!("HTTP/1.1 {status} Stub\r\ncontent-type: {content_type}\r\nconnection: close\r\n{more}\r\n").into_bytes(),
    )
}

/// One event with a piece of the text.
pub fn chat_piece(text: &str) -> ChatStep {
    let event = json!({"id": "x", "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": null}]});
    ChatStep::Send(format!("data: {event}\n\n").into_bytes())
}

/// The end, and why.
pub fn chat_end(reason: &str) -> ChatStep {
    let event = json!({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]});
    ChatStep::Send(format!("data: {event}\n\ndata: [DONE]\n\n").into_bytes())
}

async fn serve(stream: TcpStream, script: Arc<Mutex<Vec<ChatStep>>>, calls: Arc<Mutex<Vec<ChatCall>>>) {
    let mut stream = BufReader::new(stream);
    let Some(call) = read(&mut stream).await else { return };
    lock(&calls).push(call);
    let steps = lock(&script).clone();
    for step in steps {
        let sent = match step {
            ChatStep::Send(bytes) => stream.write_all(&bytes).await,
            ChatStep::Flood(bytes) => loop {
                if let Err(error) = stream.write_all(&bytes).await {
                    break Err(error);
                }
            },
            ChatStep::Wait(wait) => {
                tokio::time::sleep(wait).await;
                Ok(())
            }
            ChatStep::Hang => std::future::pending().await,
        };
        if sent.is_err() {
            return;
        }
    }
    let _ = stream.shutdown().await;
}

async fn read(stream: &mut BufReader<TcpStream>) -> Option<ChatCall> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok().filter(|read| *read > 0)?;
        let line = line.trim_end().to_owned();
        if line.is_empty() {
            break;
        }
        lines.push(line);
    }
    let header = |line: &String| line.split_once(':').map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()));
    let headers: Vec<(String, String)> = lines.iter().skip(1).filter_map(header).collect();
    let length = headers.iter().find(|(name, _)| name == "content-length").and_then(|(_, value)| value.parse().ok())?;
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    let target = lines.first()?.trim_end_matches(" HTTP/1.1").to_owned();
    Some(ChatCall { target, headers, body: serde_json::from_slice(&body).ok()? })
}
