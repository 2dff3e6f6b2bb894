//! Many sockets that read ticks, and sockets that never read.

use super::{
    connect,
    frame::{self, Frame},
    latencies,
};
use crate::{
    Outcome,
    stamp::{Stamps, now_us},
};
use hdrhistogram::Histogram;
use memchr::memmem;
use mio::{Events, Interest, Poll, Token};
use std::{
    collections::BTreeMap,
    io::{ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream},
    time::{Duration, Instant},
};

const TICK: &[u8] = br#"{"type":"crypto_ticker_update""#;

/// Every frame that was sent while measuring, as the clients saw it.
pub(crate) struct Measured {
    /// Microseconds from the frame's timestamp to each client's read.
    pub(crate) latencies: Histogram<u64>,
    /// Microseconds from each frame's timestamp to the last client's read.
    pub(crate) last_reads: Vec<u64>,
    /// Reads that should have been and were not, among the frames measured.
    pub(crate) missed: u64,
    pub(crate) bytes: u64,
    pub(crate) elapsed: Duration,
    /// How many sockets the server closed, by close code.
    pub(crate) closed: BTreeMap<u16, u64>,
}

#[derive(Default)]
struct Reads {
    clients: u64,
    last_us: u64,
}

struct Connection {
    stream: mio::net::TcpStream,
    partial: Vec<u8>,
}

/// What the connections saw since the last call for it.
struct Seen {
    stamps: Stamps,
    /// Ticks published before this, in microseconds, are not counted.
    since: u64,
    latencies: Histogram<u64>,
    frames: BTreeMap<u64, Reads>,
    bytes: u64,
    closed: BTreeMap<u16, u64>,
}

impl Seen {
    fn new(since: u64) -> Self {
        Self {
            stamps: Stamps::default(),
            since,
            latencies: latencies(),
            frames: BTreeMap::new(),
            bytes: 0,
            closed: BTreeMap::new(),
        }
    }

    fn text(&mut self, text: &[u8], now: u64) {
        if !text.starts_with(TICK) {
            return;
        }
        if let Some(stamp) = self.stamps.of(text).filter(|&stamp| stamp >= self.since) {
            let late = now.saturating_sub(stamp);
            self.latencies.saturating_record(late);
            let reads = self.frames.entry(stamp).or_default();
            reads.clients += 1;
            reads.last_us = reads.last_us.max(late);
        }
    }
}

/// Open sockets of one server.
pub(crate) struct Sockets {
    poll: Poll,
    events: Events,
    connections: Vec<Connection>,
    scratch: Vec<u8>,
}

impl Sockets {
    /// Opens `count` sockets, one after the other.
    pub(crate) fn open(address: SocketAddr, count: usize) -> Outcome<Self> {
        let poll = Poll::new()?;
        let mut connections = Vec::with_capacity(count);
        for index in 0..count {
            let (stream, partial) = handshake(connect(address, index, None)?, address)?;
            stream.set_nonblocking(true)?;
            let mut stream = mio::net::TcpStream::from_std(stream);
            poll.registry().register(&mut stream, Token(index), Interest::READABLE)?;
            connections.push(Connection { stream, partial });
        }
        Ok(Self { poll, events: Events::with_capacity(1024), connections, scratch: vec![0; 256 * 1024] })
    }

    /// Reads for `time` without measuring.
    pub(crate) fn settle(&mut self, time: Duration) -> Outcome<()> {
        let mut seen = Seen::new(u64::MAX);
        let end = Instant::now() + time;
        while Instant::now() < end {
            self.turn(&mut seen)?;
        }
        Ok(())
    }

    /// Reads until `frames` ticks have reached every client, or `most` has passed.
    pub(crate) fn measure(&mut self, frames: usize, most: Duration) -> Outcome<Measured> {
        let clients = self.connections.len() as u64;
        let (mut seen, begin) = (Seen::new(now_us()), Instant::now());
        while begin.elapsed() < most && seen.frames.values().filter(|reads| reads.clients >= clients).count() < frames {
            self.turn(&mut seen)?;
        }
        // A frame that came while the last one was awaited has not reached everybody yet, and is nobody's fault.
        let counted: Vec<&Reads> = seen.frames.values().take(frames).collect();
        Ok(Measured {
            last_reads: counted.iter().map(|reads| reads.last_us).collect(),
            missed: (frames as u64 * clients).saturating_sub(counted.iter().map(|reads| reads.clients).sum()),
            latencies: seen.latencies,
            bytes: seen.bytes,
            elapsed: begin.elapsed(),
            closed: seen.closed,
        })
    }

    fn turn(&mut self, seen: &mut Seen) -> Outcome<()> {
        self.poll.poll(&mut self.events, Some(Duration::from_millis(100)))?;
        for event in &self.events {
            self.connections[event.token().0].read(&mut self.scratch, seen)?;
        }
        Ok(())
    }
}

impl Connection {
    fn read(&mut self, scratch: &mut [u8], seen: &mut Seen) -> Outcome<()> {
        loop {
            let read = match self.stream.read(scratch) {
                Ok(0) => {
                    *seen.closed.entry(1006).or_default() += 1;
                    return Ok(());
                }
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::ConnectionReset => {
                    *seen.closed.entry(1006).or_default() += 1;
                    return Ok(());
                }
                Err(error) => return Err(error.into()),
            };
            let (now, mut pong) = (now_us(), None);
            seen.bytes += read as u64;
            frame::feed(&mut self.partial, &scratch[..read], |frame| match frame {
                Frame::Text(text) => seen.text(text, now),
                Frame::Ping(payload) => pong = Some(frame::pong(payload)),
                Frame::Close(code) => *seen.closed.entry(code).or_default() += 1,
                Frame::Other => {}
            })
            .map_err(|_| "the server sent something that is no frame")?;
            if let Some(pong) = pong {
                self.stream.write_all(&pong)?;
            }
            if read < scratch.len() {
                return Ok(());
            }
        }
    }
}

/// Sockets that never read.
pub(crate) struct Stalled(#[expect(dead_code, reason = "they are held, not used")] Vec<TcpStream>);

impl Stalled {
    /// Opens `count` of them, with little room for what they do not read.
    pub(crate) fn open(address: SocketAddr, count: usize) -> Outcome<Self> {
        let open = |index| Ok(handshake(connect(address, index, Some(4096))?, address)?.0);
        Ok(Self((0..count).map(open).collect::<Outcome<_>>()?))
    }
}

/// The first tick with a price in it that a new socket of `address` gets.
pub(crate) fn first_tick(address: SocketAddr) -> Outcome<String> {
    let (mut stream, mut partial) = handshake(connect(address, 0, None)?, address)?;
    let (mut bytes, deadline) = (vec![0; 64 * 1024], Instant::now() + Duration::from_secs(10));
    while Instant::now() < deadline {
        let read = stream.read(&mut bytes)?;
        let mut tick = None;
        frame::feed(&mut partial, &bytes[..read], |frame| {
            if let Frame::Text(text) = frame
                && text.starts_with(TICK)
                && memmem::find(text, b"\"symbol\"").is_some()
            {
                tick = Some(text.to_vec());
            }
        })
        .map_err(|_| "the server sent something that is no frame")?;
        if let Some(tick) = tick {
            return Ok(String::from_utf8(tick)?);
        }
    }
    Err("no tick within 10 s".into())
}

/// The opening handshake; with it come the first bytes of the frames that follow.
fn handshake(mut stream: TcpStream, address: SocketAddr) -> Outcome<(TcpStream, Vec<u8>)> {
    let request = format!(
        "GET /ws HTTP/1.1\r\nhost: {address}\r\nupgrade: websocket\r\nconnection: upgrade\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(request.as_bytes())?;
    let (mut bytes, mut scratch) = (Vec::new(), [0; 16 * 1024]);
    loop {
        let read = stream.read(&mut scratch)?;
        bytes.extend_from_slice(&scratch[..read]);
        if let Some(head) = memmem::find(&bytes, b"\r\n\r\n") {
            if !bytes.starts_with(b"HTTP/1.1 101") {
                return Err(format!("the handshake was refused: {}", String::from_utf8_lossy(&bytes[..head])).into());
            }
            return Ok((stream, bytes.split_off(head + 4)));
        }
        if read == 0 {
            return Err("closed during the handshake".into());
        }
    }
}
