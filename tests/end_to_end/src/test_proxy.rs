//! A reverse proxy for tests that does one thing wrong, and servers that are something else altogether.

use std::{
    collections::HashMap,
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// Longer than any head here.
const HEAD: usize = 64 << 10;

/// An answer on its way through, with what asked for it.
#[derive(Default)]
pub struct Exchange {
    removed: Vec<&'static str>,
    set: Vec<(&'static str, &'static str)>,
    upgrades_are_dropped: bool,
    is_kept: bool,
    refusals: AtomicUsize,
}

/// As the server's limiter refuses.
const REFUSAL: &str = r#"{"error":{"code":"rate_limited","message":"m","details":{},"trace_id":"t"},"detail":"m"}"#;

impl Exchange {
    /// Takes a header out of the answer.
    pub fn without(&mut self, name: &'static str) {
        self.removed.push(name);
    }

    /// Puts a header in its place.
    pub fn with(&mut self, name: &'static str, value: &'static str) {
        self.removed.push(name);
        self.set.push((name, value));
    }

    /// Does not know WebSockets: `Upgrade` goes no further.
    pub fn drop_upgrades(&mut self) {
        self.upgrades_are_dropped = true;
    }

    /// Lets none through of the first `times` requests that are no probes: later, it says.
    pub fn refuse(&mut self, times: usize) {
        *self.refusals.get_mut() = times;
    }

    /// Whether this is one of those.
    fn refuses(&self, request: &str) -> bool {
        let is_probe = ["/livez", "/readyz", "/health", "/metrics"].iter().any(|probe| request.contains(probe));
        let fewer = |left: usize| left.checked_sub(1);
        !is_probe && self.refusals.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fewer).is_ok()
    }

    /// Keeps every 200 by its path, whoever asked.
    pub fn keep(&mut self) {
        self.is_kept = true;
    }
}

type Kept = Arc<Mutex<HashMap<String, Vec<u8>>>>;

/// The proxy. Serves until it is dropped.
pub struct TestProxy {
    address: SocketAddr,
    serving: JoinHandle<()>,
}

impl TestProxy {
    /// Stands before `server` and does this with what goes through.
    pub async fn before(server: SocketAddr, change: fn(&mut Exchange)) -> Self {
        let mut exchange = Exchange::default();
        change(&mut exchange);
        let (exchange, kept) = (Arc::new(exchange), Kept::default());
        Self::serve(move |client| {
            let (exchange, kept) = (Arc::clone(&exchange), Arc::clone(&kept));
            async move {
                let _ = pass(client, server, &exchange, &kept).await;
            }
        })
        .await
    }

    /// Answers everything with these bytes; `ENDLESS` at their end goes on for ever, and nothing is no answer at all.
    pub async fn answering(answer: &'static str) -> Self {
        Self::serve(move |mut client| async move {
            let mut head = Vec::new();
            if read_head(&mut client, &mut head).await.is_err() {
                return;
            }
            let (first, endless) = answer.strip_suffix("ENDLESS").map_or((answer, false), |first| (first, true));
            let _ = client.write_all(first.as_bytes()).await;
            let chunk = format!("4000\r\n{}\r\n", "x".repeat(0x4000));
            while endless && client.write_all(chunk.as_bytes()).await.is_ok() {}
            if answer.is_empty() {
                std::future::pending::<()>().await;
            }
        })
        .await
    }

    async fn serve<F: Future<Output = ()> + Send + 'static>(each: impl Fn(TcpStream) -> F + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("its address");
        let serving = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(each(client));
            }
        });
        Self { address, serving }
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for TestProxy {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Reads until the blank line; what came after it stays in `bytes`, and where it begins is returned.
async fn read_head(from: &mut TcpStream, bytes: &mut Vec<u8>) -> io::Result<usize> {
    loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            return Ok(at + 4);
        }
        if bytes.len() > HEAD || from.read_buf(bytes).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

fn lines(head: &[u8]) -> Vec<String> {
    String::from_utf8_lossy(head).trim_end().split("\r\n").map(str::to_owned).collect()
}

fn is_named(line: &str, name: &str) -> bool {
    line.split_once(':').is_some_and(|(found, _)| found.eq_ignore_ascii_case(name))
}

fn length(lines: &[String]) -> usize {
    let line = lines.iter().find(|line| is_named(line, "content-length"));
    line.and_then(|line| line.split_once(':')?.1.trim().parse().ok()).unwrap_or(0)
}

/// One request and its answer a connection, unless it becomes a socket.
async fn pass(mut client: TcpStream, server: SocketAddr, exchange: &Exchange, kept: &Kept) -> io::Result<()> {
    let mut asked = Vec::new();
    let at = read_head(&mut client, &mut asked).await?;
    let mut request = lines(&asked[..at]);
    let body = whole(&mut client, asked.split_off(at), length(&request)).await?;
    let upgrades = request.iter().any(|line| is_named(line, "upgrade")) && !exchange.upgrades_are_dropped;
    if !upgrades {
        request.retain(|line| !["connection", "upgrade", "accept-encoding"].iter().any(|name| is_named(line, name)));
        request.push("connection: close".to_owned());
    }
    let first = request[0].clone();
    if exchange.refuses(&first) {
        let head = format!("HTTP/1.1 429 Too Many Requests\r\nretry-after: 1\r\ncontent-length: {}\r\n", REFUSAL.len());
        return client
            .write_all(format!("{head}content-type: application/json\r\nconnection: close\r\n\r\n{REFUSAL}").as_bytes())
            .await;
    }
    if exchange.is_kept {
        let answer = kept.lock().unwrap_or_else(PoisonError::into_inner).get(&first).cloned();
        if let Some(answer) = answer {
            return client.write_all(&answer).await;
        }
    }
    let mut upstream = TcpStream::connect(server).await?;
    upstream.write_all(format!("{}\r\n\r\n", request.join("\r\n")).as_bytes()).await?;
    upstream.write_all(&body).await?;

    let mut answered = Vec::new();
    let at = read_head(&mut upstream, &mut answered).await?;
    let mut answer = lines(&answered[..at]);
    answer.retain(|line| !exchange.removed.iter().any(|name| is_named(line, name)));
    answer.extend(exchange.set.iter().map(|(name, value)| format!("{name}: {value}")));
    let mut sent = format!("{}\r\n\r\n", answer.join("\r\n")).into_bytes();
    sent.extend_from_slice(&answered[at..]);
    if upgrades {
        client.write_all(&sent).await?;
        copy_bidirectional(&mut client, &mut upstream).await?;
        return Ok(());
    }
    upstream.read_to_end(&mut sent).await?;
    if exchange.is_kept && answer[0].contains(" 200") {
        kept.lock().unwrap_or_else(PoisonError::into_inner).insert(first, sent.clone());
    }
    client.write_all(&sent).await
}

async fn whole(from: &mut TcpStream, mut body: Vec<u8>, length: usize) -> io::Result<Vec<u8>> {
    while body.len() < length {
        if from.read_buf(&mut body).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(body)
}
