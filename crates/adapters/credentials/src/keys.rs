//! Keys and what is made with them. HMAC takes keys of any length and HKDF gives 32 bytes, so that neither can fail here.

use coinlink_domain::shared::hex;
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::CredentialsError;

/// RFC 7518, 3.2: as long as what SHA-256 gives.
pub(crate) const MIN_SECRET: usize = 32;

/// HMAC-SHA-256 of the parts, one after the other. Parts must have fixed lengths, or only the last one may vary.
pub(crate) fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap_or_else(|_| unreachable!("HMAC takes any key"));
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// A key for one purpose only.
pub(crate) fn derive(secret: &SecretString, purpose: &str) -> Result<Zeroizing<[u8; 32]>, CredentialsError> {
    let secret = checked(secret)?;
    let mut key = Zeroizing::new([0; 32]);
    Hkdf::<Sha256>::new(None, secret)
        .expand(purpose.as_bytes(), key.as_mut_slice())
        .unwrap_or_else(|_| unreachable!("HKDF gives 32 bytes"));
    Ok(key)
}

/// A secret for tokens where there is none of their own: derived from that of passwords, and of no use for those.
pub fn token_secret_of(pepper: &SecretString) -> Result<SecretString, CredentialsError> {
    let secret = derive(pepper, "coinlink tokens").map_err(|_| CredentialsError::ShortPepper)?;
    Ok(hex::lower(secret.as_slice()).into())
}

/// The secret's bytes, if there are enough.
pub(crate) fn checked(secret: &SecretString) -> Result<&[u8], CredentialsError> {
    let secret = secret.expose_secret().as_bytes();
    if secret.len() < MIN_SECRET { Err(CredentialsError::ShortSecret) } else { Ok(secret) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hmac_is_the_one_of_rfc_4231() {
        let expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(hex::lower(&hmac(b"Jefe", &[b"what do ya want ", b"for nothing?"])), expected);
    }

    #[test]
    fn each_purpose_has_a_key_of_its_own_and_a_short_secret_has_none() {
        let secret = SecretString::from("s".repeat(32));
        assert_ne!(*derive(&secret, "a").unwrap(), *derive(&secret, "b").unwrap());
        assert!(matches!(derive(&SecretString::from("s".repeat(31)), "a"), Err(CredentialsError::ShortSecret)));
    }
}
