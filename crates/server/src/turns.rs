//! Whose turn it is on a connection: the client's, until a request has come, and then ours, until it is answered. The HTTP library reads
//! and keeps requests meanwhile that are not due yet, for as long as an answer lasts; [`crate::timed_stream`] gives it none.

use std::{
    cell::Cell,
    error::Error as StdError,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, Waker},
};

use actix_http::{
    HttpMessage as _, Payload, Request, Response,
    body::{BodySize, BoxBody, MessageBody},
    error::PayloadError,
    header::CONTENT_LENGTH,
};
use actix_service::{IntoServiceFactory, Service, ServiceFactory, apply_fn_factory};
use bytes::Bytes;
use futures_util::{Stream, ready};
use tokio::time::Instant;

/// What is written of an answer at once: the rest of one that is slowly taken stays where all its readers share it.
pub(crate) const PIECE: usize = 8 * 1024;
/// Bytes of a body of unknown length that come before anybody asks for them.
const UNASKED: u64 = 4 * 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Nothing of a request has come since the last answer.
    Idle,
    /// A head has begun.
    Head,
    /// A whole head has come; it is to be answered.
    Asked,
    /// The answer is being written.
    Answering,
}

/// Shared by a connection's stream and the requests that come by it.
pub(crate) struct Turn {
    phase: Cell<Phase>,
    /// When the phase began, or, of an answer and of silence, when something was last written.
    since: Cell<Instant>,
    /// Bytes of the request's body that are still to come.
    owed: Cell<u64>,
    /// Whoever works on the request waits for more of its body.
    wanted: Cell<bool>,
    /// The connection, where it waits for its turn.
    waits: Cell<Option<Waker>>,
}

impl Turn {
    pub(crate) fn new() -> Rc<Self> {
        Rc::new(Self {
            phase: Cell::new(Phase::Idle),
            since: Cell::new(Instant::now()),
            owed: Cell::new(0),
            wanted: Cell::new(false),
            waits: Cell::default(),
        })
    }

    fn enter(&self, phase: Phase) {
        self.phase.set(phase);
        self.since.set(Instant::now());
    }

    pub(crate) fn phase(&self) -> (Phase, Instant) {
        (self.phase.get(), self.since.get())
    }

    /// Whether what the client sends is wanted now; where it is not, the task is woken when it is.
    pub(crate) fn is_clients(&self, cx: &Context<'_>) -> bool {
        let is = matches!(self.phase.get(), Phase::Idle | Phase::Head) || self.owed.get() > 0 || self.wanted.get();
        if !is {
            self.waits.set(Some(cx.waker().clone()));
        }
        is
    }

    /// These came.
    pub(crate) fn came(&self, bytes: &[u8]) {
        self.owed.set(self.owed.get().saturating_sub(bytes.len() as u64));
        // Empty lines before a request are none of it.
        if self.phase.get() == Phase::Idle && bytes.iter().any(|byte| !matches!(byte, b'\r' | b'\n')) {
            self.enter(Phase::Head);
        }
    }

    /// Something was written. An interim answer is none that anybody waits for.
    pub(crate) fn wrote(&self) {
        if matches!(self.phase.get(), Phase::Idle | Phase::Answering) {
            self.since.set(Instant::now());
        }
    }

    fn wake(&self) {
        if let Some(waiting) = self.waits.take() {
            waiting.wake();
        }
    }

    fn want(&self, wanted: bool) {
        self.wanted.set(wanted);
        if wanted {
            self.wake();
        }
    }
}

/// A request that is worked on, until its answer is written or nobody waits for it.
pub(crate) struct Serving(Rc<Turn>);

impl Serving {
    /// A head has come, of a request with a body of so many bytes.
    pub(crate) fn begin(turn: &Rc<Turn>, body: u64) -> Self {
        turn.enter(Phase::Asked);
        turn.owed.set(body);
        turn.wanted.set(false);
        Self(Rc::clone(turn))
    }

    fn of(request: &mut Request) -> Option<Self> {
        let turn = request.conn_data::<Rc<Turn>>().cloned()?;
        let length = request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        let body = match (request.payload(), length) {
            (Payload::None, _) => 0,
            (_, Some(length)) => length,
            (payload, None) => {
                let body = Wanted { body: std::mem::replace(payload, Payload::None), turn: Rc::clone(&turn) };
                *payload = Payload::Stream { payload: Box::pin(body) };
                UNASKED
            }
        };
        Some(Self::begin(&turn, body))
    }

    /// There is an answer, which is now written.
    pub(crate) fn answers(&self) {
        self.0.enter(Phase::Answering);
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.0.enter(Phase::Idle);
        self.0.owed.set(0);
        self.0.wake();
    }
}

/// A body of unknown length: more of it is read when whoever reads it waits.
struct Wanted {
    body: Payload,
    turn: Rc<Turn>,
}

impl Stream for Wanted {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.body).poll_next(cx);
        this.turn.want(polled.is_pending());
        polled
    }
}

impl Drop for Wanted {
    fn drop(&mut self) {
        self.turn.want(false);
    }
}

/// An answer's body, a piece at a time.
pub(crate) struct Answer {
    body: BoxBody,
    rest: Bytes,
    _serving: Option<Serving>,
}

impl Answer {
    fn new(body: BoxBody, serving: Option<Serving>) -> Self {
        Self { body, rest: Bytes::new(), _serving: serving }
    }
}

impl MessageBody for Answer {
    type Error = Box<dyn StdError>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let this = self.get_mut();
        if this.rest.is_empty() {
            match ready!(Pin::new(&mut this.body).poll_next(cx)) {
                // What comes in a stream is as long as whoever makes it likes.
                Some(Ok(bytes)) if matches!(this.body.size(), BodySize::Sized(_)) => this.rest = bytes,
                other => return Poll::Ready(other),
            }
        }
        let piece = this.rest.split_to(this.rest.len().min(PIECE));
        Poll::Ready(Some(Ok(piece)))
    }
}

/// An application whose requests have the connection's turn.
pub(crate) fn in_turn<S, B>(
    app: impl IntoServiceFactory<S, Request>,
) -> impl ServiceFactory<
    Request,
    Config = (),
    Response = Response<Answer>,
    Error = S::Error,
    InitError = S::InitError,
    Service: Service<Request, Future: 'static>,
>
where
    S: ServiceFactory<Request, Config = ()> + 'static,
    S::Response: Into<Response<B>>,
    <S::Service as Service<Request>>::Future: 'static,
    B: MessageBody + 'static,
{
    apply_fn_factory(app, |mut request: Request, service: &S::Service| {
        let serving = Serving::of(&mut request);
        let answer = service.call(request);
        async move {
            let response: Response<B> = answer.await?.into();
            if let Some(serving) = &serving {
                serving.answers();
            }
            Ok(response.map_body(|_, body| Answer::new(body.boxed(), serving)))
        }
    })
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;
    use futures_util::{FutureExt as _, task::noop_waker};

    fn is_clients(turn: &Turn) -> bool {
        turn.is_clients(&Context::from_waker(&noop_waker()))
    }

    #[test]
    fn while_a_request_is_worked_on_and_answered_no_more_than_its_body_is_wanted() {
        let turn = Turn::new();
        assert!(is_clients(&turn));
        let serving = Serving::begin(&turn, 10);
        assert!(is_clients(&turn));
        turn.came(&[b'a'; 9]);
        assert!(is_clients(&turn));
        turn.came(b"aGET /");
        assert!(!is_clients(&turn), "its body is here");
        serving.answers();
        assert!(!is_clients(&turn), "it is answered");
        drop(serving);
        assert!(is_clients(&turn));
    }

    #[tokio::test]
    async fn a_body_of_unknown_length_is_read_while_somebody_waits_for_it() {
        let turn = Turn::new();
        let _serving = Serving::begin(&turn, 0);
        let (mut sender, body) = actix_http::h1::Payload::create(false);
        let mut body = Wanted { body: Payload::H1 { payload: body }, turn: Rc::clone(&turn) };
        assert!(!is_clients(&turn), "nobody has asked for it yet");
        let mut next = async || poll_fn(|cx| Pin::new(&mut body).poll_next(cx)).await;
        assert!(next().now_or_never().is_none() && is_clients(&turn));
        sender.feed_data(Bytes::from_static(b"a"));
        assert!(next().await.is_some() && !is_clients(&turn), "what came is not used up");
        assert!(next().now_or_never().is_none() && is_clients(&turn));
        drop(body);
        assert!(!is_clients(&turn), "nobody waits any more");
    }

    #[tokio::test]
    async fn a_long_answer_is_made_a_piece_at_a_time_and_a_stream_as_it_comes() {
        let long = Bytes::from(vec![b'a'; 3 * PIECE + 1]);
        let pieces = async |body: BoxBody| {
            let (mut answer, mut pieces) = (Answer::new(body, None), Vec::new());
            while let Some(piece) = poll_fn(|cx| Pin::new(&mut answer).poll_next(cx)).await {
                pieces.push(piece.unwrap().len());
            }
            pieces
        };
        assert_eq!(pieces(long.clone().boxed()).await, [PIECE, PIECE, PIECE, 1]);
        let events = futures_util::stream::iter([Ok::<_, actix_web::Error>(long)]);
        assert_eq!(pieces(actix_http::body::BodyStream::new(events).boxed()).await, [3 * PIECE + 1]);
    }
}
