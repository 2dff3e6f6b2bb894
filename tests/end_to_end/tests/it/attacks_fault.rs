//! What is sent to use a node up: its memory stays what it was, and other clients hardly notice. `just attacks` does the same at full
//! size (`docs/SECURITY_AUDIT.md`).
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::{
    cell::Cell,
    io::Write as _,
    net::{SocketAddr, TcpStream},
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use coinlink_end_to_end_tests::{Api, Node, UNLIMITED, eventually, resident_kib, somebody};
use futures_util::future::join_all;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream as AsyncStream,
};

/// How much of everything.
#[derive(Clone, Copy)]
struct Scale {
    slow: usize,
    idle: usize,
    lasts: Duration,
    bomb_mib: usize,
    bombs: usize,
    header_mib: usize,
    depth: usize,
    readers: usize,
}

const SHORT: Scale = Scale {
    slow: 500,
    idle: 1000,
    lasts: Duration::from_secs(2),
    bomb_mib: 64,
    bombs: 8,
    header_mib: 100,
    depth: 1_000_000,
    readers: 100,
};
const FULL: Scale = Scale {
    slow: 3000,
    idle: 10_000,
    lasts: Duration::from_secs(20),
    bomb_mib: 1024,
    bombs: 16,
    header_mib: 100,
    depth: 1_000_000,
    readers: 200,
};

/// Beyond what each connection needs (its buffers and the dispatcher's state), an attack costs no more than this.
const FLAT_KIB: u64 = 48 * 1024;
/// What a connection may cost.
const A_CONNECTION_KIB: u64 = 32;
/// A reader who takes nothing costs as much as so many connections: what was asked for, and pieces of the answer.
const READER: usize = 4;
/// So many requests of others are looked at, each while an attack goes on: it is repeated until there are, for so long at most.
const OTHERS: usize = 200;
const REPEATED_FOR: Duration = Duration::from_secs(30);
/// The slowest of a hundred requests of others meanwhile, on a machine that the attacker is on as well.
const OTHERS_WITHIN: Duration = Duration::from_secs(1);

/// What others saw during an attack, and what it cost.
struct Seen {
    what: &'static str,
    requests: usize,
    errors: usize,
    p50: Duration,
    p99: Duration,
    before_kib: u64,
    peak_kib: u64,
}

/// The most memory that the process has until it is over. It panics when that cannot be read.
fn watch_memory(pid: u32, over: &Arc<AtomicBool>) -> JoinHandle<u64> {
    let over = Arc::clone(over);
    thread::spawn(move || {
        let mut peak = resident_kib(pid);
        while !over.load(Ordering::Relaxed) {
            thread::sleep(Duration::from_millis(10));
            peak = peak.max(resident_kib(pid));
        }
        peak
    })
}

/// Lets an attack run, as often as it takes, beside a client that asks for a price, for its profile and whether the node lives.
async fn beside(node: &Node, what: &'static str, attack: impl AsyncFn()) -> Seen {
    let api = Api::at(node.url(""));
    let held = api.sign_up(&somebody()).await;
    let before_kib = node.resident_kib();
    let (over, answered) = (Arc::new(AtomicBool::new(false)), Cell::new(0));
    let peak = watch_memory(node.process.pid(), &over);
    let others = async {
        let (mut took, mut errors) = (Vec::new(), 0);
        for path in ["/api/bitcoin/price", "/api/v2/user/profile", "/livez"].iter().cycle() {
            let started = Instant::now();
            let answer = api.try_send(api.request(reqwest::Method::GET, path).bearer_auth(&held.access)).await;
            errors += usize::from(!answer.is_ok_and(|answer| answer.status == 200));
            took.push(started.elapsed());
            answered.set(took.len());
            tokio::time::sleep(Duration::from_millis(3)).await;
            if over.load(Ordering::Relaxed) {
                break;
            }
        }
        (took, errors)
    };
    let attack = async {
        let started = Instant::now();
        loop {
            attack().await;
            if answered.get() >= OTHERS || started.elapsed() >= REPEATED_FOR {
                break;
            }
        }
        over.store(true, Ordering::Relaxed);
    };
    let ((mut took, errors), ()) = tokio::join!(others, attack);
    let peak_kib = peak.join().expect("the node's memory");
    took.sort_unstable();
    let quantile = |per_cent: usize| took[(took.len() * per_cent / 100).min(took.len() - 1)];
    let seen = Seen { what, requests: took.len(), errors, p50: quantile(50), p99: quantile(99), before_kib, peak_kib };
    let Seen { requests, p50, p99, peak_kib, .. } = &seen;
    eprintln!("| {what} | {requests} | {errors} | {p50:.1?} | {p99:.1?} | {before_kib} | {peak_kib} |");
    seen
}

impl Seen {
    /// Others were served in time, and memory stayed within what so many connections need.
    fn holds(&self, connections: usize) {
        let what = self.what;
        assert!(self.requests >= OTHERS, "{what}: {} requests of others within {REPEATED_FOR:?}", self.requests);
        assert_eq!(self.errors, 0, "{what}: of {} requests of others", self.requests);
        assert!(self.p99 < OTHERS_WITHIN, "{what}: {:?}", self.p99);
        let allowed = self.before_kib + FLAT_KIB + A_CONNECTION_KIB * connections as u64;
        assert!(self.peak_kib <= allowed, "{what}: {} KiB, then {} KiB, of {allowed}", self.before_kib, self.peak_kib);
    }
}

async fn node() -> Node {
    let settings = [&UNLIMITED[..], &[("TICKER_INTERVAL_MS", "1000")]].concat();
    let node = Node::dev_with(&["--feed", "simulated"], &settings).await;
    eventually("prices", Duration::from_secs(15), async || node.get("/api/bitcoin/price").await.0 == 200).await;
    // It is made when it is first asked for.
    assert_eq!(node.get("/openapi.json").await.0, 200);
    node
}

async fn connect(address: SocketAddr, count: usize) -> Vec<AsyncStream> {
    let mut open = Vec::with_capacity(count);
    for chunk in (0..count).collect::<Vec<_>>().chunks(250) {
        open.extend(join_all(chunk.iter().map(|_| AsyncStream::connect(address))).await.into_iter().map(Result::unwrap));
    }
    open
}

/// Sends a byte of `drip` to each of them every half second.
async fn drip(mut open: Vec<AsyncStream>, begin: &[u8], byte: &[u8], lasts: Duration) {
    for stream in &mut open {
        let _ = stream.write_all(begin).await;
    }
    let started = Instant::now();
    while started.elapsed() < lasts {
        for stream in &mut open {
            // One that the server let go of is gone.
            let _ = stream.try_write(byte);
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// As many zeros, packed by gzip.
fn bomb(mib: usize) -> Vec<u8> {
    let mut packer = Command::new("gzip").arg("-9c").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut into = packer.stdin.take().unwrap();
    thread::spawn(move || (0..mib).for_each(|_| into.write_all(&vec![0; 1 << 20]).unwrap()));
    packer.wait_with_output().unwrap().stdout
}

/// POSTs these bytes, cut into chunks that tell no length, and gives what is said to that.
async fn post_chunked(address: SocketAddr, headers: &str, bytes: &[u8]) -> String {
    let mut stream = AsyncStream::connect(address).await.unwrap();
    let head = format!(
        "POST /api/bitcoin/analyze HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n{headers}Transfer-Encoding: chunked\r\n\r\n"
    );
    let _ = stream.write_all(head.as_bytes()).await;
    for chunk in bytes.chunks(64 * 1024) {
        let framed = [format!("{:x}\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat();
        if stream.write_all(&framed).await.is_err() {
            break;
        }
    }
    let _ = stream.write_all(b"0\r\n\r\n").await;
    let mut said = vec![0; 64];
    let count = tokio::time::timeout(Duration::from_secs(20), stream.read(&mut said)).await.map_or(0, |read| read.unwrap_or(0));
    String::from_utf8_lossy(&said[..count]).into_owned()
}

async fn endless_header(address: SocketAddr, mib: usize) {
    let send = tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        let _ = stream.write_all(b"GET /livez HTTP/1.1\r\nHost: x\r\nX: ");
        (0..mib).take_while(|_| stream.write_all(&vec![b'a'; 1 << 20]).is_ok()).count()
    });
    assert!(send.await.unwrap() < mib, "the server took it all");
}

/// Everything at this scale, one after the other.
async fn attacks(scale: Scale) {
    let node = node().await;
    let address = node.address;
    let asked = "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n";
    eprintln!(
        "| attack | requests of others | errors | p50 | p99 | RSS before, KiB | RSS at most, KiB |\n|---|---|---|---|---|---|---|"
    );

    let slow = async || connect(address, scale.slow).await;
    let seen =
        beside(&node, "heads that drip", async || drip(slow().await, b"GET /livez HTTP/1.1\r\nX: ", b"a", scale.lasts).await);
    seen.await.holds(scale.slow);
    let later = format!("{asked}GET /livez HTTP/1.1\r\nX: ");
    let seen = beside(&node, "second heads that drip", async || drip(slow().await, later.as_bytes(), b"a", scale.lasts).await);
    seen.await.holds(scale.slow);
    let body =
        b"POST /api/bitcoin/analyze HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 200000\r\n\r\n{";
    let seen = beside(&node, "bodies that drip", async || drip(slow().await, body, b" ", scale.lasts).await);
    seen.await.holds(scale.slow);
    let idle = async || drip(connect(address, scale.idle).await, asked.as_bytes(), b"", scale.lasts).await;
    beside(&node, "idle connections", idle).await.holds(scale.idle);

    let packed = bomb(scale.bomb_mib);
    let bombs = async || {
        let sent = (0..scale.bombs).map(|_| post_chunked(address, "Content-Encoding: gzip\r\n", &packed));
        for said in join_all(sent).await {
            assert!(said.is_empty() || said.starts_with("HTTP/1.1 415"), "{said}");
        }
    };
    beside(&node, "gzip bombs", bombs).await.holds(scale.bombs);
    let heads = async || drop(join_all((0..scale.bombs).map(|_| endless_header(address, scale.header_mib))).await);
    beside(&node, "header streams", heads).await.holds(scale.bombs);
    let deep = "[".repeat(scale.depth);
    let shallow = format!("{{\"text\":{}", "[".repeat(200_000));
    let json = async || {
        for (text, status) in [(&deep, "413"), (&shallow, "400")] {
            let sent = (0..scale.bombs).map(|_| post_chunked(address, "", text.as_bytes()));
            for said in join_all(sent).await {
                assert!(said.is_empty() || said.contains(status), "{said}");
            }
        }
    };
    beside(&node, "deep JSON", json).await.holds(scale.bombs);
    let greedy = "GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n".repeat(16);
    let readers = async || drip(connect(address, scale.readers).await, greedy.as_bytes(), b"", scale.lasts).await;
    // Of almost half a mebibyte that nobody takes a few pieces wait, and nothing of what was asked for after it.
    beside(&node, "answers that nobody takes", readers).await.holds(scale.readers * READER);

    eventually("what was taken is given back", Duration::from_secs(20), async || {
        node.json("/api/connections").await["active_connections"] == 0 && node.get("/livez").await.0 == 200
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_sent_to_use_a_node_up_costs_it_little_and_others_nothing() {
    attacks(SHORT).await;
}

/// `just attacks`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes; just attacks"]
async fn at_full_size_what_is_sent_to_use_a_node_up_costs_it_little_and_others_nothing() {
    attacks(FULL).await;
}

/// The HTTP library by itself limits the first head of a connection alone.
#[tokio::test]
async fn a_second_head_that_is_never_finished_is_not_waited_for_either() {
    let node = node().await;
    for begin in ["", "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"] {
        let mut stream = AsyncStream::connect(node.address).await.unwrap();
        stream.write_all(begin.as_bytes()).await.unwrap();
        if !begin.is_empty() {
            assert!(stream.read(&mut [0; 4096]).await.unwrap() > 0);
        }
        stream.write_all(b"GET /livez HTTP/1.1\r\nX: ").await.unwrap();
        let started = Instant::now();
        let mut rest = Vec::new();
        let ended = tokio::time::timeout(Duration::from_secs(16), stream.read_to_end(&mut rest)).await;
        assert!(ended.is_ok(), "still open after {:?}, {begin:?}", started.elapsed());
        assert!(started.elapsed() > Duration::from_secs(8), "{:?}", started.elapsed());
    }
}

#[tokio::test]
async fn a_packed_body_is_refused_before_it_is_unpacked() {
    let node = node().await;
    let before = node.resident_kib();
    let packed = bomb(64);
    for coding in ["gzip", "br", "deflate", "zstd", "GZIP", "x-gzip", "identity, gzip"] {
        let said =
            post_chunked(node.address, &format!("Content-Encoding: {coding}\r\n"), &packed[..packed.len().min(32 * 1024)]).await;
        assert!(said.starts_with("HTTP/1.1 415"), "{coding}: {said}");
    }
    let after = node.resident_kib();
    assert!(after < before + 8192, "{before} KiB, then {after} KiB");
    let plain = post_chunked(node.address, "Content-Encoding: identity\r\n", br#"{"text":"Bitcoin rises"}"#).await;
    assert!(plain.starts_with("HTTP/1.1 200"), "{plain}");
}

/// The HTTP library by itself reads and keeps sixteen requests behind one that is being answered.
#[tokio::test]
async fn what_is_sent_behind_a_stream_is_not_read_while_it_lasts() {
    let node = node().await;
    let before = node.resident_kib();
    let head = format!("GET /livez HTTP/1.1\r\nHost: x\r\n{}\r\n", format!("X: {}\r\n", "a".repeat(1300)).repeat(85));
    let mut streams = connect(node.address, 40).await;
    for stream in &mut streams {
        stream.write_all(b"GET /api/stream/ticker HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        assert!(stream.read(&mut [0; 4096]).await.unwrap() > 0);
        // It waits for whoever would read it.
        let sent = tokio::time::timeout(Duration::from_millis(100), stream.write_all(head.repeat(24).as_bytes())).await;
        assert!(!matches!(sent, Ok(Err(_))), "{sent:?}");
    }
    let after = node.resident_kib();
    assert!(after < before + 16 * 1024, "{before} KiB, then {after} KiB");
}

#[tokio::test]
async fn requests_that_are_sent_at_once_are_answered_one_after_the_other() {
    let node = node().await;
    let mut stream = AsyncStream::connect(node.address).await.unwrap();
    let asked = (0..200).fold(String::new(), |asked, index| format!("{asked}GET /nowhere-{index} HTTP/1.1\r\nHost: x\r\n\r\n"));
    let last = "GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    stream.write_all((asked + last).as_bytes()).await.unwrap();
    let mut said = String::new();
    tokio::time::timeout(Duration::from_secs(20), stream.read_to_string(&mut said)).await.expect("all answers").unwrap();
    assert_eq!(said.matches("HTTP/1.1 404").count() + said.matches("HTTP/1.1 429").count(), 200);
    assert_eq!(said.matches("HTTP/1.1 200").count(), 1);
}
