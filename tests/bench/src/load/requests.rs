//! Requests in a closed loop: each connection asks again as soon as it was answered.

use super::{connect, latencies, message::get, response};
use crate::Outcome;
use hdrhistogram::Histogram;
use mio::{Events, Interest, Poll, Token, net::TcpStream};
use std::{
    io::{ErrorKind, Read, Write},
    net::SocketAddr,
    time::{Duration, Instant},
};

/// What a run of requests came to.
pub(crate) struct Answered {
    pub(crate) requests: u64,
    /// The same with those of the warm-up.
    pub(crate) in_all: u64,
    pub(crate) elapsed: Duration,
    /// Time from request to answer, in microseconds.
    pub(crate) latencies: Histogram<u64>,
}

struct Connection {
    stream: TcpStream,
    /// The beginning of an answer that has not come whole.
    partial: Vec<u8>,
    asked: Instant,
}

/// One request on a connection of its own: the body of a 200.
pub(crate) fn exchange(address: SocketAddr, path: &str) -> Outcome<Vec<u8>> {
    let mut stream = connect(address, 0, None)?;
    stream.write_all(&get(address, path, &[]))?;
    let (mut bytes, mut scratch) = (Vec::new(), [0; 4096]);
    loop {
        if let Some(response) = response::parse(&bytes)? {
            let answer = String::from_utf8_lossy(response.body);
            return if response.status == 200 {
                Ok(response.body.to_vec())
            } else {
                Err(format!("{path}: {} {answer}", response.status).into())
            };
        }
        match stream.read(&mut scratch)? {
            0 => return Err(format!("{path}: closed without an answer").into()),
            read => bytes.extend_from_slice(&scratch[..read]),
        }
    }
}

/// Sends each of `requests` again and again over a connection of its own: for `warm_up` unmeasured, then for `measured`.
pub(crate) fn closed_loop(address: SocketAddr, requests: &[Vec<u8>], warm_up: Duration, measured: Duration) -> Outcome<Answered> {
    let (mut poll, mut events) = (Poll::new()?, Events::with_capacity(requests.len()));
    let mut open = Vec::with_capacity(requests.len());
    for (index, request) in requests.iter().enumerate() {
        let stream = connect(address, index, None)?;
        stream.set_nonblocking(true)?;
        let mut stream = TcpStream::from_std(stream);
        poll.registry().register(&mut stream, Token(index), Interest::READABLE)?;
        stream.write_all(request)?;
        open.push(Connection { stream, partial: Vec::new(), asked: Instant::now() });
    }
    let mut scratch = vec![0; 64 * 1024];
    let (begin, mut counted, mut in_all, mut latencies) = (Instant::now() + warm_up, 0, 0, latencies());
    let end = begin + measured;
    loop {
        poll.poll(&mut events, Some(Duration::from_secs(5)))?;
        if events.is_empty() {
            return Err("no answer for 5 s".into());
        }
        for event in &events {
            let index = event.token().0;
            let connection = &mut open[index];
            if connection.read_answer(&mut scratch)? {
                let now = Instant::now();
                in_all += 1;
                if connection.asked >= begin && now <= end {
                    counted += 1;
                    latencies.saturating_record(u64::try_from((now - connection.asked).as_micros())?);
                }
                connection.asked = now;
                connection.stream.write_all(&requests[index])?;
            }
        }
        if Instant::now() > end {
            return Ok(Answered { requests: counted, in_all, elapsed: measured, latencies });
        }
    }
}

impl Connection {
    /// Whether the answer has come whole. Anything but a 200 ends the run.
    fn read_answer(&mut self, scratch: &mut [u8]) -> Outcome<bool> {
        // A read that leaves room has emptied the socket; one that fills it does not happen with answers this small.
        let read = match self.stream.read(scratch) {
            Ok(0) => return Err("the server closed a connection".into()),
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        let bytes = if self.partial.is_empty() {
            &scratch[..read]
        } else {
            self.partial.extend_from_slice(&scratch[..read]);
            &self.partial
        };
        match response::parse(bytes)? {
            Some(response) if response.status != 200 => {
                Err(format!("answered {}: {}", response.status, String::from_utf8_lossy(response.body)).into())
            }
            Some(response) if response.length != bytes.len() => Err("answered more than was asked".into()),
            Some(_) => {
                self.partial.clear();
                Ok(true)
            }
            None => {
                if self.partial.is_empty() {
                    self.partial.extend_from_slice(&scratch[..read]);
                }
                Ok(false)
            }
        }
    }
}
