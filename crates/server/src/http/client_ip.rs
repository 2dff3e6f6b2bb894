//! Whose request it is, behind proxies.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use actix_web::http::header::{self, HeaderMap};
use ipnet::IpNet;

/// The client's address as limiters count it: an IPv6 client is its /64, since a home has that many addresses.
///
/// Headers count only when the peer is one of `trusted`. `X-Forwarded-For` or `Forwarded` (RFC 7239) is then read from the
/// right, where our own proxies write, to the first address that is not trusted; what a client wrote further left is never
/// looked at. A malformed entry on the way, or two headers that disagree, leave the peer.
pub fn client_ip(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let peer = peer.to_canonical();
    let client = if is_trusted(peer, trusted) { forwarded(headers, trusted).unwrap_or(peer) } else { peer };
    match client {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
        IpAddr::V4(_) => client,
    }
}

fn is_trusted(address: IpAddr, trusted: &[IpNet]) -> bool {
    trusted.iter().any(|net| net.contains(&address))
}

fn forwarded(headers: &HeaderMap, trusted: &[IpNet]) -> Option<IpAddr> {
    let x_forwarded_for = walk(headers, &header::X_FORWARDED_FOR, address, trusted);
    let forwarded = walk(headers, &header::FORWARDED, forwarded_entry, trusted);
    match (x_forwarded_for, forwarded) {
        (Walk::NoHeader, Walk::Client(client)) | (Walk::Client(client), Walk::NoHeader) => Some(client),
        (Walk::Client(a), Walk::Client(b)) if a == b => Some(a),
        _ => None,
    }
}

/// What one header says.
enum Walk {
    NoHeader,
    Malformed,
    Client(IpAddr),
}

fn walk(headers: &HeaderMap, name: &header::HeaderName, entry: impl Fn(&str) -> Option<IpAddr>, trusted: &[IpNet]) -> Walk {
    let mut reached = Walk::NoHeader;
    for line in headers.get_all(name).collect::<Vec<_>>().into_iter().rev() {
        let Ok(line) = line.to_str() else { return Walk::Malformed };
        for part in line.rsplit(',') {
            let Some(address) = entry(part.trim()) else { return Walk::Malformed };
            reached = Walk::Client(address);
            if !is_trusted(address, trusted) {
                return reached;
            }
        }
    }
    reached
}

/// The `for` of one element: `by=…;for="[2001:db8::1]:4711";proto=https`.
fn forwarded_entry(element: &str) -> Option<IpAddr> {
    let value = element.split(';').find_map(|pair| {
        let (name, value) = pair.trim().split_once('=')?;
        name.trim().eq_ignore_ascii_case("for").then_some(value.trim())
    })?;
    match value.strip_prefix('"') {
        Some(rest) => address(rest.strip_suffix('"')?),
        None => address(value),
    }
}

/// An address, perhaps with a port, perhaps in brackets; IPv4 in IPv6 is folded.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let parsed = bare.parse::<IpAddr>().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()))?;
    Some(parsed.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::{HeaderName, HeaderValue};
    use proptest::prelude::*;

    const PROXY: &str = "10.0.0.1";

    fn key(peer: &str, lines: &[(&'static str, &str)]) -> String {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(HeaderName::from_static(name), HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        let trusted = ["10.0.0.0/8", "fd00::/8"].map(|net| net.parse().unwrap());
        client_ip(peer.parse().unwrap(), &headers, &trusted).to_string()
    }

    #[test]
    fn the_first_untrusted_address_from_the_right_is_the_client() {
        for (peer, xff, expected) in [
            (PROXY, "203.0.113.7", "203.0.113.7"),
            (PROXY, "1.1.1.1, 203.0.113.7", "203.0.113.7"),
            (PROXY, "garbage, 203.0.113.7, 10.2.3.4", "203.0.113.7"),
            (PROXY, "203.0.113.7:5555", "203.0.113.7"),
            (PROXY, "10.9.9.9, 10.2.3.4", "10.9.9.9"),
            (PROXY, "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
            (PROXY, "[2001:db8:1:2:3:4:5:6]:443", "2001:db8:1:2::"),
            (PROXY, "::ffff:203.0.113.7", "203.0.113.7"),
            (PROXY, "203.0.113.7, unknown", PROXY),
            (PROXY, "", PROXY),
            (PROXY, "203.0.113.7, ", PROXY),
            ("fd00::1", "203.0.113.7", "203.0.113.7"),
            ("::ffff:10.0.0.1", "203.0.113.7", "203.0.113.7"),
            ("198.51.100.1", "203.0.113.7", "198.51.100.1"),
            ("2001:db8::5:6:7:8", "203.0.113.7", "2001:db8::"),
        ] {
            assert_eq!(key(peer, &[("x-forwarded-for", xff)]), expected, "{peer} {xff}");
        }
        assert_eq!(key(PROXY, &[]), PROXY);
    }

    #[test]
    fn the_standard_header_is_read_alike() {
        for (forwarded, expected) in [
            ("for=203.0.113.7;proto=https;by=10.0.0.1", "203.0.113.7"),
            ("for=1.1.1.1, For=\"[2001:db8:1:2:3:4:5:6]:4711\"", "2001:db8:1:2::"),
            ("for=_hidden", PROXY),
            ("for=\"203.0.113.7", PROXY),
            ("proto=https", PROXY),
        ] {
            assert_eq!(key(PROXY, &[("forwarded", forwarded)]), expected, "{forwarded}");
        }
    }

    #[test]
    fn later_lines_are_further_right_and_two_headers_must_agree() {
        assert_eq!(key(PROXY, &[("x-forwarded-for", "1.1.1.1"), ("x-forwarded-for", "203.0.113.7")]), "203.0.113.7");
        let xff = ("x-forwarded-for", "203.0.113.7");
        assert_eq!(key(PROXY, &[xff, ("forwarded", "for=203.0.113.7")]), "203.0.113.7");
        assert_eq!(key(PROXY, &[xff, ("forwarded", "for=9.9.9.9")]), PROXY);
    }

    proptest! {
        #[test]
        fn what_a_client_writes_first_never_changes_the_key(spoofed in "[ -~]{0,60}") {
            prop_assert_eq!(key(PROXY, &[("x-forwarded-for", &format!("{spoofed}, 203.0.113.7"))]), "203.0.113.7");
            prop_assert_eq!(key("198.51.100.1", &[("x-forwarded-for", &spoofed), ("forwarded", &spoofed)]), "198.51.100.1");
        }

        #[test]
        fn no_header_panics(xff in "[ -~]{0,60}", forwarded in "[ -~]{0,60}") {
            key(PROXY, &[("x-forwarded-for", &xff)]);
            key(PROXY, &[("forwarded", &forwarded)]);
        }
    }
}
