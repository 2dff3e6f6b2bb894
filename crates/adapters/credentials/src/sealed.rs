use rusty_paseto::core::{ImplicitAssertion, Key, Local, Paseto, PasetoNonce, PasetoSymmetricKey, Payload, V4};
use secrecy::SecretString;
use zeroize::Zeroizing;

use coinlink_ports::identity::SigningError;

use crate::{CredentialsError, keys};

/// Longer than any token of ours.
const MAX_TOKEN: usize = 1024;

/// Encrypts what only this service reads: PASETO v4.local under a key of one purpose.
///
/// The nonce is not drawn but computed from the payload with a key of its own, so that the same payload gives the same token.
/// That is safe, because a nonce must never serve two payloads, and two payloads have the same nonce only where
/// HMAC-SHA-256 collides. What it costs is that equal payloads can be seen to be equal, and giving out the same token for the
/// same payload is what it is for. It is the idea of SIV modes (RFC 5297); v4.local derives its keys from the nonce, too.
pub(crate) struct Sealer {
    purpose: &'static str,
    key: PasetoSymmetricKey<V4, Local>,
    nonce_key: Zeroizing<[u8; 32]>,
}

impl Sealer {
    /// For tokens of one `purpose`, which no other kind of token may share.
    pub(crate) fn new(secret: &SecretString, purpose: &'static str) -> Result<Self, CredentialsError> {
        let key = keys::derive(secret, &format!("coinlink {purpose} v4.local"))?;
        let nonce_key = keys::derive(secret, &format!("coinlink {purpose} nonce"))?;
        Ok(Self { purpose, key: Key::from(&*key).into(), nonce_key })
    }

    pub(crate) fn seal(&self, payload: &str) -> Result<String, SigningError> {
        let nonce = keys::hmac(self.nonce_key.as_slice(), &[payload.as_bytes()]);
        encrypt(payload, self.purpose, &self.key, nonce)
    }

    /// What was sealed for this purpose; `None` for all else.
    pub(crate) fn open(&self, token: &str) -> Option<Zeroizing<String>> {
        if token.len() > MAX_TOKEN || token.bytes().filter(|b| *b == b'.').count() != 2 {
            // A third dot would be an empty footer, and a second spelling of the same token.
            return None;
        }
        decrypt(token, self.purpose, &self.key)
    }
}

fn encrypt(payload: &str, purpose: &str, key: &PasetoSymmetricKey<V4, Local>, nonce: [u8; 32]) -> Result<String, SigningError> {
    Paseto::<V4, Local>::builder()
        .set_payload(Payload::from(payload))
        .set_implicit_assertion(ImplicitAssertion::from(purpose))
        .try_encrypt(key, &PasetoNonce::<V4, Local>::from(&Key::from(nonce)))
        .map_err(|error| SigningError(error.to_string()))
}

fn decrypt(token: &str, purpose: &str, key: &PasetoSymmetricKey<V4, Local>) -> Option<Zeroizing<String>> {
    Paseto::<V4, Local>::try_decrypt(token, key, None, ImplicitAssertion::from(purpose)).ok().map(Zeroizing::new)
}

#[cfg(test)]
mod tests {
    use rusty_paseto::core::Footer;
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Vectors {
        tests: Vec<Vector>,
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "kebab-case")]
    struct Vector {
        name: String,
        expect_fail: bool,
        key: Option<String>,
        nonce: Option<String>,
        token: String,
        payload: Option<String>,
        footer: String,
        implicit_assertion: String,
    }

    fn bytes(hex: &str) -> [u8; 32] {
        *Key::<32>::try_from(hex).unwrap()
    }

    #[test]
    fn the_official_vectors_of_v4_local_hold() {
        let vectors: Vectors = serde_json::from_str(include_str!("../tests/fixtures/paseto_v4_local.json")).unwrap();
        assert_eq!(vectors.tests.len(), 15);
        for vector in vectors.tests {
            let key = vector.key.map_or([0x70; 32], |key| bytes(&key));
            let key = PasetoSymmetricKey::<V4, Local>::from(Key::from(key));
            let (footer, purpose) = (Footer::from(&*vector.footer), &*vector.implicit_assertion);
            let opened = Paseto::<V4, Local>::try_decrypt(&vector.token, &key, footer, ImplicitAssertion::from(purpose)).ok();
            if vector.expect_fail {
                assert_eq!(opened, None, "{}", vector.name);
                assert!(decrypt(&vector.token, purpose, &key).is_none(), "{}", vector.name);
                continue;
            }
            let payload = vector.payload.unwrap();
            assert_eq!(opened.as_ref(), Some(&payload), "{}", vector.name);
            if vector.footer.is_empty() {
                let token = encrypt(&payload, purpose, &key, bytes(&vector.nonce.unwrap())).unwrap();
                assert_eq!(token, vector.token, "{}", vector.name);
                assert_eq!(decrypt(&token, purpose, &key).unwrap().as_str(), payload);
            }
        }
    }
}
