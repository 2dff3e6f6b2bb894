//! Whose request it is, behind proxies.

use std::{
    net::{IpAddr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

use actix_web::http::header::{self, HeaderMap, HeaderName};
use ipnet::IpNet;

use crate::config::{self, ForwardedHeader};

/// Whose word on the client's address is taken, and where it stands. Cheap to clone.
#[derive(Debug, Clone)]
pub struct TrustedProxies {
    /// Where they call from.
    pub networks: Arc<[IpNet]>,
    /// What they write. The other header is the client's own word, which proxies pass on.
    pub header: ForwardedHeader,
}

impl TrustedProxies {
    /// As the settings have it.
    pub fn of(settings: &config::Server) -> Self {
        Self { networks: settings.trusted_proxies.as_slice().into(), header: settings.forwarded_header }
    }

    fn contain(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(&address))
    }
}

/// The client's address as limiters count it: an IPv6 client is its /64, since a home has that many addresses.
///
/// A header counts only when the peer is one of `trusted`, and only the one they write. It is then read from the right, where
/// our own proxies write, to the first address that is not trusted; what a client wrote further left is never looked at.
/// A malformed entry on the way leaves the peer.
pub fn client_ip(peer: IpAddr, headers: &HeaderMap, trusted: &TrustedProxies) -> IpAddr {
    counted_address(client_address(peer, headers, trusted))
}

/// The client's whole address, found as [`client_ip`] finds it.
pub(super) fn client_address(peer: IpAddr, headers: &HeaderMap, trusted: &TrustedProxies) -> IpAddr {
    let peer = peer.to_canonical();
    if trusted.contain(peer) { forwarded(headers, trusted).unwrap_or(peer) } else { peer }
}

/// An address as limiters count it.
pub(super) fn counted_address(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
        IpAddr::V4(_) => address,
    }
}

fn forwarded(headers: &HeaderMap, trusted: &TrustedProxies) -> Option<IpAddr> {
    match trusted.header {
        ForwardedHeader::XForwardedFor => walk(headers, &header::X_FORWARDED_FOR, address, trusted),
        ForwardedHeader::Forwarded => walk(headers, &header::FORWARDED, forwarded_entry, trusted),
    }
}

/// Whom the header names; nobody when it is not there or malformed.
fn walk(
    headers: &HeaderMap,
    name: &HeaderName,
    entry: impl Fn(&str) -> Option<IpAddr>,
    trusted: &TrustedProxies,
) -> Option<IpAddr> {
    let mut reached = None;
    for line in headers.get_all(name).collect::<Vec<_>>().into_iter().rev() {
        for part in line.to_str().ok()?.rsplit(',') {
            let address = entry(part.trim())?;
            reached = Some(address);
            if !trusted.contain(address) {
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
    use actix_web::http::header::HeaderValue;
    use proptest::prelude::*;

    const PROXY: &str = "10.0.0.1";
    const XFF: ForwardedHeader = ForwardedHeader::XForwardedFor;
    const FORWARDED: ForwardedHeader = ForwardedHeader::Forwarded;

    /// How a client is counted when proxies write `header`.
    fn key(header: ForwardedHeader, peer: &str, lines: &[(&'static str, &str)]) -> String {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(HeaderName::from_static(name), HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        let networks = ["10.0.0.0/8", "fd00::/8"].map(|net| net.parse().unwrap()).into();
        client_ip(peer.parse().unwrap(), &headers, &TrustedProxies { networks, header }).to_string()
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
            assert_eq!(key(XFF, peer, &[("x-forwarded-for", xff)]), expected, "{peer} {xff}");
        }
        assert_eq!(key(XFF, PROXY, &[]), PROXY);
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
            assert_eq!(key(FORWARDED, PROXY, &[("forwarded", forwarded)]), expected, "{forwarded}");
        }
    }

    #[test]
    fn later_lines_are_further_right() {
        let spoofed_first = [("x-forwarded-for", "1.1.1.1"), ("x-forwarded-for", "203.0.113.7")];
        assert_eq!(key(XFF, PROXY, &spoofed_first), "203.0.113.7");
        let spoofed_first = [("forwarded", "for=1.1.1.1"), ("forwarded", "for=203.0.113.7")];
        assert_eq!(key(FORWARDED, PROXY, &spoofed_first), "203.0.113.7");
    }

    #[test]
    fn the_header_that_proxies_do_not_write_changes_nothing() {
        let xff = ("x-forwarded-for", "203.0.113.7");
        for other in ["for=9.9.9.9", "for=203.0.113.7", "for=10.0.0.2", "for=_hidden", "", ","] {
            assert_eq!(key(XFF, PROXY, &[xff, ("forwarded", other)]), "203.0.113.7", "{other}");
            assert_eq!(key(XFF, PROXY, &[("forwarded", other)]), PROXY, "{other}");
        }
        let forwarded = ("forwarded", "for=203.0.113.7");
        for other in ["9.9.9.9", "203.0.113.7", "10.0.0.2", "unknown", "", ","] {
            assert_eq!(key(FORWARDED, PROXY, &[forwarded, ("x-forwarded-for", other)]), "203.0.113.7", "{other}");
            assert_eq!(key(FORWARDED, PROXY, &[("x-forwarded-for", other)]), PROXY, "{other}");
        }
    }

    /// What a client may write: anything, and more often than chance has it, addresses.
    fn spoofed() -> impl Strategy<Value = String> {
        prop_oneof![
            "[ -~]{0,60}",
            any::<IpAddr>().prop_map(|ip| ip.to_string()),
            any::<IpAddr>().prop_map(|ip| format!("for=\"[{ip}]\""))
        ]
    }

    proptest! {
        #[test]
        fn what_a_client_writes_never_changes_the_key(before in spoofed(), other in spoofed()) {
            let xff = format!("{before}, 203.0.113.7");
            let forwarded = format!("{before}, for=203.0.113.7");
            prop_assert_eq!(key(XFF, PROXY, &[("x-forwarded-for", &xff), ("forwarded", &other)]), "203.0.113.7");
            prop_assert_eq!(key(FORWARDED, PROXY, &[("forwarded", &forwarded), ("x-forwarded-for", &other)]), "203.0.113.7");
            for header in [XFF, FORWARDED] {
                let lines = [("x-forwarded-for", before.as_str()), ("forwarded", &other)];
                prop_assert_eq!(key(header, "198.51.100.1", &lines), "198.51.100.1");
            }
        }

        #[test]
        fn no_header_panics(xff in "[ -~]{0,60}", forwarded in "[ -~]{0,60}") {
            key(XFF, PROXY, &[("x-forwarded-for", &xff)]);
            key(FORWARDED, PROXY, &[("forwarded", &forwarded)]);
        }
    }
}
