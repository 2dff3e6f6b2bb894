use base64::{Engine as _, engine::general_purpose::STANDARD};
use coinlink_domain::{identity::Password, shared::hex};
use secrecy::{ExposeSecret as _, SecretString};
use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

use crate::{CredentialsError, keys};

/// A key that the database does not have.
pub(super) struct Pepper {
    key: Zeroizing<Vec<u8>>,
    id: String,
}

impl Pepper {
    pub(super) fn new(pepper: &SecretString) -> Result<Self, CredentialsError> {
        let key = Zeroizing::new(pepper.expose_secret().as_bytes().to_vec());
        if key.len() < keys::MIN_SECRET {
            return Err(CredentialsError::ShortPepper);
        }
        let id = hex::lower(&keys::hmac(&key, &[b"coinlink pepper id"])[..8]);
        Ok(Self { key, id })
    }

    /// Tells it from others without telling what it is.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// What bcrypt gets: 44 characters, whatever the password.
    pub(super) fn season(&self, password: &Password) -> Zeroizing<String> {
        // It grows to at most 11 times its bytes (U+FDFA); the room is made at once, so that no copy is left behind.
        let mut normal = Zeroizing::new(String::with_capacity(password.expose().len().saturating_mul(11)));
        normal.extend(password.expose().nfkc());
        let mac = Zeroizing::new(keys::hmac(&self.key, &[normal.as_bytes()]));
        Zeroizing::new(STANDARD.encode(mac.as_slice()))
    }
}
