//! A connection that nobody can hold for nothing. The HTTP library limits the time of a connection's first head alone; here every
//! head, every wait for an answer, every silence and every answer that is not taken has its time.

use std::{
    future::{Future as _, ready},
    io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use actix_codec::{AsyncRead, AsyncWrite, ReadBuf};
use actix_http::error::DispatchError;
use actix_service::{ServiceFactory, fn_service};
use tokio::{
    net::TcpStream,
    time::{Instant, Sleep, sleep_until},
};

/// An interim answer: the one that counts is still to come.
const INTERIM: &[u8] = b"HTTP/1.1 100 ";

/// How long each part of an exchange may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// From a head's first byte to its last.
    head: Duration,
    /// From there to the answer's first byte, the request's body included.
    answer: Duration,
    /// Between an answer and the next request, and between two pieces of a stream.
    idle: Duration,
    /// For a reader to take the next bytes.
    write: Duration,
}

impl Patience {
    /// Where a request is answered within `request` and idle connections are kept for `keep_alive`: what has a time of its own
    /// further in ends there, with an answer, and here only when that did not happen.
    pub(crate) fn around(head: Duration, request: Duration, keep_alive: Duration) -> Self {
        let (after, write) = (Duration::from_secs(5), Duration::from_secs(30));
        Self { head, answer: request + after, idle: request.max(keep_alive) + after, write }
    }
}

#[derive(Debug, Clone, Copy)]
enum Phase {
    /// Nothing of a request has come since the last answer.
    Idle,
    /// A head has begun: whether a line of it has, and whether the last one ended.
    Head { begun: bool, line_ended: bool },
    /// A whole head has come; it is to be answered.
    Asked,
}

/// A TCP stream with its patience.
pub(crate) struct TimedStream {
    io: TcpStream,
    patience: Patience,
    phase: Phase,
    since: Instant,
    /// Since when the reader takes nothing.
    blocked: Option<Instant>,
    alarm: Option<Pin<Box<Sleep>>>,
}

impl TimedStream {
    /// Begins with silence.
    fn new(io: TcpStream, patience: Patience) -> Self {
        Self { io, patience, phase: Phase::Idle, since: Instant::now(), blocked: None, alarm: None }
    }

    fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        self.since = Instant::now();
    }

    fn deadline(&self) -> Instant {
        let wait = match self.phase {
            Phase::Idle => self.patience.idle,
            Phase::Head { .. } => self.patience.head,
            Phase::Asked => self.patience.answer,
        };
        let deadline = self.since + wait;
        self.blocked.map_or(deadline, |since| deadline.min(since + self.patience.write))
    }

    /// Whether the time is over; where it is not, the task is woken when it is.
    fn is_over(&mut self, cx: &mut Context<'_>) -> bool {
        let deadline = self.deadline();
        let alarm = self.alarm.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        // One that rings too early is set anew when it does: most of the time nothing has to be moved.
        if alarm.deadline() > deadline {
            alarm.as_mut().reset(deadline);
        }
        while alarm.as_mut().poll(cx).is_ready() {
            if Instant::now() >= deadline {
                return true;
            }
            alarm.as_mut().reset(deadline);
        }
        false
    }

    fn came(&mut self, bytes: &[u8]) {
        let (mut begun, mut line_ended) = match self.phase {
            Phase::Asked => return,
            Phase::Head { begun, line_ended } => (begun, line_ended),
            Phase::Idle => {
                self.enter(Phase::Head { begun: false, line_ended: false });
                (false, false)
            }
        };
        for byte in bytes {
            match byte {
                b'\r' => {}
                // Empty lines before a request are none of it.
                b'\n' if !begun => {}
                b'\n' if line_ended => return self.enter(Phase::Asked),
                b'\n' => line_ended = true,
                _ => (begun, line_ended) = (true, false),
            }
        }
        self.phase = Phase::Head { begun, line_ended };
    }
}

/// Accepted connections with their patience, and who is at their other end.
pub(crate) fn timed(
    patience: Patience,
) -> impl ServiceFactory<TcpStream, Config = (), Response = (TimedStream, Option<SocketAddr>), Error = DispatchError, InitError = ()>
{
    fn_service(move |io: TcpStream| {
        let peer = io.peer_addr().ok();
        ready(Ok((TimedStream::new(io, patience), peer)))
    })
}

fn too_slow() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "the other side took too long")
}

impl From<TimedStream> for TcpStream {
    fn from(timed: TimedStream) -> Self {
        timed.io
    }
}

impl AsyncRead for TimedStream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let timed = self.get_mut();
        let before = buf.filled().len();
        let Poll::Ready(read) = Pin::new(&mut timed.io).poll_read(cx, buf) else {
            return if timed.is_over(cx) { Poll::Ready(Err(too_slow())) } else { Poll::Pending };
        };
        let new = buf.filled().get(before..).unwrap_or_default();
        if !new.is_empty() {
            timed.came(new);
        }
        Poll::Ready(read)
    }
}

impl AsyncWrite for TimedStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let timed = self.get_mut();
        let Poll::Ready(written) = Pin::new(&mut timed.io).poll_write(cx, buf) else {
            timed.blocked.get_or_insert_with(Instant::now);
            return if timed.is_over(cx) { Poll::Ready(Err(too_slow())) } else { Poll::Pending };
        };
        timed.blocked = None;
        if !buf.starts_with(INTERIM) {
            timed.enter(Phase::Idle);
        }
        Poll::Ready(written)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };

    const SHORT: Patience = Patience {
        head: Duration::from_millis(100),
        answer: Duration::from_millis(400),
        idle: Duration::from_millis(800),
        write: Duration::from_millis(200),
    };

    async fn pair() -> (TimedStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        (TimedStream::new(listener.accept().await.unwrap().0, SHORT), client)
    }

    /// Reads until the stream gives up, and says after how long since the last byte it did.
    async fn gives_up(stream: &mut TimedStream) -> Duration {
        let mut chunk = [0; 256];
        let mut last = Instant::now();
        loop {
            match stream.read(&mut chunk).await {
                Ok(0) => panic!("the client hung up"),
                Ok(_) => last = Instant::now(),
                Err(error) => {
                    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
                    return last.elapsed();
                }
            }
        }
    }

    fn is_about(waited: Duration, expected: Duration) -> bool {
        waited + Duration::from_millis(60) >= expected && waited < expected + Duration::from_millis(350)
    }

    #[tokio::test]
    async fn every_head_has_its_time_and_not_the_first_alone() {
        for before in [false, true] {
            let (mut stream, mut client) = pair().await;
            if before {
                client.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
                assert_eq!(stream.read(&mut [0; 64]).await.unwrap(), 18);
                stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
            }
            client.write_all(b"\r\nGET / HTTP/1.1\r\n").await.unwrap();
            let waited = gives_up(&mut stream).await;
            assert!(is_about(waited, SHORT.head), "{waited:?}, {before}");
        }
    }

    #[tokio::test]
    async fn a_drip_does_not_stretch_a_heads_time() {
        let (mut stream, mut client) = pair().await;
        let dripping = tokio::spawn(async move {
            while client.write_all(b"a").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        });
        let started = Instant::now();
        gives_up(&mut stream).await;
        assert!(is_about(started.elapsed(), SHORT.head), "{:?}", started.elapsed());
        dripping.abort();
    }

    #[tokio::test]
    async fn a_body_has_the_time_of_its_answer_also_after_an_interim_one() {
        let (mut stream, mut client) = pair().await;
        client.write_all(b"POST / HTTP/1.1\r\n\r\n{").await.unwrap();
        assert_eq!(stream.read(&mut [0; 64]).await.unwrap(), 20);
        stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await.unwrap();
        let waited = gives_up(&mut stream).await;
        assert!(is_about(waited, SHORT.answer), "{waited:?}");
    }

    #[tokio::test]
    async fn a_client_that_says_nothing_more_is_let_go_of() {
        let (mut stream, client) = pair().await;
        let waited = gives_up(&mut stream).await;
        assert!(is_about(waited, SHORT.idle), "{waited:?}");
        drop(client);
    }

    #[tokio::test]
    async fn who_does_not_take_an_answer_is_not_waited_for() {
        let (mut stream, client) = pair().await;
        let started = Instant::now();
        let error = loop {
            if let Err(error) = stream.write_all(&vec![0; 65536]).await {
                break error;
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(started.elapsed() >= SHORT.write, "{:?}", started.elapsed());
        drop(client);
    }
}
