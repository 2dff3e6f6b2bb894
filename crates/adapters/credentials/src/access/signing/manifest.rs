//! Which keys there are, and when each signs: `keys.json`.

use coinlink_domain::identity::signing_keys::KeyPeriod;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::key::{KeyAlgorithm, is_key_id};

/// More are not added: they retire. A list that has them is read all the same, or nobody could take one away.
const MAX_KEYS: usize = 64;
/// Names of keys that were taken away. The oldest ones make room.
const MAX_REVOKED: usize = 64;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    version: u8,
    /// In the order they were made.
    pub(super) keys: Vec<Listed>,
    /// Those that were taken away, in that order. Their files are gone; `retires_at` is when the last token of theirs expires.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) revoked: Vec<Listed>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Listed {
    pub(super) kid: String,
    pub(super) alg: KeyAlgorithm,
    #[serde(with = "time::serde::rfc3339")]
    pub(super) created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    pub(super) signs_from: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option", default, skip_serializing_if = "Option::is_none")]
    pub(super) retires_at: Option<OffsetDateTime>,
}

impl Manifest {
    pub(super) const fn of(keys: Vec<Listed>) -> Self {
        Self { version: 1, keys, revoked: Vec::new() }
    }

    pub(super) fn read(bytes: &[u8]) -> Result<Self, String> {
        let manifest: Self = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        let keys = &manifest.keys;
        if manifest.version != 1 {
            return Err(format!("version {} is not known here", manifest.version));
        }
        if keys.is_empty() {
            return Err("it lists no key".into());
        }
        let all: Vec<_> = keys.iter().chain(&manifest.revoked).collect();
        for (at, key) in all.iter().enumerate() {
            // It becomes the name of a file.
            if !is_key_id(&key.kid) {
                return Err("a kid is not 32 hex digits".into());
            }
            if all[..at].iter().any(|other| other.kid == key.kid) {
                return Err(format!("{} stands twice", key.kid));
            }
        }
        Ok(manifest)
    }

    pub(super) fn write(&self) -> Result<Vec<u8>, String> {
        let mut text = serde_json::to_vec_pretty(self).map_err(|error| error.to_string())?;
        text.push(b'\n');
        Ok(text)
    }

    pub(super) fn periods(&self) -> Vec<KeyPeriod> {
        self.keys.iter().map(|key| KeyPeriod { signs_from: key.signs_from, retires_at: key.retires_at }).collect()
    }

    /// Remembers the name of a key that was taken away until the last token it signed has expired.
    pub(super) fn revoke(&mut self, key: Listed, until: OffsetDateTime) {
        let too_many = (self.revoked.len() + 1).saturating_sub(MAX_REVOKED);
        self.revoked.drain(..too_many);
        self.revoked.push(Listed { retires_at: Some(until), ..key });
    }

    /// Takes out the keys that retired by then, and the names of revoked ones of which that is so; gives their names.
    pub(super) fn drop_retired(&mut self, by: OffsetDateTime) -> Vec<String> {
        let is_retired = |key: &Listed| key.retires_at.is_some_and(|at| at <= by);
        let all = self.keys.iter().chain(&self.revoked);
        let gone = all.filter(|key| is_retired(key)).map(|key| key.kid.clone()).collect();
        self.keys.retain(|key| !is_retired(key));
        self.revoked.retain(|key| !is_retired(key));
        gone
    }

    /// Takes out keys that have retired, the earliest first, until another one may be added; gives their names, or how many there
    /// are if none of those left can go.
    pub(super) fn make_room(&mut self, now: OffsetDateTime) -> Result<Vec<String>, usize> {
        let mut gone = Vec::new();
        while self.keys.len() >= MAX_KEYS {
            let ends = self.keys.iter().enumerate().filter_map(|(at, key)| Some((key.retires_at?, at)));
            match ends.min() {
                Some((end, at)) if end <= now => gone.push(self.keys.remove(at).kid),
                _ => return Err(self.keys.len()),
            }
        }
        Ok(gone)
    }

    /// Sets when each key signs; `periods` are as many, in the same order.
    pub(super) fn set(&mut self, periods: &[KeyPeriod]) {
        for (key, period) in self.keys.iter_mut().zip(periods) {
            (key.signs_from, key.retires_at) = (period.signs_from, period.retires_at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(kid: &str) -> String {
        format!(r#"{{"kid":"{kid}","alg":"EdDSA","created_at":"2026-01-01T00:00:00Z","signs_from":"2026-01-01T00:10:00Z"}}"#)
    }

    #[test]
    fn names_that_are_no_plain_file_names_and_lists_that_make_no_sense_are_refused() {
        let (one, two) = ("1".repeat(32), "2".repeat(32));
        let manifest = |version: u8, keys: &[&str]| {
            let keys: Vec<_> = keys.iter().map(|kid| key(kid)).collect();
            Manifest::read(format!(r#"{{"version":{version},"keys":[{}]}}"#, keys.join(",")).as_bytes()).map(|it| it.keys.len())
        };
        assert_eq!(manifest(1, &[&one, &two]), Ok(2));
        assert!(manifest(2, &[&one]).is_err() && manifest(1, &[]).is_err() && manifest(1, &[&one, &one]).is_err());
        for bad in ["", "../../../../etc/passwd", &"A".repeat(32), &"1".repeat(31), "1/2"] {
            assert!(manifest(1, &[bad]).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_key_is_revoked_or_not_and_the_oldest_names_make_room() {
        let (one, two) = (key(&"1".repeat(32)), key(&"2".repeat(32)));
        let read = |revoked: &str| Manifest::read(format!(r#"{{"version":1,"keys":[{one}],"revoked":[{revoked}]}}"#).as_bytes());
        assert!(read(&one).is_err() && read(&format!("{two},{two}")).is_err() && read(&key("..")).is_err());
        let mut manifest = read(&two).unwrap();
        for n in 0..200_u32 {
            let gone = Listed { kid: format!("{n:032x}"), ..manifest.keys[0].clone() };
            manifest.revoke(gone, OffsetDateTime::UNIX_EPOCH);
        }
        let again = Manifest::read(&manifest.write().unwrap()).unwrap();
        assert_eq!((again.revoked.len(), &*again.revoked[63].kid), (MAX_REVOKED, &*format!("{:032x}", 199)));
    }

    #[test]
    fn what_was_written_is_read_again() {
        let text = format!(r#"{{"version":1,"keys":[{}]}}"#, key(&"1".repeat(32)));
        let manifest = Manifest::read(text.as_bytes()).unwrap();
        assert_eq!(manifest.periods()[0].retires_at, None);
        let again = Manifest::read(&manifest.write().unwrap()).unwrap();
        assert_eq!(again.periods(), manifest.periods());
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in any::<Vec<u8>>(), keys in "[\\[\\]{}\":,a-z0-9]{0,60}") {
            let _ = Manifest::read(&bytes);
            let _ = Manifest::read(format!(r#"{{"version":1,"keys":{keys}}}"#).as_bytes());
        }
    }
}
