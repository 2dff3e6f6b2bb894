//! One connection that asks and waits, for what takes so long that a thread each does not matter.

use super::{connect, response};
use crate::Outcome;
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    thread,
};

/// What came back, whatever its status.
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The status line and the headers.
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// Itself, where its status is this one.
    pub(crate) fn expect(self, status: u16) -> Outcome<Self> {
        if self.status == status {
            return Ok(self);
        }
        Err(format!("{} instead of {status}: {}", self.status, String::from_utf8_lossy(&self.body)).into())
    }
}

pub(crate) struct Client {
    stream: TcpStream,
    bytes: Vec<u8>,
}

impl Client {
    /// The `index`th connection to `address`.
    pub(crate) fn open(address: SocketAddr, index: usize) -> Outcome<Self> {
        Ok(Self { stream: connect(address, index, None)?, bytes: Vec::new() })
    }

    /// Sends `request` and waits for its answer.
    pub(crate) fn ask(&mut self, request: &[u8]) -> Outcome<Answer> {
        self.bytes.clear();
        self.stream.write_all(request)?;
        let mut scratch = [0; 16 * 1024];
        loop {
            if let Some(response) = response::parse(&self.bytes)? {
                let head = &self.bytes[..response.length - response.body.len()];
                let head = String::from_utf8_lossy(head).into_owned();
                return Ok(Answer { status: response.status, head, body: response.body.to_vec() });
            }
            match self.stream.read(&mut scratch)? {
                0 => return Err("closed without an answer".into()),
                read => self.bytes.extend_from_slice(&scratch[..read]),
            }
        }
    }
}

/// Runs `work` for 0, 1, … on `threads` threads at once and gives what each came to.
pub(crate) fn in_parallel<T: Send>(threads: usize, work: impl Fn(usize) -> Outcome<T> + Sync) -> Outcome<Vec<T>> {
    let work = &work;
    let outcomes: Vec<_> = thread::scope(|scope| {
        // An error of any kind cannot leave its thread; its text can.
        let start = |index| scope.spawn(move || work(index).map_err(|error| error.to_string()));
        let started: Vec<_> = (0..threads).map(start).collect();
        started.into_iter().map(|thread| thread.join().unwrap_or_else(|_| Err("a client panicked".to_owned()))).collect()
    });
    outcomes.into_iter().map(|outcome| outcome.map_err(Into::into)).collect()
}
