//! Behind a proxy that is not trusted, everybody looks like the proxy and shares its limits. Told once, at the start.

use std::{
    net::IpAddr,
    sync::{
        OnceLock,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};

use actix_web::http::header::{self, HeaderMap};

/// Requests from one peer after which it is no accident.
const ENOUGH: u32 = 1_000;

/// Watches whether all requests come from one private address.
#[derive(Debug, Default)]
pub(super) struct LonePeer {
    first: OnceLock<IpAddr>,
    seen: AtomicU32,
    settled: AtomicBool,
}

impl LonePeer {
    /// There is nothing to watch for where proxies are trusted.
    pub(super) fn watching(watching: bool) -> Self {
        Self { settled: AtomicBool::new(!watching), ..Self::default() }
    }

    /// Notes one request, and warns when it is the one that settles it.
    pub(super) fn note(&self, peer: IpAddr, headers: &HeaderMap) {
        if let Some(peer) = self.told_by(peer, headers) {
            tracing::warn!(%peer, "all traffic comes from {peer}: set TRUSTED_PROXIES, or all clients share one rate limit");
        }
    }

    fn told_by(&self, peer: IpAddr, headers: &HeaderMap) -> Option<IpAddr> {
        if self.settled.load(Ordering::Relaxed) {
            return None;
        }
        let peer = peer.to_canonical();
        let forwarded = || headers.contains_key(header::X_FORWARDED_FOR) || headers.contains_key(header::FORWARDED);
        // A developer's own browser calls from here as well, but forwards nothing.
        let proxy = if peer.is_loopback() { forwarded() } else { is_private(peer) };
        if !proxy || *self.first.get_or_init(|| peer) != peer {
            self.settled.store(true, Ordering::Relaxed);
            return None;
        }
        let more = self.seen.fetch_add(1, Ordering::Relaxed) >= ENOUGH;
        (more && !self.settled.swap(true, Ordering::Relaxed)).then_some(peer)
    }
}

/// Addresses that no client on the Internet has: RFC 1918, link-local, shared (RFC 6598, as hosting platforms use it), and
/// IPv6's unique local ones.
fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let shared = v4.octets()[0] == 100 && v4.octets()[1] & 0xc0 == 64;
            v4.is_private() || v4.is_link_local() || shared
        }
        IpAddr::V6(v6) => v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;

    /// After how many requests it is told, of 3,000 from `peer`.
    fn told(watch: &LonePeer, peer: &str, headers: &HeaderMap) -> Vec<u32> {
        let peer = peer.parse().unwrap();
        (1..=3_000).filter(|_| watch.told_by(peer, headers).is_some()).collect()
    }

    #[test]
    fn a_proxy_that_is_not_trusted_is_told_of_once() {
        for peer in ["10.0.0.1", "172.16.3.4", "192.168.1.1", "100.64.0.7", "fd00::1", "fe80::1", "::ffff:10.0.0.1"] {
            assert_eq!(told(&LonePeer::watching(true), peer, &HeaderMap::new()), [1_001], "{peer}");
        }
        let mut forwarded = HeaderMap::new();
        forwarded.insert(header::X_FORWARDED_FOR, HeaderValue::from_static("203.0.113.7"));
        assert_eq!(told(&LonePeer::watching(true), "127.0.0.1", &forwarded), [1_001]);
    }

    #[test]
    fn clients_a_trusted_proxy_and_a_developer_are_not() {
        for peer in ["203.0.113.7", "2001:db8::1", "127.0.0.1", "::1", "100.128.0.1"] {
            assert!(told(&LonePeer::watching(true), peer, &HeaderMap::new()).is_empty(), "{peer}");
        }
        assert!(told(&LonePeer::watching(false), "10.0.0.1", &HeaderMap::new()).is_empty());
    }

    #[test]
    fn two_peers_are_not_all_traffic_from_one() {
        let watch = LonePeer::watching(true);
        for peer in ["10.0.0.1", "10.0.0.2", "10.0.0.1"] {
            assert!(told(&watch, peer, &HeaderMap::new()).len() <= usize::from(peer == "10.0.0.1"));
        }
        let watch = LonePeer::watching(true);
        assert_eq!(watch.told_by("10.0.0.1".parse().unwrap(), &HeaderMap::new()), None);
        assert_eq!(watch.told_by("10.0.0.2".parse().unwrap(), &HeaderMap::new()), None);
        assert!(told(&watch, "10.0.0.1", &HeaderMap::new()).is_empty());
    }
}
