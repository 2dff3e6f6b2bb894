//! What waits to be written to one socket: a rest, a few answers, and the newest tick, never a backlog.

use std::{collections::VecDeque, io};

use bytes::{Buf as _, Bytes};
use tokio::net::TcpStream;

/// Answers that may wait; a client that causes more without reading is slow.
const MAX_ANSWERS: usize = 80;

#[derive(Default)]
pub(super) struct Outbox {
    /// The unwritten rest of the frame that was begun.
    rest: Bytes,
    answers: VecDeque<Bytes>,
    /// A tick is due that was not begun: the newest one is encoded when the socket has room.
    tick_due: bool,
    /// Bytes the socket took, ever: progress.
    written: u64,
}

impl Outbox {
    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty() && self.answers.is_empty() && !self.tick_due
    }

    pub(super) const fn written(&self) -> u64 {
        self.written
    }

    /// Whether a tick may be begun now.
    pub(super) fn has_room(&self) -> bool {
        self.rest.is_empty() && self.answers.is_empty()
    }

    pub(super) const fn postpone_tick(&mut self) {
        self.tick_due = true;
    }

    pub(super) const fn take_due_tick(&mut self) -> bool {
        std::mem::replace(&mut self.tick_due, false)
    }

    /// Answers that wait.
    pub(super) fn waiting(&self) -> usize {
        self.answers.len()
    }

    /// Puts an answer in line; `false` when too many wait already.
    pub(super) fn answer(&mut self, frame: Bytes) -> bool {
        if self.answers.len() >= MAX_ANSWERS {
            return false;
        }
        self.answers.push_back(frame);
        true
    }

    /// Writes what the socket takes of a frame, and keeps the rest. Only with [`Outbox::has_room`].
    pub(super) fn begin(&mut self, stream: &TcpStream, frame: Bytes) -> io::Result<()> {
        self.rest = frame;
        self.flush(stream).map(|_| ())
    }

    /// Writes the rest and the answers as far as the socket takes them. `true` when all of it went.
    pub(super) fn flush(&mut self, stream: &TcpStream) -> io::Result<bool> {
        loop {
            while !self.rest.is_empty() {
                match stream.try_write(&self.rest) {
                    Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                    Ok(count) => {
                        self.rest.advance(count);
                        self.written += count as u64;
                    }
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                    Err(error) => return Err(error),
                }
            }
            let Some(next) = self.answers.pop_front() else {
                // An empty rest must not keep the shared frame it was cut from alive.
                self.rest = Bytes::new();
                return Ok(true);
            };
            self.rest = next;
        }
    }
}
