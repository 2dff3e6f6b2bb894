//! Many requests at one moment, each over a connection that is open already.

use super::{connect, response};
use crate::Outcome;
use mio::{Events, Interest, Poll, Token, net::TcpStream};
use serde_json::Value;
use std::{
    io::{ErrorKind, Read, Write},
    net::SocketAddr,
    time::{Duration, Instant},
};

/// One request's answer.
pub(crate) struct Reply {
    pub(crate) status: u16,
    /// `error.code`; empty where there is none.
    pub(crate) code: String,
    pub(crate) has_retry_after: bool,
    /// Since it was sent.
    pub(crate) took: Duration,
}

struct Waiting {
    stream: TcpStream,
    bytes: Vec<u8>,
    sent: Instant,
}

/// Sends all `requests` at once and waits until each is answered, for at most `within`.
pub(crate) fn burst(address: SocketAddr, requests: &[Vec<u8>], within: Duration) -> Outcome<Vec<Reply>> {
    let (mut poll, mut events) = (Poll::new()?, Events::with_capacity(requests.len()));
    let mut open = Vec::with_capacity(requests.len());
    for index in 0..requests.len() {
        let stream = connect(address, index, None)?;
        stream.set_nonblocking(true)?;
        let mut stream = TcpStream::from_std(stream);
        poll.registry().register(&mut stream, Token(index), Interest::READABLE)?;
        open.push(Waiting { stream, bytes: Vec::new(), sent: Instant::now() });
    }
    for (waiting, request) in open.iter_mut().zip(requests) {
        waiting.sent = Instant::now();
        // An empty send buffer takes a request of some hundred bytes whole.
        waiting.stream.write_all(request)?;
    }
    let (begin, mut replies) = (Instant::now(), Vec::with_capacity(requests.len()));
    while replies.len() < requests.len() {
        if begin.elapsed() > within {
            return Err(format!("{} of {} requests were not answered", requests.len() - replies.len(), requests.len()).into());
        }
        poll.poll(&mut events, Some(Duration::from_millis(100)))?;
        for event in &events {
            replies.extend(open[event.token().0].read()?);
        }
    }
    Ok(replies)
}

impl Waiting {
    fn read(&mut self) -> Outcome<Option<Reply>> {
        let mut scratch = [0; 16 * 1024];
        loop {
            match self.stream.read(&mut scratch) {
                Ok(0) => return Err("the server closed a connection".into()),
                Ok(read) => self.bytes.extend_from_slice(&scratch[..read]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error.into()),
            }
        }
        let Some(response) = response::parse(&self.bytes)? else { return Ok(None) };
        let took = self.sent.elapsed();
        let head = String::from_utf8_lossy(&self.bytes[..response.length - response.body.len()]).to_ascii_lowercase();
        let has_retry_after = head.contains("\r\nretry-after: ");
        let body: Value = serde_json::from_slice(response.body)?;
        let code = body.pointer("/error/code").and_then(Value::as_str).unwrap_or_default().to_owned();
        Ok(Some(Reply { status: response.status, code, has_retry_after, took }))
    }
}
