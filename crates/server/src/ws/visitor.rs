//! Who opened a socket, as far as the handshake says.

use std::net::IpAddr;

use actix_http::header::{self, HeaderMap};

use super::Place;

/// The subprotocol that is spoken here. Browsers that offer a ticket offer it as well, for one of what they offer has to be chosen.
pub const SUBPROTOCOL: &str = "coinlink.v1";
/// A subprotocol that begins so carries a ticket; it is never chosen, so that it is not repeated.
const TICKET: &str = "coinlink.ticket.";

/// What is kept of a handshake.
pub(super) struct Visitor {
    /// Its place among the node's sockets.
    pub(super) place: Place,
    /// The page's origin: tickets are bound to it.
    pub(super) origin: Option<Box<str>>,
    /// The address that limits count.
    pub(super) from: IpAddr,
    /// A ticket among the subprotocols.
    pub(super) ticket: Option<String>,
}

fn offered(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let lines = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim)
}

/// Whether our subprotocol is among those offered.
pub fn offers_ours(headers: &HeaderMap) -> bool {
    offered(headers).any(|name| name == SUBPROTOCOL)
}

pub(super) fn ticket(headers: &HeaderMap) -> Option<String> {
    offered(headers).find_map(|name| name.strip_prefix(TICKET)).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_http::header::HeaderValue;
    use proptest::prelude::*;

    fn headers(lines: &[&[u8]]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_bytes(line).unwrap());
        }
        headers
    }

    #[test]
    fn a_ticket_is_found_among_subprotocols_and_ours_is_the_one_that_is_spoken() {
        let both = headers(&[b"coinlink.v1, coinlink.ticket.abc"]);
        assert_eq!((offers_ours(&both), ticket(&both).as_deref()), (true, Some("abc")));
        let apart = headers(&[b"coinlink.ticket.abc", b"json,coinlink.v1"]);
        assert_eq!((offers_ours(&apart), ticket(&apart).as_deref()), (true, Some("abc")));
        let none = headers(&[b"json", b"coinlink.v2"]);
        assert_eq!((offers_ours(&none), ticket(&none)), (false, None));
        assert_eq!(ticket(&headers(&[])), None);
    }

    proptest! {
        #[test]
        fn no_header_panics(line in prop::collection::vec(0x20..=0xff_u8, 0..80)) {
            if let Ok(value) = HeaderValue::from_bytes(&line) {
                let headers = headers(&[value.as_bytes()]);
                let _ = (offers_ours(&headers), ticket(&headers));
            }
        }
    }
}
