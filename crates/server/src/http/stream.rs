//! `GET /api/stream/ticker`: the ticker as server-sent events, for clients without WebSocket.

use std::{sync::Arc, time::Duration};

use actix_web::{
    HttpRequest, HttpResponse,
    http::{Method, header},
    web::{Bytes, Data},
};
use coinlink_domain::market::{Resumption, TickId};
use futures_util::{Stream, stream};
use tokio::sync::watch;

use super::{ApiError, handshake};
use crate::{
    broadcast::{Broadcaster, Published},
    ws::{Context, NoSocket},
};

/// Proxies cut quiet connections; a comment keeps this one open while no tick comes.
const KEEP_ALIVE: Duration = Duration::from_secs(20);
/// How long a browser waits before it reconnects, told in the first bytes.
const PREAMBLE: &[u8] = b"retry: 3000\n\n";

/// Ticker frames as events: `id` is `epoch-seq`; with `Last-Event-ID`, what was missed comes first if it is still known.
/// A slow reader skips to the newest.
#[utoipa::path(
    get,
    path = "/api/stream/ticker",
    tag = "market",
    params(("Last-Event-ID" = Option<String>, Header, description = "`epoch-seq` of the last event received")),
    responses((status = 200, description = "An endless stream of `crypto_ticker_update` events", content_type = "text/event-stream"))
)]
pub(super) async fn ticker_events(
    request: HttpRequest,
    broadcaster: Data<Broadcaster>,
    sockets: Option<Data<Context>>,
) -> Result<HttpResponse, ApiError> {
    if request.method() == Method::HEAD {
        // A stream that nobody reads would never end, and hold the connection's next request up.
        return Ok(events_in(stream::empty()));
    }
    let last = request.headers().get("last-event-id").and_then(|id| id.to_str().ok()).and_then(parse_id);
    let mut place = None;
    let mut draining = None;
    if let Some(sockets) = sockets {
        let peer = request.peer_addr().map(|peer| peer.ip());
        let admitted = sockets.admit_reader(peer, request.headers());
        place = Some(admitted.map_err(|refusal| handshake::error_of(&NoSocket::Refused(refusal)))?);
        draining = Some(sockets.draining.clone());
    }
    // Watched first, read second: a tick in between comes twice rather than never.
    let showings = broadcaster.watch();
    let first = first_bytes(&broadcaster, last);
    let events =
        stream::unfold((Some(first), showings, draining, place), |(first, mut showings, mut draining, place)| async move {
            let bytes = match first {
                Some(first) => first,
                None => next_bytes(&mut showings, draining.as_mut()).await?,
            };
            Some((Ok::<_, actix_web::Error>(bytes), (None, showings, draining, place)))
        });
    Ok(events_in(events))
}

fn events_in(events: impl Stream<Item = Result<Bytes, actix_web::Error>> + 'static) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header((header::CACHE_CONTROL, "no-store"))
        // Proxies that buffer would hold events back.
        .insert_header(("X-Accel-Buffering", "no"))
        // A compressor would too.
        .insert_header((header::CONTENT_ENCODING, "identity"))
        .streaming(events)
}

fn first_bytes(broadcaster: &Broadcaster, last: Option<TickId>) -> Bytes {
    let mut bytes = PREAMBLE.to_vec();
    match last.map(|last| broadcaster.resume(last)) {
        Some(Resumption::Recovered(missed)) => {
            for tick in missed {
                bytes.extend_from_slice(&broadcaster.event_of(&tick));
            }
        }
        Some(Resumption::Lost(_)) | None => bytes.extend_from_slice(&broadcaster.current().event),
    }
    bytes.into()
}

/// `None` ends the stream: the node goes away.
async fn next_bytes(
    showings: &mut watch::Receiver<Arc<Published>>,
    draining: Option<&mut watch::Receiver<bool>>,
) -> Option<Bytes> {
    let leaves = async {
        match draining {
            // A sender that is gone has left as well.
            Some(draining) => drop(draining.wait_for(|draining| *draining).await),
            None => std::future::pending().await,
        }
    };
    let changed = tokio::select! {
        changed = tokio::time::timeout(KEEP_ALIVE, showings.changed()) => changed,
        () = leaves => return None,
    };
    match changed {
        Ok(Ok(())) => Some(showings.borrow_and_update().event.clone()),
        Ok(Err(_)) => None,
        Err(_) => Some(Bytes::from_static(b": quiet\n\n")),
    }
}

fn parse_id(text: &str) -> Option<TickId> {
    let (epoch, seq) = text.trim().split_once('-')?;
    Some(TickId { epoch: epoch.parse().ok()?, seq: seq.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_event_id_leads_back_to_its_tick(epoch: u64, seq: u64) {
            prop_assert_eq!(parse_id(&format!("{epoch}-{seq}")), Some(TickId { epoch, seq }));
        }

        #[test]
        fn no_header_panics_it(text in ".{0,60}") {
            let _ = parse_id(&text);
        }
    }
}
