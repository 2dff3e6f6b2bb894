use aws_lc_rs::{
    encoding::{AsDer as _, Pkcs8V1Der},
    rand::SystemRandom,
    rsa::{KeyPair as RsaKeyPair, KeySize},
    signature::{Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use coinlink_domain::shared::hex;
use coinlink_ports::identity::{PublicKey, PublicKeyMaterial, SigningError};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::pem;

/// How a key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeyAlgorithm {
    /// Ed25519 (RFC 8037).
    #[serde(rename = "EdDSA")]
    EdDsa,
    /// RSA with SHA-256, PKCS#1 v1.5 (RFC 7518).
    #[serde(rename = "RS256")]
    Rs256,
}

impl KeyAlgorithm {
    /// As tokens name it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Rs256 => "RS256",
        }
    }

    pub(in crate::access) const fn jwt(self) -> Algorithm {
        match self {
            Self::EdDsa => Algorithm::EdDSA,
            Self::Rs256 => Algorithm::RS256,
        }
    }
}

/// A key that is to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NewKey {
    /// Ed25519: short signatures, quick to make.
    EdDsa,
    /// RSA of so many bits: 3072 or 4096.
    Rs256(u16),
}

/// Shorter ones are weaker than everything else here: 128 bits of strength take 3072 bits of RSA (NIST SP 800-57).
const MIN_MODULUS: usize = 3072 / 8;
/// Longer ones are slow to sign with, and their tokens too long for some headers.
const MAX_MODULUS: usize = 4096 / 8;

enum Pair {
    Ed(Ed25519KeyPair),
    Rsa(RsaKeyPair),
}

/// A private key, ready to sign, and its public half.
pub(in crate::access) struct SigningKey {
    pair: Pair,
    pub(in crate::access) public: PublicKey,
    pub(in crate::access) verifying: DecodingKey,
}

/// Why there is no key: never what is in it.
type Refusal = &'static str;

impl SigningKey {
    /// A new one, and the text of its file.
    pub(super) fn generate(new: NewKey) -> Result<(Self, Zeroizing<String>), Refusal> {
        const FAILED: Refusal = "no key could be made";
        let der = match new {
            NewKey::EdDsa => {
                let pair = Ed25519KeyPair::generate().map_err(|_| FAILED)?;
                Zeroizing::new(pair.to_pkcs8v1().map_err(|_| FAILED)?.as_ref().to_vec())
            }
            NewKey::Rs256(bits) => {
                let size = match bits {
                    3072 => KeySize::Rsa3072,
                    4096 => KeySize::Rsa4096,
                    _ => return Err("an RSA key has 3072 or 4096 bits"),
                };
                let pair = RsaKeyPair::generate(size).map_err(|_| FAILED)?;
                let der: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| FAILED)?;
                Zeroizing::new(der.as_ref().to_vec())
            }
        };
        let text = pem::encode(&der);
        let algorithm = if new == NewKey::EdDsa { KeyAlgorithm::EdDsa } else { KeyAlgorithm::Rs256 };
        Ok((Self::from_pem(algorithm, &text)?, text))
    }

    /// The key in a file.
    pub(super) fn from_pem(algorithm: KeyAlgorithm, text: &str) -> Result<Self, Refusal> {
        let der = pem::decode(text).ok_or("it is no private key in PEM (PKCS#8)")?;
        match algorithm {
            KeyAlgorithm::EdDsa => {
                let pair = Ed25519KeyPair::from_pkcs8(&der).map_err(|_| "it is no Ed25519 key")?;
                let x = pair.public_key().as_ref().to_vec();
                let verifying = DecodingKey::from_ed_der(&x);
                Ok(Self { pair: Pair::Ed(pair), public: named(PublicKeyMaterial::Ed25519 { x }), verifying })
            }
            KeyAlgorithm::Rs256 => {
                let pair = RsaKeyPair::from_pkcs8(&der).map_err(|_| "it is no RSA key")?;
                let public = pair.public_key();
                let (n, e) = (public.modulus().big_endian_without_leading_zero(), public.exponent());
                let (n, e) = (n.to_vec(), e.big_endian_without_leading_zero().to_vec());
                if !(MIN_MODULUS..=MAX_MODULUS).contains(&n.len()) {
                    return Err("it is no RSA key of 3072 to 4096 bits");
                }
                let verifying = DecodingKey::from_rsa_raw_components(&n, &e);
                Ok(Self { pair: Pair::Rsa(pair), public: named(PublicKeyMaterial::Rsa { n, e }), verifying })
            }
        }
    }

    pub(in crate::access) fn algorithm(&self) -> KeyAlgorithm {
        match self.pair {
            Pair::Ed(_) => KeyAlgorithm::EdDsa,
            Pair::Rsa(_) => KeyAlgorithm::Rs256,
        }
    }

    /// What a new key must be to be like this one.
    pub(super) fn alike(&self) -> NewKey {
        match &self.pair {
            Pair::Ed(_) => NewKey::EdDsa,
            Pair::Rsa(pair) if pair.public_modulus_len() > MIN_MODULUS => NewKey::Rs256(4096),
            Pair::Rsa(_) => NewKey::Rs256(3072),
        }
    }

    /// Both ways to sign are deterministic: the same message has the same signature.
    pub(in crate::access) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningError> {
        match &self.pair {
            Pair::Ed(pair) => Ok(pair.sign(message).as_ref().to_vec()),
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
                    .map_err(|_| SigningError("the RSA key did not sign".into()))?;
                Ok(signature)
            }
        }
    }
}

/// The name of a key follows from the key: the first half of its thumbprint (RFC 7638), in hex.
fn named(material: PublicKeyMaterial) -> PublicKey {
    let print = thumbprint(&material);
    PublicKey { id: hex::lower(&print[..16]), material }
}

fn thumbprint(material: &PublicKeyMaterial) -> [u8; 32] {
    let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let members = match material {
        PublicKeyMaterial::Ed25519 { x } => format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, text(x)),
        PublicKeyMaterial::Rsa { n, e } => format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, text(e), text(n)),
    };
    Sha256::digest(members).into()
}

/// Whether `id` is a name that a key of ours could have.
pub(in crate::access) fn is_key_id(id: &str) -> bool {
    id.len() == 32 && id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_rfc_8037() -> SigningKey {
        // PKCS#8 is this prefix and the seed.
        let mut der = vec![0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
        der.extend(URL_SAFE_NO_PAD.decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A").unwrap());
        SigningKey::from_pem(KeyAlgorithm::EdDsa, &pem::encode(&der)).unwrap()
    }

    #[test]
    fn signature_and_thumbprint_are_those_of_rfc_8037() {
        let key = of_rfc_8037();
        let PublicKeyMaterial::Ed25519 { x } = &key.public.material else { panic!() };
        assert_eq!(URL_SAFE_NO_PAD.encode(x), "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
        let print = thumbprint(&key.public.material);
        assert_eq!(URL_SAFE_NO_PAD.encode(print), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
        assert_eq!(key.public.id, hex::lower(&print[..16]));
        let input = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
        let signature = "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
        assert_eq!(URL_SAFE_NO_PAD.encode(key.sign(input.as_bytes()).unwrap()), signature);
        assert!(jsonwebtoken::crypto::verify(signature, input.as_bytes(), &key.verifying, Algorithm::EdDSA).unwrap());
    }

    #[test]
    fn a_key_that_was_made_is_read_from_its_text_and_the_next_one_can_be_like_it() {
        for new in [NewKey::EdDsa, NewKey::Rs256(3072)] {
            let (key, text) = SigningKey::generate(new).unwrap();
            let again = SigningKey::from_pem(key.algorithm(), &text).unwrap();
            assert_eq!((&again.public, again.alike()), (&key.public, new));
            assert!(is_key_id(&key.public.id));
            assert_eq!(again.sign(b"x").unwrap(), key.sign(b"x").unwrap());
            let other = if new == NewKey::EdDsa { KeyAlgorithm::Rs256 } else { KeyAlgorithm::EdDsa };
            assert!(SigningKey::from_pem(other, &text).is_err(), "a key has one algorithm");
        }
    }

    #[test]
    fn a_key_of_rsa_that_is_weaker_than_the_others_is_neither_made_nor_read() {
        assert!(SigningKey::generate(NewKey::Rs256(2048)).is_err());
        let weak = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let der: Pkcs8V1Der<'_> = weak.as_der().unwrap();
        let refused = SigningKey::from_pem(KeyAlgorithm::Rs256, &pem::encode(der.as_ref())).err();
        assert_eq!(refused, Some("it is no RSA key of 3072 to 4096 bits"));
    }
}
