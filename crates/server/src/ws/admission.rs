//! Who may open a socket: an origin we know, not too often from one address, and not more than this node bears.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

use coinlink_domain::shared::token_bucket::{BucketPolicy, TokenBucket};
use time::{Duration, OffsetDateTime};

use super::connections::{Connections, Place};
use crate::http::Origins;

/// What a node bears.
#[derive(Debug, Clone)]
pub struct AdmissionPolicy {
    /// Open sockets on this node.
    pub max_connections: usize,
    /// Handshakes per client address.
    pub handshakes: BucketPolicy,
    /// Whose pages are let in.
    pub origins: Origins,
}

/// Why a handshake is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// 403: a page of another origin.
    Origin,
    /// 429: too many handshakes from this address.
    TooMany {
        /// When the next one is let in.
        retry_after: Duration,
    },
    /// 503: this node is full.
    Full,
    /// 503: this node is going away.
    Draining,
}

/// Addresses remembered before those with full buckets are forgotten.
const SWEEP_AT: usize = 10_000;

/// Judges handshakes for the whole node.
#[derive(Debug)]
pub struct Admission {
    policy: AdmissionPolicy,
    connections: Connections,
    buckets: Mutex<HashMap<IpAddr, TokenBucket>>,
}

impl Admission {
    /// Judges by `policy` and counts in `connections`.
    pub fn new(policy: AdmissionPolicy, connections: Connections) -> Self {
        Self { policy, connections, buckets: Mutex::default() }
    }

    /// Lets a handshake in, or says why not. `client` is the limiter's key: an IPv6 address is its /64.
    pub(super) fn admit(&self, client: IpAddr, origin: Option<&str>, now: OffsetDateTime) -> Result<Place, Refusal> {
        if !origin.is_none_or(|origin| self.policy.origins.know(origin)) {
            return Err(Refusal::Origin);
        }
        self.charge(client, now)?;
        self.connections.take_place(self.policy.max_connections).ok_or(Refusal::Full)
    }

    fn charge(&self, client: IpAddr, now: OffsetDateTime) -> Result<(), Refusal> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= SWEEP_AT {
            buckets.retain(|_, bucket| !bucket.is_full(now));
        }
        let bucket = buckets.entry(client).or_insert_with(|| TokenBucket::full(now));
        bucket.take(now, self.policy.handshakes).map_err(|retry_after| Refusal::TooMany { retry_after })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    const NOW: OffsetDateTime = datetime!(2026-01-01 0:00 UTC);
    const CLIENT: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn admission(max_connections: usize) -> Admission {
        let handshakes = BucketPolicy { burst: 3, refill: Duration::SECOND };
        let origins = Origins::exactly(["https://app.example".to_owned()]);
        Admission::new(AdmissionPolicy { max_connections, handshakes, origins }, Connections::default())
    }

    fn refused(admission: &Admission, origin: Option<&str>) -> Option<Refusal> {
        admission.admit(CLIENT, origin, NOW).err()
    }

    #[test]
    fn foreign_pages_stay_out_and_programs_without_an_origin_do_not() {
        let refused = |origin| refused(&admission(10), origin);
        assert_eq!(refused(None), None);
        assert_eq!(refused(Some("https://app.example")), None);
        for origin in [
            "https://evil.example",
            "https://app.example.evil.example",
            "http://app.example",
            "https://app.example:8443",
            "http://localhost:8000",
            "null",
            "",
            "https://APP.example/",
        ] {
            assert_eq!(refused(Some(origin)), Some(Refusal::Origin), "{origin}");
        }
    }

    #[test]
    fn a_full_node_lets_in_the_next_one_when_one_leaves() {
        let admission = admission(1);
        let first = admission.admit(CLIENT, None, NOW).unwrap();
        assert_eq!(refused(&admission, None), Some(Refusal::Full));
        assert_eq!(admission.connections.counts().total, 1, "a refused one is not counted");
        drop(first);
        assert_eq!(refused(&admission, None), None);
        assert_eq!(admission.connections.counts().total, 0);
    }

    #[test]
    fn handshakes_from_one_address_are_paced_and_others_unaffected() {
        let admission = admission(10);
        for _ in 0..3 {
            assert_eq!(refused(&admission, None), None);
        }
        assert_eq!(refused(&admission, None), Some(Refusal::TooMany { retry_after: Duration::SECOND }));
        assert!(admission.admit(IpAddr::from([10, 0, 0, 1]), None, NOW).is_ok());
    }
}
