//! A connection that nobody can hold for nothing. The HTTP library limits the time of a connection's first head alone; here every
//! head, every wait for an answer, every silence and every answer that is not taken has its time, and the library gets no more than it
//! can use at once: it would keep all that comes behind a request for as long as that one's answer lasts.

use std::{
    future::{Future as _, ready},
    io, mem,
    net::SocketAddr,
    pin::Pin,
    rc::Rc,
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

use crate::turns::{Phase, Turn};

/// Bytes that are given at once: what is behind a request's head in them is kept for as long as its answer lasts.
const CHUNK: usize = 4 * 1024;
/// Bytes a second that a reader has to take, once its patience is used up.
const LEAST_RATE: u32 = 1024;

/// How long each part of an exchange may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// From a head's first byte to its last.
    head: Duration,
    /// From there to the answer's first byte, the request's body included.
    answer: Duration,
    /// Between an answer and the next request, and between two pieces of a stream.
    idle: Duration,
    /// For a reader to take nothing, or how long it may be behind [`LEAST_RATE`].
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

/// How a reader takes what is written.
struct Reader {
    /// What is left of its patience, as of the last write: waiting uses it up, and bytes that are taken bring it back.
    left: Duration,
    most: Duration,
    /// Since when it takes nothing.
    blocked: Option<Instant>,
}

impl Reader {
    const fn new(most: Duration) -> Self {
        Self { left: most, most, blocked: None }
    }

    fn waits(&mut self, now: Instant) {
        self.blocked.get_or_insert(now);
    }

    fn took(&mut self, bytes: usize, now: Instant) {
        let waited = self.blocked.take().map_or(Duration::ZERO, |since| now - since);
        let earned = Duration::from_secs(1).saturating_mul(u32::try_from(bytes).unwrap_or(u32::MAX)) / LEAST_RATE;
        self.left = (self.left.saturating_sub(waited) + earned).min(self.most);
    }

    fn deadline(&self) -> Option<Instant> {
        self.blocked.map(|since| since + self.left)
    }
}

/// A TCP stream with its patience.
pub(crate) struct TimedStream {
    io: TcpStream,
    patience: Patience,
    turn: Rc<Turn>,
    reader: Reader,
    /// Something was given and not looked at yet.
    gave: bool,
    /// Reading waits for the reader to take something.
    held: bool,
    alarm: Option<Pin<Box<Sleep>>>,
}

impl TimedStream {
    /// Begins with silence.
    fn new(io: TcpStream, patience: Patience) -> Self {
        Self { io, patience, turn: Turn::new(), reader: Reader::new(patience.write), gave: false, held: false, alarm: None }
    }

    /// Whose turn it is.
    pub(crate) const fn turn(&self) -> &Rc<Turn> {
        &self.turn
    }

    fn deadline(&self) -> Instant {
        let (phase, since) = self.turn.phase();
        let wait = match phase {
            Phase::Idle | Phase::Answering => self.patience.idle,
            Phase::Head => self.patience.head,
            Phase::Asked => self.patience.answer,
        };
        let deadline = since + wait;
        self.reader.deadline().map_or(deadline, |reader| deadline.min(reader))
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

    /// Whether the client hung up, while nothing it sends is wanted.
    fn poll_gone(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.io.poll_peek(cx, &mut ReadBuf::new(&mut [0])) {
            Poll::Ready(Ok(1..)) | Poll::Pending => Poll::Pending,
            Poll::Ready(gone) => Poll::Ready(gone.map(|_| ())),
        }
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
        if mem::take(&mut timed.gave) {
            // There may be a request in it: then it is ours to say what comes next.
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        timed.held = timed.reader.blocked.is_some();
        let read = if !timed.held && timed.turn.is_clients(cx) {
            let room = buf.remaining().min(CHUNK);
            let mut some = ReadBuf::new(buf.initialize_unfilled_to(room));
            let read = Pin::new(&mut timed.io).poll_read(cx, &mut some);
            timed.gave = !some.filled().is_empty();
            timed.turn.came(some.filled());
            let count = some.filled().len();
            buf.advance(count);
            read
        } else {
            timed.poll_gone(cx)
        };
        if read.is_pending() && timed.is_over(cx) { Poll::Ready(Err(too_slow())) } else { read }
    }
}

impl AsyncWrite for TimedStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let timed = self.get_mut();
        let Poll::Ready(written) = Pin::new(&mut timed.io).poll_write(cx, buf) else {
            timed.reader.waits(Instant::now());
            return if timed.is_over(cx) { Poll::Ready(Err(too_slow())) } else { Poll::Pending };
        };
        timed.reader.took(*written.as_ref().unwrap_or(&0), Instant::now());
        timed.turn.wrote();
        if mem::take(&mut timed.held) {
            cx.waker().wake_by_ref();
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
    use crate::turns::Serving;
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
                let serving = Serving::begin(stream.turn(), 0);
                serving.answers();
                stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
                drop(serving);
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
        let _serving = Serving::begin(stream.turn(), 9);
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
    async fn of_who_takes_no_answer_nothing_more_is_read_until_it_does() {
        let (mut stream, mut client) = pair().await;
        client.write_all(b"GET /next HTTP/1.1\r\n\r\n").await.unwrap();
        stream.io.readable().await.unwrap();
        let mut chunk = [0; 64];
        std::future::poll_fn(|cx| {
            while Pin::new(&mut stream).poll_write(cx, &vec![0; 65536]).is_ready() {}
            assert!(Pin::new(&mut stream).poll_read(cx, &mut ReadBuf::new(&mut chunk)).is_pending());
            Poll::Ready(())
        })
        .await;
        tokio::spawn(async move { while client.read(&mut vec![0; 65536]).await.is_ok_and(|count| count > 0) {} });
        // In the order of the HTTP library: what can be read, then what can be written.
        let read = std::future::poll_fn(|cx| {
            let mut buf = ReadBuf::new(&mut chunk);
            if Pin::new(&mut stream).poll_read(cx, &mut buf).map(Result::unwrap).is_ready() {
                return Poll::Ready(buf.filled().len());
            }
            let _ = Pin::new(&mut stream).poll_write(cx, b"0").map(Result::unwrap);
            Poll::Pending
        })
        .await;
        assert_eq!(read, 22);
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

    #[tokio::test]
    async fn nothing_behind_a_request_is_read_before_it_is_answered_and_then_everything() {
        let (mut stream, mut client) = pair().await;
        let sent = vec![b'a'; 3 * CHUNK];
        client.write_all(&sent).await.unwrap();
        let mut chunk = vec![0; 3 * CHUNK];
        let first = stream.read(&mut chunk).await.unwrap();
        assert!(first <= CHUNK, "{first} at once");
        let serving = Serving::begin(stream.turn(), 0);
        serving.answers();
        let waits = Duration::from_millis(50);
        assert!(tokio::time::timeout(waits, stream.read(&mut chunk)).await.is_err(), "read while it is answered");
        // The one who waits is woken.
        let over = async {
            tokio::time::sleep(waits).await;
            drop(serving);
        };
        let (rest, ()) = tokio::join!(stream.read_exact(&mut chunk[first..]), over);
        assert_eq!((rest.unwrap(), &chunk), (sent.len() - first, &sent));
    }

    #[tokio::test]
    async fn a_client_that_hangs_up_is_noticed_while_it_is_answered() {
        let (mut stream, client) = pair().await;
        let _serving = Serving::begin(stream.turn(), 0);
        drop(client);
        assert_eq!(stream.read(&mut [0; 64]).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn the_length_of_a_body_that_was_told_is_read_though_nobody_asks() {
        let (mut stream, mut client) = pair().await;
        let _serving = Serving::begin(stream.turn(), 5);
        client.write_all(b"hello").await.unwrap();
        let mut body = [0; 64];
        assert_eq!(stream.read(&mut body).await.unwrap(), 5);
        client.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
        assert!(tokio::time::timeout(Duration::from_millis(50), stream.read(&mut body)).await.is_err());
    }

    #[test]
    fn a_reader_may_be_slow_and_not_slower_than_the_least_rate_for_long() {
        let (patience, began) = (Duration::from_secs(30), Instant::now());
        for (bytes_a_second, goes_on) in [(1500, true), (1100, true), (800, false), (400, false), (0, false)] {
            let (mut reader, mut now, mut ended) = (Reader::new(patience), began, None);
            while ended.is_none() && now - began < Duration::from_hours(1) {
                reader.waits(now);
                now += Duration::from_secs(8);
                ended = reader.deadline().filter(|until| now >= *until).map(|until| until - began);
                reader.took(8 * bytes_a_second, now);
            }
            assert_eq!(ended.is_none(), goes_on, "{bytes_a_second} a second, {ended:?}");
            assert!(ended.is_none_or(|ended| ended >= patience && ended < patience * 6), "{bytes_a_second} a second, {ended:?}");
        }
    }
}
