//! The handshake (RFC 6455, section 4.2), outside the router: actix-http hands over requests for an upgrade whole.

use std::{convert::Infallible, rc::Rc, sync::Arc};

use actix_codec::{AsyncRead, AsyncWrite, Framed};
use actix_http::{HttpMessage as _, Request, h1, header, ws};
use actix_service::{Service, ServiceFactory};
use futures_util::{SinkExt as _, future::LocalBoxFuture};
use tokio::net::TcpStream;

use super::{
    Context, Refusal,
    hub::Hub,
    visitor::{self, Visitor},
};
use crate::http::handshake;

/// Serves `/ws` on every worker thread.
#[derive(Clone)]
pub struct Upgrade {
    context: Arc<Context>,
}

impl Upgrade {
    /// Serves sockets of `context`.
    pub const fn new(context: Arc<Context>) -> Self {
        Self { context }
    }
}

/// A request and its stream, which becomes the socket's own once hands were shaken.
type Upgraded<T> = (Request, Framed<T, h1::Codec>);

impl<T: AsyncRead + AsyncWrite + Into<TcpStream> + Unpin + 'static> ServiceFactory<Upgraded<T>> for Upgrade {
    type Response = ();
    type Error = actix_web::Error;
    type Config = ();
    type Service = UpgradeService;
    type InitError = Infallible;
    type Future = std::future::Ready<Result<UpgradeService, Infallible>>;

    fn new_service(&self, (): ()) -> Self::Future {
        let hub = Rc::new(Hub::new(Arc::clone(&self.context)));
        let running = Rc::clone(&hub);
        actix_rt::spawn(async move { running.run().await });
        std::future::ready(Ok(UpgradeService { hub }))
    }
}

/// One thread's handshakes.
pub struct UpgradeService {
    hub: Rc<Hub>,
}

impl<T: AsyncRead + AsyncWrite + Into<TcpStream> + Unpin + 'static> Service<Upgraded<T>> for UpgradeService {
    type Response = ();
    type Error = actix_web::Error;
    type Future = LocalBoxFuture<'static, Result<(), actix_web::Error>>;

    actix_service::always_ready!();

    fn call(&self, (request, framed): Upgraded<T>) -> Self::Future {
        let hub = Rc::clone(&self.hub);
        // Its own task, so that the dispatcher's state, far larger than a socket's, is freed now.
        actix_rt::spawn(async move { shake_hands(hub, request, framed).await });
        Box::pin(std::future::ready(Ok(())))
    }
}

async fn shake_hands<T>(hub: Rc<Hub>, request: Request, framed: Framed<T, h1::Codec>)
where
    T: AsyncRead + AsyncWrite + Into<TcpStream> + Unpin,
{
    // Boxed, and so gone with its buffers, which are far larger than a socket's state, before the socket is served.
    if let Some((stream, early, visitor)) = Box::pin(answer(&hub, request, framed)).await {
        hub.serve(stream, early, visitor).await;
    }
}

/// The stream after the handshake, what the client sent early, and who it is; `None` when there is no socket. There is little that is
/// early: a connection gives no more than a few KiB before what it gave was looked at ([`crate::timed_stream`]).
async fn answer<T>(hub: &Hub, request: Request, mut framed: Framed<T, h1::Codec>) -> Option<(TcpStream, Vec<u8>, Visitor)>
where
    T: AsyncRead + AsyncWrite + Into<TcpStream> + Unpin,
{
    match judge(hub, &request) {
        Ok(visitor) => {
            let response = handshake::accepted(request.head());
            framed.send(h1::Message::Item((response, actix_http::body::BodySize::None))).await.ok()?;
            let parts = framed.into_parts();
            Some((parts.io.into(), parts.read_buf.to_vec(), visitor))
        }
        Err(refused) => {
            let (response, body) = handshake::refused(request.head(), &refused);
            let size = actix_http::body::BodySize::Sized(body.len() as u64);
            // In one write: clients read a refusal's body only as far as it comes with its head.
            framed.feed(h1::Message::Item((response, size))).await.ok()?;
            framed.feed(h1::Message::Chunk(Some(body))).await.ok()?;
            framed.send(h1::Message::Chunk(None)).await.ok()?;
            None
        }
    }
}

/// Why there is no socket.
#[derive(Debug)]
pub enum NoSocket {
    /// There is none at this path.
    NotHere,
    /// The request is no WebSocket handshake.
    NotAHandshake(ws::HandshakeError),
    /// It may not come in.
    Refused(Refusal),
}

fn judge(hub: &Hub, request: &Request) -> Result<Visitor, NoSocket> {
    if !matches!(request.path(), "/ws" | "/ws/") {
        return Err(NoSocket::NotHere);
    }
    ws::verify_handshake(request.head()).map_err(NoSocket::NotAHandshake)?;
    let context = hub.context();
    if *context.draining.borrow() {
        return Err(NoSocket::Refused(Refusal::Draining));
    }
    let from = context.client(request.peer_addr().map(|peer| peer.ip()), request.headers());
    // An origin that is not even text is a foreign one.
    let origin = request.headers().get(header::ORIGIN).map(|value| value.to_str().unwrap_or("null"));
    let place = context.admission.admit(from, origin, context.steady()).map_err(NoSocket::Refused)?;
    // Nothing else is read of the URL, and its query is not: a token in it would be in the logs of whoever stands between.
    Ok(Visitor { place, origin: origin.map(Into::into), from, ticket: visitor::ticket(request.headers()) })
}
