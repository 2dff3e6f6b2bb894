//! Secrets that have to be read again: XChaCha20-Poly1305 (RFC 8439 with the 24-byte nonce of draft-irtf-cfrg-xchacha), whose
//! nonces may be drawn at random for any number of secrets.

use chacha20poly1305::{
    KeyInit as _, XChaCha20Poly1305, XNonce,
    aead::{Aead as _, Payload},
};
use coinlink_domain::shared::{hex, sealed::Sealed};
use coinlink_ports::shared::{SecretBox, SecretBoxError};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

const NONCE: usize = 24;

/// A key of 256 bits.
pub type BoxKey = Zeroizing<[u8; 32]>;

/// Keys by their ids, the newest first.
pub struct KeyRing {
    newest: String,
    ciphers: Vec<(String, XChaCha20Poly1305)>,
}

impl KeyRing {
    /// Encrypts with `newest`, and reads with `earlier` ones too.
    #[must_use]
    pub fn new(newest: &BoxKey, earlier: &[BoxKey]) -> Self {
        let cipher = |key: &BoxKey| (id(key), XChaCha20Poly1305::new((&**key).into()));
        Self { newest: id(newest), ciphers: std::iter::once(newest).chain(earlier).map(cipher).collect() }
    }

    /// The ids of its keys, the newest first.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.ciphers.iter().map(|(id, _)| &**id)
    }
}

/// Tells keys apart, and nothing about them.
fn id(key: &BoxKey) -> String {
    let digest = Sha256::new().chain_update("coinlink secret box key id\0").chain_update(key.as_slice()).finalize();
    hex::lower(&digest[..4])
}

impl SecretBox for KeyRing {
    fn seal(&self, context: &str, plain: &[u8]) -> Result<Sealed, SecretBoxError> {
        let (key_id, cipher) = self.ciphers.first().ok_or(SecretBoxError::Failed)?;
        let mut nonce = [0; NONCE];
        getrandom::fill(&mut nonce).map_err(|_| SecretBoxError::Failed)?;
        let payload = Payload { msg: plain, aad: context.as_bytes() };
        let encrypted = cipher.encrypt(&XNonce::from(nonce), payload).map_err(|_| SecretBoxError::Failed)?;
        Ok(Sealed { key_id: key_id.clone(), bytes: [&nonce[..], &encrypted].concat() })
    }

    fn open(&self, context: &str, sealed: &Sealed) -> Result<Vec<u8>, SecretBoxError> {
        let found = self.ciphers.iter().find(|(id, _)| *id == sealed.key_id);
        let (_, cipher) = found.ok_or_else(|| SecretBoxError::UnknownKey(sealed.key_id.clone()))?;
        let (nonce, encrypted) = sealed.bytes.split_first_chunk::<NONCE>().ok_or(SecretBoxError::Forged)?;
        let payload = Payload { msg: encrypted, aad: context.as_bytes() };
        cipher.decrypt(&XNonce::from(*nonce), payload).map_err(|_| SecretBoxError::Forged)
    }

    fn newest_key(&self) -> &str {
        &self.newest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(byte: u8) -> BoxKey {
        Zeroizing::new([byte; 32])
    }

    #[test]
    fn what_was_sealed_under_an_earlier_key_is_read_and_seen_to_be_old() {
        let before = KeyRing::new(&key(1), &[]);
        let sealed = before.seal("totp ada", b"secret").unwrap();
        let after = KeyRing::new(&key(2), &[key(1)]);
        assert_eq!(after.open("totp ada", &sealed).unwrap(), b"secret");
        assert_ne!(after.newest_key(), sealed.key_id);
        assert!(matches!(KeyRing::new(&key(2), &[]).open("totp ada", &sealed), Err(SecretBoxError::UnknownKey(_))));
    }

    #[test]
    fn a_secret_is_of_one_context_and_looks_different_each_time() {
        let ring = KeyRing::new(&key(1), &[]);
        let (one, two) = (ring.seal("totp ada", b"secret").unwrap(), ring.seal("totp ada", b"secret").unwrap());
        assert_ne!(one, two);
        assert!(matches!(ring.open("totp bob", &one), Err(SecretBoxError::Forged)));
    }

    proptest! {
        #[test]
        fn whatever_is_stored_never_panics_and_opens_only_as_it_was_sealed(
            plain in prop::collection::vec(any::<u8>(), 0..80), at in any::<prop::sample::Index>(), flip in 1_u8..,
            other in prop::collection::vec(any::<u8>(), 0..80),
        ) {
            let ring = KeyRing::new(&key(1), &[]);
            let sealed = ring.seal("context", &plain).unwrap();
            prop_assert_eq!(ring.open("context", &sealed).unwrap(), plain);
            let mut changed = sealed.clone();
            let at = at.index(changed.bytes.len());
            changed.bytes[at] ^= flip;
            prop_assert!(ring.open("context", &changed).is_err());
            let foreign = Sealed { bytes: other, ..sealed };
            prop_assert!(ring.open("context", &foreign).is_err());
        }
    }
}
