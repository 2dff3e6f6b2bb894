use std::{fmt, str::FromStr};

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use time::{
    OffsetDateTime, PrimitiveDateTime, UtcOffset, format_description::StaticFormatDescription, macros::format_description,
};
use zeroize::Zeroizing;

use super::{Hash, Head};

/// Of fixed width: the same moment is the same text.
const TIME: StaticFormatDescription = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]Z");

/// A chain is signed at its first seal, and then at the latest when this many were added.
pub const SIGN_AFTER: i64 = 1_000;

/// A signed statement that the chain had this hash at this place. Kept elsewhere, it proves later that nothing up to there was
/// changed or cut off. As text: `SEQ:HASH:MAC:TIME`, hash and mac as 64 hex digits each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which seal.
    pub seq: i64,
    /// Its [`super::Seal::chain_hash`].
    pub chain_hash: Hash,
    /// HMAC-SHA-256 over the others.
    pub mac: Hash,
    /// When it was signed, to the microsecond.
    pub at: OffsetDateTime,
}

/// What signs checkpoints: who can write to the database does not have it.
#[derive(Clone)]
pub struct CheckpointKey(Zeroizing<[u8; 32]>);

impl CheckpointKey {
    /// 256 bits that nothing else is signed with.
    #[must_use]
    pub fn new(key: [u8; 32]) -> Self {
        Self(Zeroizing::new(key))
    }

    /// States that the chain goes to `head` at `now`.
    #[must_use]
    pub fn sign(&self, head: Head, now: OffsetDateTime) -> Checkpoint {
        let at = now.replace_microsecond(now.microsecond()).unwrap_or(now);
        let mac = self.mac(head.seq, &head.chain_hash, at).map_or([0; 32], |mac| mac.finalize().into_bytes().into());
        Checkpoint { seq: head.seq, chain_hash: head.chain_hash, mac, at }
    }

    /// Whether this key signed it.
    #[must_use]
    pub fn signed(&self, checkpoint: &Checkpoint) -> bool {
        let mac = self.mac(checkpoint.seq, &checkpoint.chain_hash, checkpoint.at);
        mac.is_some_and(|mac| mac.verify_slice(&checkpoint.mac).is_ok())
    }

    /// HMAC takes a key of any length, so there always is one.
    fn mac(&self, seq: i64, chain_hash: &Hash, at: OffsetDateTime) -> Option<Hmac<Sha256>> {
        let micros = at.unix_timestamp_nanos().div_euclid(1_000);
        let mac = Hmac::<Sha256>::new_from_slice(self.0.as_slice()).ok()?;
        Some(mac.chain_update(seq.to_be_bytes()).chain_update(chain_hash).chain_update(micros.to_be_bytes()))
    }
}

impl fmt::Debug for CheckpointKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CheckpointKey")
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.seq)?;
        for hash in [&self.chain_hash, &self.mac] {
            for byte in hash {
                write!(f, "{byte:02x}")?;
            }
            f.write_str(":")?;
        }
        f.write_str(&self.at.to_offset(UtcOffset::UTC).format(TIME).map_err(|_| fmt::Error)?)
    }
}

/// It is no checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a checkpoint is SEQ:HASH:MAC:TIME, as `coinlink audit verify` prints it; {0} cannot be read")]
pub struct MalformedCheckpoint(
    /// The part that is wrong.
    pub &'static str,
);

impl FromStr for Checkpoint {
    type Err = MalformedCheckpoint;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.splitn(4, ':');
        let mut part = || parts.next().unwrap_or_default();
        let (seq, chain_hash, mac, at) = (part(), part(), part(), part());
        let seq = seq.parse().ok().filter(|seq| *seq > 0).ok_or(MalformedCheckpoint("SEQ"))?;
        let chain_hash = hash(chain_hash).ok_or(MalformedCheckpoint("HASH"))?;
        let mac = hash(mac).ok_or(MalformedCheckpoint("MAC"))?;
        let at = PrimitiveDateTime::parse(at, TIME).map_err(|_| MalformedCheckpoint("TIME"))?.assume_utc();
        Ok(Self { seq, chain_hash, mac, at })
    }
}

fn hash(text: &str) -> Option<Hash> {
    let digits = text.as_bytes();
    let digit = |at: usize| char::from(*digits.get(at)?).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut hash = [0; 32];
    for (at, byte) in hash.iter_mut().enumerate() {
        *byte = digit(2 * at)? << 4 | digit(2 * at + 1)?;
    }
    (digits.len() == 64).then_some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use time::{Duration, macros::datetime};

    const NOW: OffsetDateTime = datetime!(2026-01-01 0:00:00.000001 UTC);

    fn checkpoint() -> Checkpoint {
        CheckpointKey::new([7; 32]).sign(Head { seq: 12, chain_hash: [0xab; 32] }, NOW)
    }

    #[test]
    fn only_its_own_key_signed_it_and_nothing_in_it_can_be_changed() {
        let (key, signed) = (CheckpointKey::new([7; 32]), checkpoint());
        assert!(key.signed(&signed));
        assert!(!CheckpointKey::new([8; 32]).signed(&signed));
        for forged in [
            Checkpoint { seq: 13, ..signed },
            Checkpoint { chain_hash: [0; 32], ..signed },
            Checkpoint { at: NOW + Duration::MICROSECOND, ..signed },
            Checkpoint { mac: [0; 32], ..signed },
        ] {
            assert!(!key.signed(&forged), "{forged}");
        }
    }

    #[test]
    fn a_key_does_not_print_itself() {
        assert_eq!(format!("{:?}", CheckpointKey::new([7; 32])), "CheckpointKey");
    }

    #[test]
    fn what_is_printed_is_read_back() {
        let text = checkpoint().to_string();
        assert_eq!(text.parse(), Ok(checkpoint()));
        assert!(text.starts_with("12:abab") && text.ends_with(":2026-01-01T00:00:00.000001Z"), "{text}");
    }

    #[test]
    fn what_is_wrong_is_named() {
        let text = checkpoint().to_string();
        for (wrong, part) in [
            (String::new(), "SEQ"),
            (text.replacen("12:", "0:", 1), "SEQ"),
            (text.replacen("ab", "xy", 1), "HASH"),
            (text.replacen("ab", "", 1), "HASH"),
            (text.replacen(":2026", "00:2026", 1), "MAC"),
            (text.replace('Z', ""), "TIME"),
        ] {
            assert_eq!(wrong.parse::<Checkpoint>(), Err(MalformedCheckpoint(part)), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_checkpoint_or_refused(text in ".{0,200}|[0-9]{1,20}:[0-9a-f\u{e9}]{62,65}:[0-9a-f]{63,64}:[0-9:TZ.-]{0,30}") {
            if let Ok(checkpoint) = text.parse::<Checkpoint>() {
                prop_assert_eq!(checkpoint.to_string().parse(), Ok(checkpoint));
            }
        }

        #[test]
        fn any_checkpoint_is_read_back(seq in 1_i64.., chain_hash: [u8; 32], mac: [u8; 32], micros in 0..253_402_300_799_000_000_i64) {
            let at = OffsetDateTime::UNIX_EPOCH + Duration::microseconds(micros);
            let checkpoint = Checkpoint { seq, chain_hash, mac, at };
            prop_assert_eq!(checkpoint.to_string().parse(), Ok(checkpoint));
        }
    }
}
