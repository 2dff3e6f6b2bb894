//! One entry as bytes: different entries are different bytes. Every part of unknown length is preceded by its length, and
//! what is absent is told from what is empty, so that no text can move from one field to the next.

use std::net::IpAddr;

use sha2::{Digest as _, Sha256};

use super::Hash;
use crate::shared::audit::AuditEntry;

/// Names the layout; another one gets another name.
const LAYOUT: &[u8] = b"coinlink audit entry v1";

const ABSENT: u8 = 0;
const PRESENT: u8 = 1;

/// SHA-256 of [`encode`].
#[must_use]
pub fn entry_hash(entry: &AuditEntry) -> Hash {
    Sha256::digest(encode(entry)).into()
}

/// The entry's bytes, to the microsecond.
#[must_use]
pub fn encode(entry: &AuditEntry) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(256);
    bytes.extend_from_slice(LAYOUT);
    bytes.extend_from_slice(entry.id.as_bytes());
    bytes.extend_from_slice(&entry.at.unix_timestamp_nanos().div_euclid(1_000).to_be_bytes());
    match entry.user {
        None => bytes.push(ABSENT),
        Some(user) => {
            bytes.push(PRESENT);
            bytes.extend_from_slice(user.as_bytes());
        }
    }
    text(&mut bytes, &entry.action);
    text(&mut bytes, &entry.resource_type);
    optional(&mut bytes, entry.resource_id.as_deref());
    match entry.ip {
        None => bytes.push(ABSENT),
        Some(IpAddr::V4(ip)) => {
            bytes.push(4);
            bytes.extend_from_slice(&ip.octets());
        }
        Some(IpAddr::V6(ip)) => {
            bytes.push(6);
            bytes.extend_from_slice(&ip.octets());
        }
    }
    optional(&mut bytes, entry.user_agent.as_deref());
    length(&mut bytes, entry.details.len());
    for (name, value) in &entry.details {
        text(&mut bytes, name);
        text(&mut bytes, value);
    }
    text(&mut bytes, entry.status.name());
    bytes
}

fn optional(bytes: &mut Vec<u8>, value: Option<&str>) {
    match value {
        None => bytes.push(ABSENT),
        Some(value) => {
            bytes.push(PRESENT);
            text(bytes, value);
        }
    }
}

fn text(bytes: &mut Vec<u8>, value: &str) {
    length(bytes, value.len());
    bytes.extend_from_slice(value.as_bytes());
}

fn length(bytes: &mut Vec<u8>, length: usize) {
    bytes.extend_from_slice(&(length as u64).to_be_bytes());
}

#[cfg(test)]
mod tests {
    use std::{borrow::Cow, collections::BTreeMap};

    use super::*;
    use crate::shared::audit::AuditStatus;
    use proptest::prelude::*;
    use time::{Duration, OffsetDateTime, macros::datetime};
    use uuid::Uuid;

    /// Few and short values, so that two entries often differ in one place only.
    fn any_entry() -> impl Strategy<Value = AuditEntry> {
        let text = || "[ab\u{e9}]{0,2}";
        let maybe = || prop::option::of(text());
        let ip = prop_oneof![
            Just(None),
            any::<[u8; 4]>().prop_map(|ip| Some(ip.into())),
            any::<[u8; 16]>().prop_map(|ip| Some(ip.into()))
        ];
        let who = (0..2_u128, -2..2_i64, prop::option::of(0..2_u128), text(), text());
        let what = (maybe(), ip, maybe(), prop::collection::btree_map(text(), text(), 0..3), 0..3_usize);
        (who, what).prop_map(|((id, at, user, action, resource_type), (resource_id, ip, user_agent, details, status))| {
            AuditEntry {
                id: Uuid::from_u128(id),
                at: OffsetDateTime::UNIX_EPOCH + Duration::microseconds(at),
                user: user.map(Uuid::from_u128),
                action: action.into(),
                resource_type: resource_type.into(),
                resource_id,
                ip,
                user_agent,
                details: details.into_iter().map(|(name, value)| (Cow::Owned(name), value)).collect(),
                status: [AuditStatus::Success, AuditStatus::Failure, AuditStatus::Denied][status],
            }
        })
    }

    /// Two neighbours replaced are where text could move from one to the next.
    fn replace_field(entry: &mut AuditEntry, of: &AuditEntry, field: usize) {
        let of = of.clone();
        match field {
            0 => entry.id = of.id,
            1 => entry.at = of.at,
            2 => entry.user = of.user,
            3 => entry.action = of.action,
            4 => entry.resource_type = of.resource_type,
            5 => entry.resource_id = of.resource_id,
            6 => entry.ip = of.ip,
            7 => entry.user_agent = of.user_agent,
            8 => entry.details = of.details,
            _ => entry.status = of.status,
        }
    }

    fn sample() -> AuditEntry {
        AuditEntry::new(Uuid::from_u128(1), datetime!(2026-01-01 0:00:00.123456 UTC), "auth.sign_in", "session")
            .by(Uuid::from_u128(2))
            .on("s1")
            .from("203.0.113.7".parse().ok(), Some("curl/8"))
            .detail("reason", "wrong_password")
            .ended(AuditStatus::Failure)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn entries_are_the_same_bytes_only_where_they_are_the_same(one in any_entry(), fields in any_entry(), at in 0..10_usize) {
            let mut other = one.clone();
            replace_field(&mut other, &fields, at);
            replace_field(&mut other, &fields, at + 1);
            prop_assert_eq!(encode(&one) == encode(&other), one == other);
        }
    }

    #[test]
    fn each_field_alone_changes_the_hash() {
        let change = |change: fn(&mut AuditEntry)| {
            let mut entry = sample();
            change(&mut entry);
            entry_hash(&entry)
        };
        let hashes = [
            change(|_| {}),
            change(|entry| entry.id = Uuid::nil()),
            change(|entry| entry.at += Duration::MICROSECOND),
            change(|entry| entry.user = None),
            change(|entry| entry.user = Some(Uuid::nil())),
            change(|entry| entry.action = "auth.sign_out".into()),
            change(|entry| entry.resource_type = "user".into()),
            change(|entry| entry.resource_id = None),
            change(|entry| entry.resource_id = Some(String::new())),
            change(|entry| entry.ip = None),
            change(|entry| entry.ip = "::ffff:203.0.113.7".parse().ok()),
            change(|entry| entry.user_agent = None),
            change(|entry| entry.user_agent = Some(String::new())),
            change(|entry| entry.details = BTreeMap::new()),
            change(|entry| drop(entry.details.insert("reason".into(), String::new()))),
            change(|entry| drop(entry.details.insert("more".into(), String::new()))),
            change(|entry| entry.status = AuditStatus::Denied),
        ];
        let distinct: std::collections::HashSet<_> = hashes.iter().collect();
        assert_eq!(distinct.len(), hashes.len());
    }

    #[test]
    fn text_that_moves_to_the_next_field_is_another_entry() {
        let of = |action: &'static str, resource: &'static str| {
            AuditEntry::new(Uuid::nil(), OffsetDateTime::UNIX_EPOCH, action, resource)
        };
        assert_ne!(encode(&of("ab", "c")), encode(&of("a", "bc")));
    }

    /// What was sealed once must verify for ever: the layout may not change unnoticed.
    #[test]
    fn the_hash_of_a_known_entry_never_changes() {
        let known = uuid::uuid!("64ff8491-d263-545e-6b65-59f5d1ccdd37").into_bytes();
        assert_eq!(entry_hash(&sample())[..16], known);
    }
}
