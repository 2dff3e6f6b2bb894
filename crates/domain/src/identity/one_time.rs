//! Secrets that are given out once and of which only a digest is kept.

use std::fmt;

use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::shared::hex;

/// What is kept of a secret: its SHA-256. Enough for secrets of 128 random bits and more, which nobody finds by trying.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SecretDigest(pub [u8; 32]);

impl SecretDigest {
    /// Of a secret that serves one `purpose`, so that the same secret shown elsewhere is another.
    #[must_use]
    pub fn of(purpose: &str, secret: &[u8]) -> Self {
        Self(Sha256::new().chain_update(purpose).chain_update([0]).chain_update(secret).finalize().into())
    }
}

/// A secret with the id of what it is for, so that it is found without searching by the secret. As text: 96 lower-case
/// hexadecimal digits, the id before the secret.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct OneTimeSecret {
    /// Of the row that keeps the digest.
    pub id: Uuid,
    /// 256 random bits.
    pub secret: [u8; 32],
}

impl OneTimeSecret {
    /// The length of its text.
    pub const TEXT_LEN: usize = 96;

    /// What to keep of it.
    #[must_use]
    pub fn digest(&self, purpose: &str) -> SecretDigest {
        SecretDigest::of(purpose, &self.secret)
    }

    /// As it is given out; not [`fmt::Display`], so that it is not printed by mistake.
    #[must_use]
    pub fn to_text(&self) -> String {
        format!("{}{}", self.id.simple(), hex::lower(&self.secret))
    }

    /// What was given out; `None` for any other text.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        let canonical = text.len() == Self::TEXT_LEN && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if !canonical {
            return None;
        }
        let (id, rest) = text.split_at(32);
        let mut secret = [0; 32];
        for (byte, digits) in secret.iter_mut().zip(rest.as_bytes().chunks_exact(2)) {
            let digits = std::str::from_utf8(digits).ok()?;
            *byte = u8::from_str_radix(digits, 16).ok()?;
        }
        Some(Self { id: Uuid::try_parse(id).ok()?, secret })
    }
}

impl fmt::Debug for OneTimeSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OneTimeSecret").field("id", &self.id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_secret_is_not_printed_and_counts_for_one_purpose() {
        let secret = OneTimeSecret { id: Uuid::nil(), secret: [0xab; 32] };
        assert!(!format!("{secret:?}").contains("ab"), "{secret:?}");
        assert_ne!(secret.digest("one"), secret.digest("other"));
    }

    proptest! {
        #[test]
        fn a_secret_comes_back_as_it_was_given_out(id in any::<u128>(), secret in any::<[u8; 32]>()) {
            let secret = OneTimeSecret { id: Uuid::from_u128(id), secret };
            prop_assert_eq!(OneTimeSecret::from_text(&secret.to_text()), Some(secret));
        }

        #[test]
        fn no_text_panics_and_each_secret_has_one_text(text in prop_oneof![".{0,100}", "[0-9a-fA-F-]{90,100}", "[0-9a-f]{96}"]) {
            if let Some(secret) = OneTimeSecret::from_text(&text) {
                prop_assert_eq!(secret.to_text(), text);
            }
        }
    }
}
